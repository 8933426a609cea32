"""`fast=yes`: what goes by obstore, and what boto3 is asked for."""

import os
import sys
from threading import Event
from typing import Any

import pytest

from provision.buckets import BUCKET
from provision.s3 import CREDENTIALS, S3Server
from provision.stub import Asked, Reply, stub
from trackstore.errors import Conflict, PermissionDenied, Unavailable, Unsupported
from trackstore.registry import open_artifact_store

WHOLE = bytes(range(256)) * 12_000
TAGGED = {"ETag": '"1"', "Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
OK = Reply(200, b"", TAGGED)
DENIED = Reply(403, b"<Error><Code>AccessDenied</Code></Error>")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", "MLFLOW_S3_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)


def open_fast(endpoint: str, options: str = "") -> Any:
    place = f"s3://bucket/folder?endpoint={endpoint}&region=us-east-1&addressing=path"
    return open_artifact_store(f"{place}&timeout=2&fast=yes{options}")


def headers(asked: Asked) -> dict[str, str]:
    return {name.lower(): value for name, value in asked.headers.items()}


def is_by_boto3(asked: Asked) -> bool:
    return "Boto3" in headers(asked)["user-agent"]


def test_a_small_file_goes_by_obstore() -> None:
    """Under the same name, with the same mark, checked by a sum and signed by boto3's keys."""
    with stub(OK) as server, open_fast(server.endpoint) as store:
        store.put("a b%20/ü", [b"1"], if_absent=True)
    (asked,) = server.asked
    sent = headers(asked)
    assert (asked.method, asked.path) == ("PUT", "/bucket/folder/a%20b%2520/%C3%BC")
    assert asked.body == b"1"
    assert not is_by_boto3(asked)
    assert sent["if-none-match"] == "*"
    assert len(sent["x-amz-meta-trackstore-put"]) == 32
    assert sent["x-amz-checksum-sha256"]
    assert f"Credential={CREDENTIALS['AWS_ACCESS_KEY_ID']}/" in sent["authorization"]


@pytest.mark.parametrize("option", ["&StorageClass=STANDARD_IA", "&checksums=no"])
def test_arguments_of_an_upload_are_not_lost(option: str) -> None:
    """obstore does not know them all, so such an upload goes by boto3."""
    with stub(OK) as server, open_fast(server.endpoint, option) as store:
        store.put("a", [b"1"])
    sent = headers(server.asked[0])
    assert is_by_boto3(server.asked[0]) == ("x-amz-storage-class" in sent) == ("Class" in option)
    assert "checksums=no" not in option or "x-amz-checksum-sha256" not in sent


def test_an_expected_owner_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent with every request, as obstore cannot."""
    monkeypatch.setenv("MLFLOW_S3_EXPECTED_BUCKET_OWNER", "12345")
    with stub(OK) as server, open_fast(server.endpoint) as store:
        store.put("a", [b"1"])
        store.get("a").close()
    assert [headers(each)["x-amz-expected-bucket-owner"] for each in server.asked] == ["12345"] * 2


def test_a_refusal_has_the_words_of_boto3() -> None:
    """And nothing was written, for both were refused."""
    with stub(DENIED) as server, open_fast(server.endpoint) as store:
        with pytest.raises(PermissionDenied, match="s3:PutObject") as told:
            store.put("a", [b"1"])
        assert told.value.outcome == "none"
        with pytest.raises(PermissionDenied, match="s3:GetObject"):
            store.get("a")
    assert [is_by_boto3(each) for each in server.asked] == [False, True, False, True]


def test_a_refusal_after_a_lost_reply_may_have_written() -> None:
    """The first attempt's outcome is not known, whatever the second's is."""
    with (
        stub(Reply(500), DENIED) as server,
        open_fast(server.endpoint) as store,
        pytest.raises(PermissionDenied) as told,
    ):
        store.put("a", [b"1"])
    assert told.value.outcome == "unknown"


def test_a_busy_service_is_asked_again() -> None:
    """obstore asks once, and boto3 as often as it does."""
    with stub(Reply(503), Reply(503), OK) as server, open_fast(server.endpoint) as store:
        store.put("a", [b"1"])
    assert [is_by_boto3(each) for each in server.asked] == [False, True, True]


def test_a_reader_goes_on_where_a_reply_was_cut() -> None:
    """Of the same version, and never of another."""
    size = {"Content-Length": str(len(WHOLE))}
    cut = Reply(200, WHOLE[:2_000_000], {**TAGGED, **size})
    changed = Reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
    with stub(cut, changed) as server, open_fast(server.endpoint) as store:
        reader = store.get("a")
        got: list[bytes] = []
        with pytest.raises(Conflict):
            got.extend(reader)
    come = b"".join(got)
    assert WHOLE.startswith(come)
    assert {headers(each).get("if-match") for each in server.asked[1:]} == {'"1"'}
    assert headers(server.asked[1])["range"] == f"bytes={len(come)}-{len(WHOLE) - 1}"


def test_a_service_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that one reply may take, by each of the two."""
    go_on = Event()
    monkeypatch.setattr("provision.stub.Stub.next_reply", lambda _: go_on.wait(60) and OK)
    with stub(OK) as server, open_fast(server.endpoint) as store:
        with pytest.raises(Unavailable):
            store.get("a")
        go_on.set()
    assert [is_by_boto3(each) for each in server.asked][:2] == [False, True]


def test_a_forked_process_goes_by_boto3(seaweedfs: S3Server) -> None:
    """obstore's threads are not in it: a call would wait for ever, or end the process."""
    with open_artifact_store(seaweedfs.url("fast-fork", fast="yes")) as store:
        store.put("a", [WHOLE])
        pid = os.fork()
        if not pid:
            got = b"".join(store.get("a"))
            store.put("b", [got])
            os._exit(0 if got == WHOLE else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert b"".join(store.get("b")) == WHOLE


def test_it_goes_where_boto3_goes() -> None:
    """With the bucket in the name of the host, or in the path."""
    for options, host, is_virtual in (
        ("region=eu-west-1", f"https://{BUCKET}.s3.eu-west-1.amazonaws.com", True),
        ("region=eu-west-1&addressing=path", "https://s3.eu-west-1.amazonaws.com", False),
        ("region=x&endpoint=http://127.0.0.1:9", "http://127.0.0.1:9", False),
    ):
        with open_artifact_store(f"s3://{BUCKET}/p?{options}&fast=yes") as store:
            config = store._bucket._fast.config  # type: ignore[attr-defined]
        assert config["endpoint"] == host
        assert config["virtual_hosted_style_request"] in (is_virtual, str(is_virtual).lower())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that installs it."""
    monkeypatch.delitem(sys.modules, "trackstore_backends.s3.fast", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(Unsupported, match=r"pip install 'trackstore\[fast\]'"):
        open_artifact_store("s3://bucket/p?fast=yes")
