"""What the suite does not ask of stores in Azure: addresses, credentials, blocks, signed URLs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from provision.azure import ACCOUNT, KEY, Azurite
from provision.buckets import BUCKET
from provision.processes import wait_for
from provision.stub import Reply, Stub, stub
from trackstore.abilities import SignsUploads, SignsURLs
from trackstore.errors import (
    AlreadyExists,
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
from trackstore_backends.azure.options import Place, parse

MB = 1 << 20
LARGE = bytes(range(256)) * (20 * MB // 256) + b"end"
SECRET = "c2VjcmV0"
VARIABLES = ("CONNECTION_STRING", "ACCOUNT", "ACCESS_KEY", "KEY", "SAS_TOKEN")
VERBS: dict[str, Callable[[ArtifactStore], object]] = {
    "GET": lambda store: store.get("a"),
    "HEAD": lambda store: store.stat("a"),
    "PUT": lambda store: store.put("a", [b"1"]),
    "LIST": lambda store: store.scan("", None, 1, deep=True),
    "DELETE": lambda store: store.delete("a/b"),
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Begin with none of the variables that Azure's tools know."""
    for name in VARIABLES:
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    return monkeypatch


@pytest.fixture
def keyed(bare: pytest.MonkeyPatch, azurite: Azurite) -> Azurite:
    bare.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    return azurite


def place_of(url: str) -> Place:
    return parse(url)[0]


def open_stub(server: Stub) -> ArtifactStore:
    return open_artifact_store(
        f"az://bucket/folder?endpoint={server.endpoint}&account=name&auth=anonymous&timeout=1"
    )


@pytest.mark.parametrize(
    "url",
    [
        "az:container",
        "az:///secret",
        "az://user:secret@container?account=name",
        "az://container:80/secret?account=name",
        "az://Secret?account=name",
        "az://ab?account=name",
        "az://container/../secret?account=name",
        "az://container#secret",
        "az://container?account=secret-1",
        "az://container?account=name&secret=1",
        "az://container?account=name&tier=secret",
        "az://container/no-account",
        "wasbs://container/secret",
        "wasbs://container@name.blob.example.org/secret",
        "wasbs://container@name.blob.core.windows.net.example.org/secret",
        "wasbs://container@name.blob.core.windows.net?account=secret",
    ],
)
def test_a_url_that_means_nothing_is_refused(url: str) -> None:
    """At once, and without repeating what may be a secret."""
    with pytest.raises(InvalidRequest) as caught:
        open_artifact_store(url)
    assert "secret" not in str(caught.value).replace("'secret'", "")


def test_where_an_account_is(bare: pytest.MonkeyPatch) -> None:
    """In the URL, else in a variable, else in a connection string, which may have its own host."""
    host = "https://name.blob.core.windows.net"
    assert place_of("wasbs://box@name.blob.core.windows.net/f").endpoint == host
    assert place_of("az://box?account=name").endpoint == host
    assert place_of("az://box?account=name&endpoint=http://127.0.0.1:1/x").endpoint[-2:] == "/x"
    text = f"AccountName=other;AccountKey={SECRET};EndpointSuffix=core.chinacloudapi.cn"
    bare.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    found = place_of("az://box")
    assert (found.endpoint, found.account) == ("https://other.blob.core.chinacloudapi.cn", "other")
    bare.setenv("AZURE_STORAGE_ACCOUNT", "name")
    assert place_of("az://box").endpoint == host


def test_which_credentials_are_used(bare: pytest.MonkeyPatch) -> None:
    """The key of a connection string for its own account alone; a key before a SAS token."""
    assert place_of("az://box?account=name").credential == "token"
    bare.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=1")
    found = place_of("az://box?account=name")
    assert (found.credential, found.key) == ("sig=1", None)
    bare.setenv("AZURE_STORAGE_CONNECTION_STRING", f"AccountName=other;AccountKey={SECRET}")
    assert place_of("az://box?account=name").credential == "sig=1"
    assert place_of("az://box?account=other").key == SECRET
    assert place_of("az://box?account=other&auth=anonymous").credential is None
    bare.setenv("AZURE_STORAGE_ACCESS_KEY", "a2V5")
    assert place_of("az://box?account=name").credential == "a2V5"


def test_no_object_of_the_store_shows_a_secret(bare: pytest.MonkeyPatch) -> None:
    """Neither the store nor what it is made of."""
    bare.setenv("AZURE_STORAGE_ACCESS_KEY", SECRET)
    place, _ = parse("az://box?account=name")
    with open_artifact_store("az://box?account=name") as store:
        assert SECRET not in repr((store, place, place.options, vars(store)["_connection"]))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("status", "code", "kind", "advice"),
    [
        (403, "AuthenticationFailed", PermissionDenied, "AZURE_STORAGE_ACCESS_KEY"),
        (403, "AuthorizationPermissionMismatch", PermissionDenied, "needed on the container"),
        (404, "ContainerNotFound", BackendError, "make it"),
        (503, "ServerBusy", Unavailable, "try again"),
        (418, "Teapot", BackendError, "refused it (Teapot)"),
    ],
)
def test_refusals_name_the_store_the_verb_and_what_to_do(
    verb: str, status: int, code: str, kind: type[TrackstoreError], advice: str
) -> None:
    """Whatever the service says in its own words is not repeated."""
    text = f"<Error><Code>{code}</Code><Message>a secret</Message></Error>".encode()
    refusal = Reply(status, text, {"x-ms-error-code": code, "Content-Type": "application/xml"})
    with stub(refusal) as server, open_stub(server) as store, pytest.raises(kind) as caught:
        VERBS[verb](store)
    assert f"az {'LIST' if verb == 'DELETE' else verb}:" in str(caught.value)
    assert advice in str(caught.value)
    assert "secret" not in str(caught.value)
    is_lost = kind is Unavailable and verb == "PUT"
    assert caught.value.outcome == ("unknown" if is_lost else "none")


def test_a_wrong_key_is_refused(bare: pytest.MonkeyPatch, azurite: Azurite) -> None:
    """By every verb, with what to look at, and without the key."""
    bare.setenv("AZURE_STORAGE_ACCESS_KEY", SECRET)
    with open_artifact_store(azurite.url("x")) as store:
        for call in VERBS.values():
            with pytest.raises(PermissionDenied, match="AZURE_STORAGE_ACCESS_KEY") as caught:
                call(store)
            assert SECRET not in str(caught.value)


def test_a_missing_container_is_no_missing_artifact(keyed: Azurite) -> None:
    """What to do about it is said."""
    url = keyed.url("x").replace("az://suite/", "az://no-such-container/")
    with open_artifact_store(url) as store:
        for verb in ("PUT", "GET", "LIST"):
            with pytest.raises(BackendError, match=f"az {verb}: there is no such container"):
                VERBS[verb](store)


def test_without_credentials_it_says_which_there_may_be(azurite: Azurite) -> None:
    """At the first call; a URL may be named without them."""
    with open_artifact_store(azurite.url("x")) as store:
        with pytest.raises(PermissionDenied, match="AZURE_STORAGE_CONNECTION_STRING"):
            store.stat("a")
        assert not isinstance(store, SignsURLs | SignsUploads)


def test_a_sas_token_is_enough(bare: pytest.MonkeyPatch, azurite: Azurite) -> None:
    """It reads, writes and lists, and signs nothing."""
    token = generate_container_sas(
        ACCOUNT,
        BUCKET,
        account_key=KEY,
        permission=ContainerSasPermissions(read=True, write=True, list=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    bare.setenv("AZURE_STORAGE_SAS_TOKEN", token)
    with open_artifact_store(azurite.url("sas")) as store:
        store.put("f/ä b", [b"1"])
        assert b"".join(store.get("f/ä b")) == b"1"
        assert [info.path for info in store.scan("", None, 9, deep=True).items] == ["f/ä b"]
        assert not isinstance(store, SignsURLs)
        with pytest.raises(PermissionDenied, match="Delete is needed"):
            store.delete("f")


def test_large_files_come_back(keyed: Azurite) -> None:
    """In blocks; whole and in part; one that is there is not created again."""
    with open_artifact_store(keyed.url("large")) as store:
        store.put("a", (LARGE[at : at + MB] for at in range(0, len(LARGE), MB)))
        assert b"".join(store.get("a")) == LARGE
        assert b"".join(store.get("a", 8 * MB - 5, 10)) == LARGE[8 * MB - 5 : 8 * MB + 5]
        with pytest.raises(AlreadyExists):
            store.put("a", [LARGE, b"2"], if_absent=True)
        assert store.stat("a").size == len(LARGE)


def test_a_large_upload_that_is_cut_is_not_seen(keyed: Azurite) -> None:
    """Neither as a new file nor in the place of an old one."""

    def broken() -> Iterator[bytes]:
        yield LARGE
        raise LookupError

    with open_artifact_store(keyed.url("cut")) as store:
        with pytest.raises(LookupError):
            store.put("a", broken())
        assert store.scan("", None, 9, deep=True).items == []
        store.put("a", [b"old"])
        with pytest.raises(LookupError):
            store.put("a", broken())
        assert b"".join(store.get("a")) == b"old"


def test_of_two_large_uploads_the_slower_is_told(keyed: Azurite) -> None:
    """The first commit takes the other's blocks away: it fails, and the file is whole."""
    with open_artifact_store(keyed.url("two")) as store, open_artifact_store(keyed.url("two")) as b:

        def slow() -> Iterator[bytes]:
            yield LARGE
            b.put("a", [b"2" * len(LARGE)])
            yield LARGE

        with pytest.raises(Unavailable, match="others write this artifact"):
            store.put("a", slow())
        assert b"".join(store.get("a")) == b"2" * len(LARGE)


def test_signed_urls_are_good_for_one_verb_path_and_time(keyed: Azurite) -> None:
    """What is sent to one is there; anything else is refused."""
    with open_artifact_store(keyed.url("signed")) as store:
        assert isinstance(store, SignsURLs)
        put = store.sign_url("f/ä b", "PUT", 60)
        headers = dict(put.headers)
        sent = requests.put(put.url, data=b"sent", headers=headers, timeout=5)
        assert sent.ok, sent.text
        assert b"".join(store.get("f/ä b")) == b"sent"
        get = store.sign_url("f/ä b", "GET", 60)
        assert requests.get(get.url, timeout=5).content == b"sent"
        assert requests.put(get.url, data=b"x", headers=headers, timeout=5).status_code == 403
        assert requests.get(put.url, timeout=5).status_code == 403
        elsewhere = get.url.replace("/f/", "/g/")
        assert requests.get(elsewhere, timeout=5).status_code == 403
        for seconds in (0, 7 * 24 * 3_600 + 1):
            with pytest.raises(LimitExceeded):
                store.sign_url("a", "GET", seconds)
        short = store.sign_url("f/ä b", "GET", 1)

        def is_over() -> bool:
            return requests.get(short.url, timeout=5).status_code == 403

        wait_for(is_over, 20, lambda: "it is still good")


def send(parts: list[tuple[str, bytes]]) -> list[str]:
    sent = [requests.put(url, data=data, timeout=5) for url, data in parts]
    assert all(each.ok for each in sent), [each.text for each in sent]
    return [each.headers.get("ETag", "") for each in sent]


def test_a_client_sends_the_parts_of_a_file(keyed: Azurite) -> None:
    """They are seen when the upload is finished, which is once."""
    with open_artifact_store(keyed.url("parts")) as store:
        assert isinstance(store, SignsUploads)
        begun = store.begin_upload("f/ä", 3, 60)
        pieces = [b"1" * 5, b"2" * 7, b"3"]
        tags = send([(part.url, data) for part, data in zip(begun.parts, pieces, strict=True)])
        assert store.scan("", None, 9, deep=True).items == []
        with pytest.raises(NotFound):
            store.finish_upload("f/other", begun.id, tags)
        with pytest.raises(InvalidRequest, match="3 parts"):
            store.finish_upload("f/ä", begun.id, tags[:2])
        assert store.finish_upload("f/ä", begun.id, tags).size == 13
        assert b"".join(store.get("f/ä")) == b"".join(pieces)
        with pytest.raises(NotFound):
            store.finish_upload("f/ä", begun.id, tags)


def test_an_upload_with_a_part_missing_is_not_finished(keyed: Azurite) -> None:
    """Nor is one that nobody began; what was there stays."""
    with open_artifact_store(keyed.url("missing-part")) as store:
        assert isinstance(store, SignsUploads)
        store.put("a", [b"old"])
        begun = store.begin_upload("a", 2, 60)
        send([(begun.parts[1].url, b"2")])
        with pytest.raises(InvalidRequest, match="1 of the upload's 2 parts are missing"):
            store.finish_upload("a", begun.id, ["", ""])
        forged = begun.id.replace("2-", "1-", 1)
        for upload_id in ("", "x", forged, begun.id + "0"):
            with pytest.raises(NotFound):
                store.finish_upload("a", upload_id, [""])
            store.abort_upload("a", upload_id)
        for parts in (0, 50_001):
            with pytest.raises(LimitExceeded):
                store.begin_upload("a", parts, 60)
        assert b"".join(store.get("a")) == b"old"


def test_an_upload_that_was_aborted_is_over(keyed: Azurite) -> None:
    """Its parts, which the service cannot drop one by one, are never published."""
    with open_artifact_store(keyed.url("aborted")) as store:
        assert isinstance(store, SignsUploads)
        begun = store.begin_upload("a", 1, 60)
        send([(begun.parts[0].url, b"1")])
        store.abort_upload("a", begun.id)
        store.abort_upload("a", begun.id)
        with pytest.raises(NotFound):
            store.finish_upload("a", begun.id, [""])
        assert store.scan("", None, 9, deep=True).items == []
        store.put("a", [b"new"])
        assert b"".join(store.get("a")) == b"new"


def test_a_listing_begins_where_the_page_before_ended() -> None:
    """The emulator always begins at the first name; Azure is told where to begin."""
    empty = b"<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>"
    with stub(Reply(200, empty, {"Content-Type": "application/xml"})) as server:
        with open_stub(server) as store:
            store.scan("f", "f/b", 10, deep=True)
        asked = server.asked[-1].query
    assert (asked["startFrom"], asked["prefix"]) == (["folder/f/b"], ["folder/f/"])
