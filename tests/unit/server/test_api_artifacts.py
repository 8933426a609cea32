"""Artifacts through the server."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import pytest
from falcon import testing

import trackstore
from provision.api import PROXY, Api
from trackstore.artifacts import ArtifactFolder

NAMES = [
    ("a.txt", "a.txt"),
    ("a b.txt", "a%20b.txt"),
    ("a+b.txt", "a+b.txt"),
    ("50%.txt", "50%25.txt"),
    ("a%20b", "a%2520b"),
    ("a%2Bb", "a%252Bb"),
    ("a#b?c;d=e&f", "a%23b%3Fc%3Bd=e&f"),
    ("caf\u00e9 \u65e5\u672c \U0001f600", "caf%C3%A9%20%E6%97%A5%E6%9C%AC%20%F0%9F%98%80"),
    ("cafe\u0301", "cafe%CC%81"),
    ("a.", "a."),
    ("aux", "aux"),
    ("x/y:z", "x/y%3Az"),
    ("...", "..."),
]
REFUSED = [
    "..",
    "../x",
    "a/../../x",
    "%2e%2e/x",
    "%252e%252e/x",
    "%25252e%25252e/x",
    "a/%2e%2e%2fx",
    "a/..%252fx",
    ".",
    "./x",
    "a/./x",
    "a//x",
    "a%2f%2fx",
    "/etc/passwd",
    "%2Fetc/passwd",
    "//proc/self/root",
    "~/x",
    "C:/x",
    "C:x",
    "%43%3A/x",
    "file:/etc/passwd",
    "file:///etc/passwd",
    "http:%2f%2fevil/x",
    "a\\x",
    "a%5cx",
    "%5C%5Chost%5Cshare",
    "a%00",
    "a%0ab",
    "a%0d%0aset-cookie:x",
    "a%7f",
    "%ff",
    "a/%c3",
    "%ed%a0%80",
    "a" * 256,
    "a/" * 600 + "a",
    "",
]


def url(path: str = "") -> str:
    return f"{PROXY}/{path}"


def put(api: Api, path: str, body: bytes, **headers: str) -> testing.Result:
    return api.client.simulate_put(url(path), body=body, headers=headers)


def get(api: Api, path: str, **headers: str) -> testing.Result:
    return api.client.simulate_get(url(path), headers=headers)


def stored(api: Api) -> list[str]:
    return [each.path for each in api.tracker.artifacts.at("mlflow-artifacts:/").walk()]


@pytest.mark.parametrize(("name", "encoded"), NAMES, ids=[name for _, name in NAMES])
def test_a_name_is_what_http_decodes_to(api: Api, name: str, encoded: str) -> None:
    """Whatever a legal name holds, it is stored, listed, sent and deleted under that name."""
    assert put(api, f"0/{encoded}", b"data").status_code == 200
    assert stored(api) == [f"0/{name}"]
    found = get(api, f"0/{encoded}")
    assert (found.status_code, found.content) == (200, b"data")
    folder, _, last = f"0/{name}".rpartition("/")
    listed = api.ok(api.client.simulate_get(PROXY, params={"path": folder}))
    assert listed == {"files": [{"path": last, "is_dir": False, "file_size": 4}]}
    deleted = api.client.simulate_delete(url(f"0/{encoded}"))
    assert (deleted.status_code, deleted.json) == (200, {})
    assert stored(api) == []


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path[:30] or "empty")
def test_a_path_that_could_lead_elsewhere_is_refused_by_every_verb(api: Api, path: str) -> None:
    """In whatever encoding it comes, and also as a folder to list."""
    put(api, "0/keep", b"x")
    for method in ("PUT", "GET", "HEAD", "DELETE"):
        info = unquote_to_bytes(url(path)).decode("latin-1")  # as WSGI has it
        extras = {"PATH_INFO": info}
        result = api.client.simulate_request(method, PROXY, body=b"x", extras=extras)
        assert result.status_code == 400, (method, result.status_code, result.text)
    if path:
        listed = api.client.simulate_get(PROXY, query_string=f"path={path}")
        assert listed.status_code == 400, listed.text
        assert listed.json["error_code"] == "INVALID_PARAMETER_VALUE"
    assert stored(api) == ["0/keep"]


def test_an_upload_replaces_and_may_be_empty(api: Api) -> None:
    """A second upload takes the first one's place; a file of no bytes is a file."""
    for body in (b"first", b"", b"\0" * 100_000):
        result = put(api, "0/f", body, **{"content-type": "text/html"})
        assert (result.status_code, result.content) == (200, b"")
        assert get(api, "0/f").content == body


def test_a_cut_upload_is_never_published(api: Api) -> None:
    """Fewer bytes than declared: the file stays as it was, or absent."""
    put(api, "0/old", b"old")
    for path in ("0/old", "0/new"):
        cut = api.client.simulate_put(url(path), body=b"12345", extras={"CONTENT_LENGTH": "6"})
        assert (cut.status_code, cut.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert stored(api) == ["0/old"]
    assert get(api, "0/old").content == b"old"


def chunked(api: Api, body: bytes, **headers: str) -> testing.Result:
    """Upload as granian hands over a chunked body: without a length."""
    return api.client.simulate_put(
        url("0/f"),
        body=body,
        headers={"transfer-encoding": "chunked", **headers},
        extras={"CONTENT_LENGTH": ""},
    )


def test_a_chunked_body_must_say_how_it_ends(api: Api) -> None:
    """The end of a chunked body looks like a cut: only an empty one is taken as it is."""
    refused = chunked(api, b"data")
    assert (refused.status_code, refused.json["error_code"]) == (411, "INVALID_PARAMETER_VALUE")
    assert stored(api) == []
    assert chunked(api, b"").status_code == 200
    assert get(api, "0/f").content == b""


def test_a_chunked_body_with_length_and_digest_is_checked(api: Api) -> None:
    """Length and SHA-256 are compared before the file is published."""
    digest = b64encode(hashlib.sha256(b"data").digest()).decode()
    said = {"x-expected-entity-length": "4", "content-digest": f"sha-256=:{digest}:"}
    for body in (b"dat", b"data!", b"dato"):
        assert chunked(api, body, **said).status_code == 400
        assert stored(api) == []
    assert chunked(api, b"data", **said).status_code == 200
    assert get(api, "0/f").content == b"data"


def test_a_declared_digest_is_checked_with_a_length_too(api: Api) -> None:
    """Any upload may carry a digest."""
    wrong = b64encode(hashlib.sha256(b"other").digest()).decode()
    refused = put(api, "0/f", b"data", **{"content-digest": f"sha-256=:{wrong}:"})
    assert refused.status_code == 400
    assert stored(api) == []


@pytest.mark.parametrize(
    ("wanted", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-4", 206, b"4", "bytes 4-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 200, b"0123456789", None),
        ("bytes=0-", 200, b"0123456789", None),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=5-4", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("bytes=x-", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=" + "9" * 30 + "-", 200, b"0123456789", None),
    ],
)
def test_ranges(
    api: Api, wanted: str, status: int, body: bytes | None, content_range: str | None
) -> None:
    """One range gives its part, none within the file a 416, and any other form the whole."""
    put(api, "0/f", b"0123456789")
    found = get(api, "0/f", range=wanted)
    assert found.status_code == status
    assert found.headers.get("content-range") == content_range
    assert found.content == body or (status == 416 and found.json["error_code"])
    if body is not None:
        assert found.headers["content-length"] == str(len(body))
        assert found.headers["accept-ranges"] == "bytes"


def test_a_range_of_a_certain_version_gets_the_whole_file(api: Api) -> None:
    """We have no version to compare If-Range with, so the part could belong to another."""
    put(api, "0/f", b"0123456789")
    found = get(api, "0/f", **{"range": "bytes=0-3", "if-range": '"etag"'})
    assert (found.status_code, found.content) == (200, b"0123456789")


def test_head_tells_the_size_and_sends_nothing(api: Api) -> None:
    """HEAD has the headers of GET."""
    put(api, "0/f.bin", b"0123456789")
    head = api.client.simulate_head(url("0/f.bin"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == "10"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt", "text/plain; charset=utf-8"),
        ("MLmodel", "text/plain; charset=utf-8"),
        ("a.json", "text/plain; charset=utf-8"),
        ("a.html", "text/plain; charset=utf-8"),
        ("a.svg", "text/plain; charset=utf-8"),
        ("a.js", "text/plain; charset=utf-8"),
        ("a.png", "image/png"),
        ("a.css", "application/octet-stream"),
        ("a.tar.gz", "application/octet-stream"),
        ("a.pkl", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_download_never_runs_in_a_browser(api: Api, name: str, kind: str) -> None:
    """The type is guessed from the name, never the uploader's, and it is saved, not shown."""
    put(api, f"0/{name}", b"<script>", **{"content-type": "text/html"})
    headers = get(api, f"0/{name}").headers
    assert headers["content-type"] == kind
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"


def test_a_file_name_cannot_break_out_of_its_header(api: Api) -> None:
    """Quotes are replaced, and other Unicode is encoded."""
    put(api, "0/a%22b%C3%A9;.txt", b"x")
    disposition = get(api, "0/a%22b%C3%A9;.txt").headers["content-disposition"]
    assert disposition == (
        "attachment; filename=\"a_b_;.txt\"; filename*=UTF-8''a%22b%C3%A9%3B.txt"
    )


def test_missing_files_and_folders(api: Api) -> None:
    """A missing file is a 404, a folder no file, and deleting what is missing no error."""
    put(api, "0/d/f", b"x")
    assert get(api, "0/nope").status_code == 404
    assert get(api, "0/nope").json["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert get(api, "0/d").status_code == 404
    assert put(api, "0/d", b"x").status_code == 400
    assert put(api, "0/d/f/g", b"x").status_code == 400
    assert api.client.simulate_delete(url("0/nope")).status_code == 200
    assert api.client.simulate_delete(url("0/d/")).status_code == 200
    assert stored(api) == []


def test_listing_one_level(api: Api) -> None:
    """Files and folders of one level, by name; what is missing or a file has none."""
    for path in ("0/b", "0/a/x", "0/a/y", "0/c"):
        put(api, path, b"12")
    listed = api.ok(api.client.simulate_get(PROXY, params={"path": "0"}))
    assert listed["files"] == [
        {"path": "a", "is_dir": True},
        {"path": "b", "is_dir": False, "file_size": 2},
        {"path": "c", "is_dir": False, "file_size": 2},
    ]
    assert api.ok(api.client.simulate_get(PROXY))["files"] == [{"path": "0", "is_dir": True}]
    for path in ("0/b", "nope"):
        assert api.ok(api.client.simulate_get(PROXY, params={"path": path})) == {}


def test_a_long_listing_is_whole(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's clients know no next page, so one reply has all entries."""
    monkeypatch.setattr(trackstore.limits, "PAGE", 2)
    for number in range(5):
        put(api, f"0/{number}", b"")
    listed = api.ok(api.client.simulate_get(PROXY, params={"path": "0"}))
    assert [each["path"] for each in listed["files"]] == list("01234")


def test_listing_a_run(api: Api) -> None:
    """Paths are relative to the run's own root, which the reply names."""
    ident = api.run()
    root = f"0/{ident}/artifacts"
    put(api, f"{root}/d/f", b"123")
    listed = api.ok(api.get("artifacts/list", run_id=ident, path="d"))
    assert listed == {
        "root_uri": f"mlflow-artifacts:/{root}",
        "files": [{"path": "d/f", "is_dir": False, "file_size": 3}],
    }
    assert api.ok(api.get("artifacts/list", run_uuid=ident, path="nope")).keys() == {"root_uri"}
    assert api.get("artifacts/list", run_id=ident, path="../x").status_code == 400
    assert api.get("artifacts/list", run_id="nope").status_code == 404


def test_an_overwrite_while_a_download_begins_is_not_mixed_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size that is announced belongs to the bytes that are sent."""
    put(api, "0/f", b"short")
    genuine = ArtifactFolder.get

    def overwriting(
        folder: ArtifactFolder, path: str, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        monkeypatch.setattr(ArtifactFolder, "get", genuine)
        put(api, "0/f", b"a longer text")
        return folder.get(path, start, length)

    monkeypatch.setattr(ArtifactFolder, "get", overwriting)
    found = get(api, "0/f")
    assert (found.status_code, found.content) == (200, b"a longer text")
    assert found.headers["content-length"] == "13"
