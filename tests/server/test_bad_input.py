"""Hostile requests against a real server, with a canary outside the artifact root.

Every vector that let callers out of the root of another tracking server is tried here.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import trackstore
from provision.hostile import IN_BODIES, LOCATIONS, TRAVERSALS
from provision.server import RunningServer

FILES = "/api/2.0/mlflow-artifacts"
PROXY = f"{FILES}/artifacts"
TRACKING = "/api/2.0/mlflow/"
CANARY = b"the canary must not be seen, changed or removed"

PARTS: dict[str, dict[str, object]] = {
    "create": {"num_parts": 2},
    "complete": {"upload_id": "../canary", "parts": [{"part_number": 1, "etag": "x"}]},
    "abort": {"upload_id": "../canary"},
}
"""What a request about an upload in parts has beside the name of the file."""


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
    check_refused(server, *request(server, "GET", f"{FILES}/presigned/{target}"))
    for verb, body in PARTS.items():
        sent = json.dumps({"path": "evil", **body}).encode()
        check_refused(server, *request(server, "POST", f"{FILES}/mpu/{verb}/{target}", sent))


@pytest.mark.parametrize("path", IN_BODIES)
def test_no_path_in_a_body_leads_out_of_the_root(
    server: RunningServer, canary: Path, path: str
) -> None:
    """What is signed, and the name of a file that comes in parts, are refused as paths in URLs."""
    sent = path.format(canary=canary)
    run_id = server.call(TRACKING + "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    bodies = {
        f"{TRACKING}artifacts/presigned-upload-url": {"run_id": run_id, "path": sent},
        f"{TRACKING}artifacts/presigned-download-url": {"run_id": run_id, "path": sent},
    }
    if "/" not in sent:  # of a path on the client's machine the name counts
        bodies |= {f"{FILES}/mpu/{verb}/0": {"path": sent, **body} for verb, body in PARTS.items()}
    for target, body in bodies.items():
        check_refused(server, *request(server, "POST", target, json.dumps(body).encode()))
    query = f"artifacts/list?run_id={run_id}&path={quote(sent, safe='')}"
    check_refused(server, *request(server, "GET", TRACKING + query))


@pytest.fixture(scope="module")
def model(server: RunningServer) -> tuple[str, str, str]:
    """A run, its logged model, and a registered model of which both made version 1."""
    run_id = server.call(TRACKING + "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    asked = {"experiment_id": "0", "source_run_id": run_id}
    model_id = server.call(TRACKING + "logged-models", asked)["model"]["info"]["model_id"]
    server.call(TRACKING + "registered-models/create", {"name": "hostile"})
    version = {"name": "hostile", "source": f"models:/{model_id}"}
    server.call(TRACKING + "model-versions/create", version)
    return run_id, model_id, "hostile"


@pytest.mark.parametrize("path", IN_BODIES)
def test_no_path_of_a_models_file_leads_out_of_the_root(
    server: RunningServer, canary: Path, model: tuple[str, str, str], path: str
) -> None:
    """The UI's own routes to files of runs, versions and models refuse what all others do."""
    run_id, model_id, name = model
    sent = quote(path.format(canary=canary), safe="")
    ajax = "/ajax-api/2.0/mlflow"
    for target in (
        f"/get-artifact?run_id={run_id}&path={sent}",
        f"/model-versions/get-artifact?name={name}&version=1&path={sent}",
        f"{ajax}/logged-models/{model_id}/artifacts/files?artifact_file_path={sent}",
        f"{TRACKING}logged-models/{model_id}/artifacts/directories?artifact_directory_path={sent}",
    ):
        check_refused(server, *request(server, "GET", target))
    target = f"{ajax}/upload-artifact?run_uuid={run_id}&path={sent}"
    check_refused(server, *request(server, "POST", target, b"evil"))


@pytest.mark.parametrize("source", [each for each in LOCATIONS if each != "models:/x/1"])
def test_no_version_is_made_of_what_lies_outside_the_roots(
    server: RunningServer, model: tuple[str, str, str], source: str
) -> None:
    """Neither as a model nor as a prompt, whatever run or model is named with it."""
    run_id, model_id, name = model
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    sent = source.replace("runs:/x/", f"runs:/{run_id}/../")
    for more in ({}, {"tags": tags}, {"run_id": run_id}, {"model_id": model_id}):
        body = {"name": name, "source": sent, **more}
        status, reply = call(server, "model-versions/create", body)
        assert status in {400, 403}, reply
        assert "pw" not in reply["message"]
    wanted = quote(f"name = '{name}'")
    query = f"model-versions/search?filter={wanted}"
    versions = json.loads(request(server, "GET", TRACKING + query)[1].partition(b"\r\n\r\n")[2])[
        "model_versions"
    ]
    assert [each["version"] for each in versions] == ["1"]


@pytest.mark.parametrize("local", ["/etc/evil", "C:\\x\\evil", "../../evil", "\\\\host\\x\\evil"])
def test_of_a_clients_own_path_only_the_name_counts(server: RunningServer, local: str) -> None:
    """The stock client sends the path that a file has on its machine: it leads nowhere here."""
    sent = json.dumps({"path": local, "num_parts": 1}).encode()
    status, reply = request(server, "POST", f"{FILES}/mpu/create/0/x", sent)
    assert status == 501, reply
    assert b"Multipart upload is not supported for the current artifact repository" in reply


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
    for path, field in (
        ("runs/delete", "run_id"),
        ("experiments/delete", "experiment_id"),
        ("registered-models/get-latest-versions", "name"),
    ):
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
