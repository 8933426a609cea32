"""Who may call: Host, Origin and Content-Type."""

import pytest

from provision.api import TRACKING, Api
from trackstore import InvalidRequest, Tracker
from trackstore.server.guard import HEADERS, check_allowed_hosts, is_loopback, names_of
from trackstore.server.settings import check_static_prefix

SEARCH = TRACKING + "experiments/search"


def status(api: Api, **headers: str) -> int:
    return api.client.simulate_get(SEARCH, headers=headers).status_code


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("LOCALHOST:5000", 200),
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("ml.example.com", 200),
        ("ml.example.com:8080", 200),
        ("a.lab.example.com", 200),
        ("A.B.lab.example.com:1", 200),
        ("only.example.com:8443", 200),
        ("only.example.com", 403),
        ("only.example.com:80", 403),
        ("lab.example.com", 403),
        ("evil.com", 403),
        ("ml.example.com.evil.com", 403),
        ("localhost.evil.com", 403),
        ("evil.com:localhost", 403),
        ("localhost,evil.com", 403),
        ("127.0.0.1.nip.io", 403),
        ("", 403),
    ],
)
def test_only_names_of_this_server_are_answered(tracker: Tracker, host: str, expected: int) -> None:
    """A name that a foreign page points at this machine (DNS rebinding) is refused."""
    names = check_allowed_hosts("ml.example.com, *.lab.example.com,only.example.com:8443")
    assert status(Api(tracker, allowed_hosts=names), host=host) == expected


def test_a_star_allows_every_name(tracker: Tracker) -> None:
    """For those whose proxy checks names."""
    assert status(Api(tracker, allowed_hosts=check_allowed_hosts("*")), host="evil.com") == 200


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:5000", "localhost:5000", 200),
        ("https://ml.example.com", "ml.example.com", 200),
        ("https://ml.example.com", "127.0.0.1:5000", 200),
        ("http://localhost:3000", "localhost:5000", 403),
        ("http://127.0.0.1:5000", "localhost:5000", 403),
        ("https://evil.com", "localhost:5000", 403),
        ("https://evil.com", "ml.example.com", 403),
        ("null", "localhost:5000", 403),
        ("", "localhost:5000", 403),
        ("localhost:5000", "localhost:5000", 403),
    ],
)
def test_a_foreign_page_is_refused(tracker: Tracker, origin: str, host: str, expected: int) -> None:
    """Only pages of this server may call it, also where a proxy gives it another Host."""
    api = Api(tracker, allowed_hosts=["ml.example.com"])
    assert status(api, host=host, origin=origin) == expected


def test_probes_need_no_name(api: Api) -> None:
    """A load balancer asks for /health under an address of its own; nothing else is open."""
    for path in ("/health", "/version"):
        found = api.client.simulate_get(path, headers={"host": "10.0.0.7"})
        assert found.status_code == 200
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
    assert status(api, host="10.0.0.7") == 403


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        (None, 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
        ("application/jsonx", 415),
        ("text/plain; application/json", 415),
    ],
)
def test_a_form_cannot_write(api: Api, kind: str | None, expected: int) -> None:
    """What an HTML form can send without asking first is not taken for a call."""
    body = b'{"name": "x"}'
    headers = {"content-type": kind} if kind else {}
    path = TRACKING + "experiments/create"
    result = api.client.simulate_post(path, body=body, headers=headers)
    assert result.status_code == expected
    assert (expected == 200) == (len(api.tracker.search_experiments().items) == 2)


@pytest.mark.parametrize("path", ["/health", SEARCH, "/nope", TRACKING + "runs/get?run_id=x"])
def test_every_reply_has_the_security_headers(api: Api, path: str) -> None:
    """Refusals have them too, and none lets another origin read."""
    found = api.client.simulate_get(path).headers
    assert {name: found[name] for name, _ in HEADERS} == dict(HEADERS)
    assert not any(name.startswith("access-control") for name in found)


@pytest.mark.parametrize("text", ["a b", "http://x", "x/y", "*x", "a..b", "é!", "*.", "[::1"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    """A mistyped --allowed-hosts is told at the start."""
    with pytest.raises(InvalidRequest, match="--allowed-hosts"):
        check_allowed_hosts(text)


@pytest.mark.parametrize(
    ("bound", "names", "loopback"),
    [
        ("127.0.0.1", ("127.0.0.1",), True),
        ("localhost", ("localhost",), True),
        ("::1", ("[::1]",), True),
        ("0.0.0.0", (), False),
        ("::", (), False),
        ("10.0.0.7", ("10.0.0.7",), False),
        ("ml.example.com", ("ml.example.com",), False),
    ],
)
def test_the_address_that_is_bound_is_a_name(
    bound: str, names: tuple[str, ...], *, loopback: bool
) -> None:
    """A server goes by the address it listens on, unless that is every address."""
    assert names_of(bound) == names
    assert is_loopback(bound) == loopback


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), ("/", ""), ("//", ""), ("/a/", "/a"), ("/a/b-1", "/a/b-1")]
)
def test_a_static_prefix(given: str, kept: str) -> None:
    """A prefix is a path, with or without a slash at its end."""
    assert check_static_prefix(given) == kept


@pytest.mark.parametrize("prefix", ["a", "/a//b", "/{x}", "/a?b", "/é", "/a b"])
def test_a_bad_static_prefix_is_refused(prefix: str) -> None:
    """A prefix that no URL would match is told at the start."""
    with pytest.raises(InvalidRequest, match="--static-prefix"):
        check_static_prefix(prefix)


def test_the_prefix_comes_before_every_path(tracker: Tracker) -> None:
    """Under a prefix the whole API is there, the parts not served too, and nothing without it."""
    api = Api(tracker, static_prefix="/ml")
    for path, expected in ((SEARCH, 200), ("/health", 200), ("/graphql", 501), ("/nope", 404)):
        assert api.client.simulate_get("/ml" + path).status_code == expected
        assert api.client.simulate_get(path).status_code == 404
    put = api.client.simulate_put("/ml/api/2.0/mlflow-artifacts/artifacts/0/a.txt", body=b"x")
    assert put.status_code == 200
    assert [each.path for each in tracker.artifacts.at("mlflow-artifacts:/0").walk()] == ["a.txt"]
