"""What neither server of S3's protocol can show, and what the suite does not ask."""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import pytest

from provision.buckets import BUCKET
from provision.s3 import CREDENTIALS, S3Server
from provision.stub import Reply, Stub, stub
from trackstore.errors import (
    BackendError,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore

PART = bytes(range(256)) * (8 << 12)  # 8 MiB
VERBS: dict[str, Callable[[ArtifactStore], object]] = {
    "GET": lambda store: store.get("a"),
    "PUT": lambda store: store.put("a", [b"1"]),
    "LIST": lambda store: store.scan("", None, 1, deep=True),
    "DELETE": lambda store: store.delete("a/b"),
}
OK = Reply(200, b"", {"ETag": '"1"'})


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", "MLFLOW_S3_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)


def open_stub(server: Stub, options: str = "") -> Any:
    return open_artifact_store(
        f"s3://bucket/folder?endpoint={server.endpoint}&region=us-east-1&timeout=2{options}"
    )


def refusal(code: str, status: int) -> Reply:
    told = f"<Error><Code>{code}</Code><Message>hidden bucket folder</Message></Error>"
    return Reply(status, told.encode(), {"Content-Type": "application/xml"})


@pytest.mark.parametrize(
    "wrong",
    [
        "s3://",
        "s3:///prefix",
        "s3://user:secret@bucket/p",
        "s3://bucket:80/p",
        "s3://bucket/p#f",
        "s3://bucket/a/../b",
        "s3://bucket/a//b",
        "s3://bucket/%ff",
        "s3://bucket/p?timeout=0",
        "s3://bucket/p?timeout=x",
        "s3://bucket/p?listing=backwards",
        "s3://bucket/p?region=a&region=b",
        "s3://bucket/p?regoin=a",
        "s3://bucket/p?ServerSideEncyption=aws:kms",
        "s3://bucket/p?SSECustomerKey=secret",
    ],
)
def test_a_url_that_is_wrong_is_refused_at_once(wrong: str) -> None:
    """A misspelt encryption would be none; and nothing of a URL is told that may be a secret."""
    with pytest.raises(InvalidRequest) as caught:
        open_artifact_store(wrong)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["{", "[]", '{"Nonsense": "1"}', '{"Key": "b"}'])
def test_extra_arguments_that_are_wrong_are_refused(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is MLflow's own."""
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", wrong)
    with pytest.raises(InvalidRequest):
        open_artifact_store("s3://bucket")


def test_variables_and_options_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of MLflow: the endpoint, the owner, encryption, which the URL may add to."""
    with stub(OK) as server:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", server.endpoint)
        monkeypatch.setenv("MLFLOW_S3_EXPECTED_BUCKET_OWNER", "12345")
        monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", '{"ServerSideEncryption": "aws:kms"}')
        with open_artifact_store("s3://bucket/a%20b?region=x-1&SSEKMSKeyId=k1") as store:
            store.put("c d", [b"1"], if_absent=True)
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("PUT", "/bucket/a%20b/c%20d")
    sent = {name.lower(): value for name, value in asked.headers.items()}
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "k1"
    assert sent["x-amz-expected-bucket-owner"] == "12345"
    assert sent["if-none-match"] == "*"
    assert sent["x-amz-checksum-crc32"]
    assert "/x-1/s3/" in sent["authorization"]
    assert "expect" not in sent


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("reply", "kind", "hint"),
    [
        (refusal("AccessDenied", 403), PermissionDenied, "s3:"),
        (refusal("InvalidAccessKeyId", 403), PermissionDenied, "AWS_ACCESS_KEY_ID"),
        (refusal("SignatureDoesNotMatch", 403), PermissionDenied, "AWS_SECRET_ACCESS_KEY"),
        (refusal("ExpiredToken", 400), PermissionDenied, "expired"),
        (refusal("RequestTimeTooSkewed", 403), PermissionDenied, "clock"),
        (refusal("NoSuchBucket", 404), BackendError, "make it"),
        (refusal("AuthorizationHeaderMalformed", 400), BackendError, "region"),
        (refusal("SlowDown", 503), Unavailable, "try again"),
        (refusal("InternalError", 500), Unavailable, "try again"),
        (refusal("hidden &lt;odd&gt;", 418), BackendError, ""),
        (Reply(200, b"<html>", {"Content-Length": "6000"}), Unavailable, "try again"),
    ],
    ids=str,
)
def test_a_refusal_says_what_to_do(
    verb: str, reply: Reply, kind: type[TrackstoreError], hint: str
) -> None:
    """It names the store and the verb, and neither bucket, key nor the service's own words."""
    if reply.status == 200 and verb == "GET":
        pytest.skip("N/A: a get reads what it is told to be there")
    with stub(reply) as server, open_stub(server) as store, pytest.raises(kind) as caught:
        VERBS[verb](store)
    said = str(caught.value)
    assert said.startswith("s3 ")
    assert hint in said
    for secret in ("hidden ", "bucket folder", "folder/", "testing", server.endpoint):
        assert secret not in said
    is_unknown = verb == "PUT" and (reply.status >= 500 or reply.status == 200)
    assert caught.value.outcome == ("unknown" if is_unknown else "none")


def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with stub(OK) as server, open_stub(server) as store, pytest.raises(PermissionDenied) as caught:
        store.put("a", [b"1"])
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert server.asked == []


def test_a_service_that_is_busy_is_asked_again() -> None:
    """One 503 is not the caller's matter."""
    with stub(refusal("SlowDown", 503), OK) as server, open_stub(server) as store:
        store.put("a", [b"1"])
    assert [asked.method for asked in server.asked] == ["PUT", "PUT"]


@pytest.fixture
def place(seaweedfs: S3Server) -> Iterator[tuple[ArtifactStore, Any, str]]:
    """A store on a real server, a client of that, and the prefix."""
    prefix = f"t{uuid4().hex}"
    client = seaweedfs.client()
    with open_artifact_store(seaweedfs.url(prefix)) as store:
        yield store, client, prefix
    client.close()


def uploads(client: Any, prefix: str) -> list[Any]:
    found: list[Any] = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix).get(
        "Uploads", []
    )
    return found


def test_a_large_file_goes_in_parts(place: tuple[ArtifactStore, Any, str]) -> None:
    """With a checksum of the whole, which the service has compared."""
    store, client, prefix = place
    store.put("a", [PART, PART[:-1], b"12"])
    found = client.head_object(Bucket=BUCKET, Key=f"{prefix}/a", ChecksumMode="ENABLED")
    assert found["ETag"].endswith('-3"')
    assert found["ChecksumType"] == "FULL_OBJECT"
    assert b"".join(store.get("a")) == PART + PART[:-1] + b"12"
    assert uploads(client, prefix) == []


def test_a_failed_upload_leaves_no_part(place: tuple[ArtifactStore, Any, str]) -> None:
    """Whether its source fails, or another has created the file meanwhile."""
    store, client, prefix = place

    def failing() -> Iterator[bytes]:
        yield from (PART, PART, PART)
        raise KeyError

    def overtaken() -> Iterator[bytes]:
        yield from (PART, PART)
        store.put("a", [b"first"])

    with pytest.raises(KeyError):
        store.put("a", failing())
    with pytest.raises(TrackstoreError, match="is there"):
        store.put("a", overtaken(), if_absent=True)
    assert b"".join(store.get("a")) == b"first"
    assert uploads(client, prefix) == []


def test_wrong_keys_are_refused_by_a_real_server(
    seaweedfs: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the error says which setting to look at."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with open_artifact_store(seaweedfs.url("x")) as store:
        for call in VERBS.values():
            with pytest.raises(PermissionDenied, match="AWS_SECRET_ACCESS_KEY"):
                call(store)


def test_a_tree_that_is_listed_as_keys_is_refused(seaweedfs: S3Server) -> None:
    """Rather than listed in a wrong order, or with a file passed over."""
    url = seaweedfs.url(f"t{uuid4().hex}")
    with open_artifact_store(url) as store:
        for path in ("a", "a/b", "a-b"):
            store.put(path, [b"1"])
        assert [info.path for info in store.scan("", None, 9, deep=True).items] == [
            "a",
            "a-b",
            "a/b",
        ]
    with (
        open_artifact_store(url.replace("listing=folders", "listing=keys")) as store,
        pytest.raises(BackendError, match="listing=folders"),
    ):
        store.scan("", None, 9, deep=True)


def test_signed_urls_carry_what_must_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encryption is a part of the signature, so that no client can leave it out."""
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", '{"ServerSideEncryption": "AES256"}')
    with stub(OK) as server, open_stub(server) as store:
        signed = store.sign_url("a b", "PUT", 60)
        with pytest.raises(LimitExceeded):
            store.sign_url("a", "GET", 604_801)
        with pytest.raises(LimitExceeded):
            store.begin_upload("a", 10_001, 60)
    parts = urlsplit(signed.url)
    assert parts.path == f"/bucket/folder/{quote('a b')}"
    query = parse_qs(parts.query)
    assert query["X-Amz-Expires"] == ["60"]
    assert "x-amz-server-side-encryption" in query["X-Amz-SignedHeaders"][0].split(";")
    assert signed.headers == {"x-amz-server-side-encryption": "AES256"}
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in signed.url
    assert server.asked == []


def test_an_upload_id_that_was_made_up_is_not_asked_for() -> None:
    """It is refused before it becomes a part of a request."""
    with stub(OK) as server, open_stub(server) as store:
        for made_up in ("", "1", "1-x-y", f"1-{'0' * 32}-a/../b", f"0-{'0' * 32}-a"):
            with pytest.raises(NotFound):
                store.finish_upload("a", made_up, ['"1"'])
            store.abort_upload("a", made_up)
    assert server.asked == []


def test_nothing_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    """No line of ours, and no repr, holds the URL or a key."""
    caplog.set_level(logging.INFO)
    with stub(OK) as server, open_stub(server) as store:
        store.put("a", [b"1"])
        shown = f"{store!r} {caplog.text}"
    for secret in ("bucket", server.endpoint, *CREDENTIALS.values()):
        assert secret not in shown
