"""What an emulator of Google Cloud Storage cannot show, and what the suite does not ask."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from provision.gcs import FakeGCS
from provision.stub import Reply, Stub, stub
from trackstore.abilities import SignsURLs
from trackstore.errors import (
    BackendError,
    Conflict,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
)
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore

MB = 1 << 20
LARGE = bytes(range(256)) * (20 * MB // 256) + b"end"
OBJECT = Reply(body=b'{"generation": "7", "size": "1", "metadata": {}}')
VERBS: dict[str, Callable[[ArtifactStore], object]] = {
    "GET": lambda store: store.get("a"),
    "HEAD": lambda store: store.stat("a"),
    "PUT": lambda store: store.put("a", [b"1"]),
    "LIST": lambda store: store.scan("", None, 1, deep=True),
    "DELETE": lambda store: store.delete("a/b"),
}


def open_stub(server: Stub, **options: str) -> ArtifactStore:
    text = "&".join(f"{name}={value}" for name, value in {"timeout": "1", **options}.items())
    return open_artifact_store(
        f"gs://bucket/folder?endpoint={server.endpoint}&auth=anonymous&{text}"
    )


def crc32c(whole: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(whole).digest()).decode()


def media(whole: bytes, told: str | None = None) -> Reply:
    sums = {"X-Goog-Generation": "7", "X-Goog-Hash": f"crc32c={told or crc32c(whole)},md5=x"}
    return Reply(200, whole, sums)


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key of a service account that nobody knows."""
    key = rsa.generate_private_key(65_537, 2_048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    told = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": text.decode(),
        "client_email": "robot@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file = tmp_path / "key.json"
    file.write_text(json.dumps(told))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return file


@pytest.mark.parametrize(
    "url",
    [
        "gs:bucket",
        "gs:///secret",
        "gs://user:secret@bucket",
        "gs://bucket:80/secret",
        "gs://bucket/a/../secret",
        "gs://bucket#secret",
        "gs://bucket?secret",
        "gs://bucket?secret=1",
        "gs://bucket?timeout=secret",
        "gs://bucket?timeout=0",
        "gs://bucket?auth=secret",
        "gs://bucket?timeout=1&timeout=secret",
        "gs://bucket/%ff/secret",
    ],
)
def test_a_url_that_means_nothing_is_refused(url: str) -> None:
    """At once, and without repeating what may be a secret."""
    with pytest.raises(InvalidRequest) as caught:
        open_artifact_store(url)
    assert "secret" not in str(caught.value).replace("'secret'", "")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (401, PermissionDenied, "GOOGLE_APPLICATION_CREDENTIALS"),
        (403, PermissionDenied, "storage.objects."),
        (429, Unavailable, "try again"),
        (503, Unavailable, "try again"),
        (418, BackendError, "refused it (418)"),
    ],
)
def test_refusals_name_the_store_the_verb_and_what_to_do(
    verb: str, status: int, kind: type[TrackstoreError], advice: str
) -> None:
    """Whatever the service says in its own words is not repeated."""
    with (
        stub(Reply(status, b"a secret")) as server,
        open_stub(server) as store,
        pytest.raises(kind) as caught,
    ):
        VERBS[verb](store)
    assert f"gs {'LIST' if verb == 'DELETE' else verb}:" in str(caught.value)
    assert advice in str(caught.value)
    assert "secret" not in str(caught.value)
    is_lost = kind is Unavailable and verb == "PUT"
    assert caught.value.outcome == ("unknown" if is_lost else "none")


@pytest.mark.parametrize("verb", ["PUT", "LIST"])
def test_a_missing_bucket_is_no_missing_artifact(verb: str, fake_gcs: FakeGCS) -> None:
    """What to do about it is said."""
    url = fake_gcs.url("x").replace("gs://suite/", "gs://no-such-bucket/")
    told = pytest.raises(BackendError, match=f"gs {verb}: there is no such bucket")
    with open_artifact_store(url) as store, told:
        VERBS[verb](store)


def test_a_key_that_is_no_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is missing or broken is found by the first call."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    told = pytest.raises(PermissionDenied, match="GOOGLE_APPLICATION_CREDENTIALS")
    with open_artifact_store("gs://bucket/folder") as store, told as caught:
        store.stat("a")
    assert str(tmp_path) not in str(caught.value)


def test_a_create_only_put_asks_for_generation_zero() -> None:
    """In one request or in many, where the emulator does not always look at it."""
    with stub(OBJECT) as server, open_stub(server) as store:
        store.put("a", [b"1"], if_absent=True)
        assert server.asked[-1].query["ifGenerationMatch"] == ["0"]
        store.put("a", [b"1"])
        assert "ifGenerationMatch" not in server.asked[-1].query
    with stub() as server, open_stub(server) as store:
        server.replies += [
            Reply(headers={"Location": f"{server.endpoint}/session"}),
            Reply(308, b"", {"Range": f"bytes=0-{8 * MB - 1}"}),
            OBJECT,
        ]
        store.put("a", [LARGE[: 9 * MB]], if_absent=True)
        assert server.asked[0].query["ifGenerationMatch"] == ["0"]


def test_what_is_sent_has_a_checksum() -> None:
    """The service compares it before anybody sees the file."""
    with stub(OBJECT) as server, open_stub(server, kms_key="k", storage_class="NEARLINE") as store:
        store.put("a", [b"12", b"3"])
        told = json.loads(server.asked[-1].body.split(b"\r\n")[3])
    assert told["crc32c"] == crc32c(b"123")
    assert told["storageClass"] == "NEARLINE"
    assert server.asked[-1].query["kmsKeyName"] == ["k"]
    assert told["name"] == "folder/a"


def test_a_large_upload_goes_on_from_where_the_service_is() -> None:
    """After a failure it asks how much is there; the last request has a checksum of the whole."""
    whole = LARGE[: 9 * MB + 5]
    with stub() as server, open_stub(server) as store:
        server.replies.extend(
            [
                Reply(headers={"Location": f"{server.endpoint}/session"}),
                Reply(503),
                Reply(308, b"", {"Range": f"bytes=0-{MB - 1}"}),
                Reply(308, b"", {"Range": f"bytes=0-{8 * MB - 1}"}),
                Reply(503),
                Reply(308, b"", {"Range": f"bytes=0-{8 * MB - 1}"}),
                OBJECT,
            ]
        )
        assert store.put("a", [whole]).size == len(whole)
        sent = [each for each in server.asked[1:] if each.path == "/session"]
    assert [each.headers["Content-Range"] for each in sent] == [
        f"bytes 0-{8 * MB - 1}/*",
        "bytes */*",
        f"bytes {MB}-{8 * MB - 1}/*",
        f"bytes {8 * MB}-{len(whole) - 1}/{len(whole)}",
        f"bytes */{len(whole)}",
        f"bytes {8 * MB}-{len(whole) - 1}/{len(whole)}",
    ]
    assert sent[2].body == whole[MB : 8 * MB]
    assert sent[-1].headers["X-Goog-Hash"] == f"crc32c={crc32c(whole)}"


def test_an_upload_that_is_cut_is_cancelled(fake_gcs: FakeGCS) -> None:
    """Nothing of it is seen, and what was there stays."""

    def broken() -> Iterator[bytes]:
        yield LARGE
        raise LookupError

    with open_artifact_store(fake_gcs.url("cut")) as store:
        with pytest.raises(LookupError):
            store.put("a", broken())
        assert store.scan("", None, 9, deep=True).items == []
    with stub() as server, open_stub(server) as store:
        place = Reply(headers={"Location": f"{server.endpoint}/session"})
        server.replies.extend([place, Reply(308, b"", {"Range": f"bytes=0-{8 * MB - 1}"})])
        server.replies.extend([Reply(308, b"", {"Range": f"bytes=0-{16 * MB - 1}"}), Reply(499)])
        with pytest.raises(LookupError):
            store.put("a", broken())
        assert (server.asked[-1].method, server.asked[-1].path) == ("DELETE", "/session")


def test_large_files_come_back(fake_gcs: FakeGCS) -> None:
    """Whole and in part."""
    with open_artifact_store(fake_gcs.url("large")) as store:
        store.put("a", (LARGE[at : at + MB] for at in range(0, len(LARGE), MB)))
        assert b"".join(store.get("a")) == LARGE
        assert b"".join(store.get("a", 8 * MB - 5, 10)) == LARGE[8 * MB - 5 : 8 * MB + 5]
        assert store.stat("a").size == len(LARGE)


def test_bytes_that_were_changed_on_their_way_are_found_out() -> None:
    """By the checksum that the service tells of the whole."""
    told = pytest.raises(BackendError, match="another checksum")
    with stub(media(b"1234", crc32c(b"1235"))) as server, open_stub(server) as store, told:
        list(store.get("a"))


def test_a_reader_stays_with_its_generation() -> None:
    """Where a reply ends too soon, the rest of the same one is asked for, or it is a Conflict."""
    half = media(b"1234")._replace(body=b"12")
    half = half._replace(headers={**half.headers, "Content-Length": "4"})
    with stub(half, Reply(404)) as server, open_stub(server) as store:
        reader = store.get("a")
        assert next(reader) == b"12"
        with pytest.raises(Conflict, match="replaced"):
            next(reader)
        assert server.asked[-1].query["generation"] == ["7"]
        assert server.asked[-1].headers["Range"] == "bytes=2-3"


def test_a_path_that_is_too_long_is_told() -> None:
    """By its length in bytes, with the store's prefix."""
    told = pytest.raises(LimitExceeded, match="1,024")
    with open_artifact_store("gs://bucket/folder?auth=anonymous") as store, told:
        store.put("/".join(["x" * 200] * 6), [b"1"])


def test_urls_are_signed_with_the_key_of_a_service_account(
    key_file: Path, fake_gcs: FakeGCS
) -> None:
    """For one verb, path and time; what is sent to them is there, and comes back."""
    url = fake_gcs.url("signed").replace("&auth=anonymous", "")
    with open_artifact_store(url) as store, open_artifact_store(fake_gcs.url("signed")) as other:
        assert isinstance(store, SignsURLs)
        put = store.sign_url("f/ä b", "PUT", 60)
        sent = requests.put(put.url, data=b"sent", headers=dict(put.headers), timeout=5)
        assert sent.ok, sent.text
        assert b"".join(other.get("f/ä b")) == b"sent"
        get = store.sign_url("f/ä b", "GET", 60)
        assert requests.get(get.url, timeout=5).content == b"sent"
        for signed in (put, get):
            assert "X-Goog-Expires=60" in signed.url
            assert "X-Goog-Algorithm=GOOG4-RSA-SHA256" in signed.url
        for seconds in (0, 7 * 24 * 3_600 + 1):
            with pytest.raises(LimitExceeded):
                store.sign_url("a", "GET", seconds)


def test_a_signed_upload_has_to_encrypt_as_the_store_does(key_file: Path) -> None:
    """The headers are a part of what is signed."""
    url = "gs://bucket?kms_key=k&storage_class=NEARLINE&predefined_acl=bucketOwnerRead"
    with open_artifact_store(url) as store:
        assert isinstance(store, SignsURLs)
        signed = store.sign_url("a", "PUT", 60)
    assert signed.headers == {
        "x-goog-encryption-kms-key-name": "k",
        "x-goog-storage-class": "NEARLINE",
        "x-goog-acl": "bucket-owner-read",
    }
    assert "x-goog-encryption-kms-key-name" in signed.url


def test_nothing_is_signed_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ability is not offered, so that a server streams instead."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    for url in ("gs://bucket", "gs://bucket?auth=anonymous"):
        with open_artifact_store(url) as store:
            assert not isinstance(store, SignsURLs)


def test_a_missing_artifact_is_not_found(fake_gcs: FakeGCS) -> None:
    """By every verb that reads."""
    with open_artifact_store(fake_gcs.url("missing")) as store:
        for call in (store.get, store.stat):
            with pytest.raises(NotFound):
                call("a")


def test_no_object_of_the_store_shows_a_secret(key_file: Path) -> None:
    """Neither the store nor its options."""
    with open_artifact_store("gs://bucket?kms_key=secret") as store:
        shown: list[Any] = [store, *vars(store).values()]
        assert "secret" not in repr(shown)
