"""Hostile requests against a real server, with a canary outside the artifact root.

Every vector that let callers out of the root of another tracking server is tried here.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackstore
from provision.server import RunningServer

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
TRACKING = "/api/2.0/mlflow/"
CANARY = b"the canary must not be seen, changed or removed"

TRAVERSALS = [
    "../canary",
    "../../canary",
    "%2e%2e/canary",
    "%2e%2e%2fcanary",
    "%252E%252E%252Fcanary",
    "%25252e%25252e%25252fcanary",
    "..%2fcanary",
    "..%5ccanary",
    "..\\canary",
    "0/../../canary",
    "0/%2e%2e/%2e%2e/canary",
    "./../canary",
    "{canary}",
    "%2F{canary}",
    "/{canary}",
    "//{canary}",
    "file:{canary}",
    "file://{canary}",
    "file://./{canary}",
    "C:/canary",
    "C:%5ccanary",
    "%5C%5Chost%5Cshare",
    "~/canary",
    "~root/canary",
    "//proc/self/root{canary}",
    "a%3f/../../../../canary",
    "a%23/../../canary",
    "a;/../../canary",
    "canary%00.txt",
    "..%00/canary",
    "%c0%ae%c0%ae/canary",
    "%e0%80%ae%e0%80%ae/canary",
    "..%ff/canary",
    "0//canary",
    "0/./canary",
]
LOCATIONS = [
    "http:///?/../../../../etc/",
    "http:///#/../../../etc/",
    "http:\\/\\/\\/#\\/..\\/..\\/etc\\/",
    "http://host#/../../../etc/",
    "http://169.254.169.254/latest/meta-data",
    "https://evil.example/x",
    "dbfs:/",
    "file:///etc",
    "file://host/etc",
    "file://./etc",
    "file:../../etc",
    "//proc/self/root",
    "/etc",
    "../../etc",
    "etc",
    "~/x",
    "C:/x",
    "\\\\host\\share",
    "s3://bucket/x",
    "models:/x/1",
    "runs:/x/y",
    "mlflow-artifacts:/../x",
    "mlflow-artifacts:/%2e%2e/x",
    "mlflow-artifacts:/a;b/../../x",
    "mlflow-artifacts:/a#b",
    "mlflow-artifacts:/a?b=../..",
    "mlflow-artifacts://user:pw@host/x",
    "mlflow-artifacts://evil.example/x",
    "file:///etc\0",
    "unknown-scheme:/x",
]


@pytest.fixture
def canary(server: RunningServer) -> Iterator[Path]:
    """A file beside the artifact root, and a link to it inside."""
    path = server.folder / "canary"
    path.write_bytes(CANARY)
    root = server.folder / "artifacts"
    root.mkdir(exist_ok=True)
    link = root / "link"
    link.symlink_to(server.folder)
    yield path
    link.unlink()
    assert path.read_bytes() == CANARY
    assert not (server.folder / "evil").exists()


def exchange(server: RunningServer, request: bytes) -> tuple[int, bytes]:
    """Send bytes that no HTTP library would, and return the status and the rest of the reply."""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(request)
        reply = b""
        while block := connection.recv(65_536):
            reply += block
    return int(reply[9:12]), reply


def request(
    server: RunningServer, method: str, target: str, body: bytes = b""
) -> tuple[int, bytes]:
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return exchange(server, head.encode("latin-1") + body)


def call(server: RunningServer, path: str, body: object) -> tuple[int, dict[str, str]]:
    status, reply = request(server, "POST", TRACKING + path, json.dumps(body).encode())
    return status, json.loads(reply.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out_of_the_root(server: RunningServer, canary: Path, path: str) -> None:
    """Read, write, list and delete are refused alike, and nothing is told of what is there."""
    target = path.format(canary=canary)
    for method in ("GET", "PUT", "DELETE"):
        check_refused(server, *request(server, method, f"{PROXY}/{target}", b"evil"))
    check_refused(server, *request(server, "GET", f"{PROXY}?path={target}"))


def check_refused(server: RunningServer, status: int, reply: bytes) -> None:
    head, _, body = reply.partition(b"\r\n\r\n")
    assert status == 400, reply
    assert json.loads(body)["error_code"] == "INVALID_PARAMETER_VALUE"
    assert CANARY not in reply
    assert b"text/html" not in head


def test_a_question_mark_ends_the_path(server: RunningServer, canary: Path) -> None:
    """What comes after it is a query, which artifacts ignore, and never a part of the name."""
    assert request(server, "PUT", f"{PROXY}/0/a?/../../canary", b"evil")[0] == 200
    assert (server.folder / "artifacts" / "0" / "a").read_bytes() == b"evil"


@pytest.mark.parametrize("path", ["link/canary", "link", "link/evil"])
def test_no_symbolic_link_is_followed(server: RunningServer, canary: Path, path: str) -> None:
    """A link that somebody put into the root leads nowhere."""
    for method in ("GET", "PUT"):
        status, reply = request(server, method, f"{PROXY}/{path}", b"evil")
        assert 400 <= status < 500, reply
        assert CANARY not in reply
    status, reply = request(server, "GET", f"{PROXY}?path={path}")
    assert b"canary" not in reply.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_client_chooses_no_location_outside_the_roots(
    server: RunningServer, location: str
) -> None:
    """An artifact location elsewhere is refused when it is given, so none is ever stored."""
    name = f"at {location}".replace("\0", "NUL")
    status, reply = call(
        server, "experiments/create", {"name": name, "artifact_location": location}
    )
    assert status in {400, 403}, reply
    assert reply["error_code"] in {"INVALID_PARAMETER_VALUE", "PERMISSION_DENIED"}
    assert "pw" not in reply["message"]
    with trackstore.open(server.backend_url, server.artifacts_url) as tracker:
        names = [each.name for each in tracker.search_experiments(stage=None).items]
    assert name not in names


@pytest.mark.parametrize(
    "ident", ["../0", "..%2f0", "0/../1", "a\0b", "\u2028", "x" * 10_000, ".", ""]
)
def test_an_odd_id_is_only_unknown(server: RunningServer, ident: str) -> None:
    """Ids name rows, never files: whatever they hold, there is no such run or experiment."""
    for path, field in (("runs/delete", "run_id"), ("experiments/delete", "experiment_id")):
        status, reply = call(server, path, {field: ident})
        assert status in {400, 404}, reply
        assert reply["error_code"] in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["negative length", "two lengths", "raw bytes", "no http", "huge header"],
)
def test_what_is_not_http_is_a_callers_mistake(server: RunningServer, sent: bytes) -> None:
    """Malformed requests are refused by the HTTP layer, without a 5xx, and the server lives on."""
    status, _ = exchange(server, sent)
    assert 400 <= status < 500
    assert status not in {408, 429}
    assert request(server, "GET", "/health")[0] == 200


def test_a_foreign_host_and_origin_are_refused_before_anything_is_written(
    server: RunningServer,
) -> None:
    """A page that the user visits cannot log to the user's server, by no name and no form."""
    body = json.dumps({"name": "from elsewhere"}).encode()
    head = f"POST {TRACKING}experiments/create HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
    for headers, expected in (
        ("Host: evil.example\r\nContent-Type: application/json\r\n", 403),
        ("Host: localhost\r\nHost: evil.example\r\nContent-Type: application/json\r\n", 403),
        ("Content-Type: application/json\r\n", 403),
        (
            "Host: localhost\r\nOrigin: https://evil.example\r\nContent-Type: application/json\r\n",
            403,
        ),
        ("Host: localhost\r\nContent-Type: text/plain\r\n", 415),
        ("Host: localhost\r\n", 415),
    ):
        sent = f"{head}{headers}Connection: close\r\n\r\n".encode() + body
        status, reply = exchange(server, sent)
        assert status == expected, reply
        assert b"evil.example" not in reply
    with trackstore.open(server.backend_url, server.artifacts_url) as tracker:
        assert not tracker.search_experiments("name = 'from elsewhere'", stage=None).items


def test_nothing_of_the_client_comes_back_as_html(server: RunningServer) -> None:
    """Neither a path, a header nor a value is ever sent as a page."""
    script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    targets = [f"/{script}", f"{TRACKING}runs/get?run_id={script}", f"{PROXY}/0/{script}.html"]
    for target in targets:
        _, reply = request(server, "GET", target)
        head = reply.partition(b"\r\n\r\n")[0].lower()
        assert b"text/html" not in head
        assert b"nosniff" in head
