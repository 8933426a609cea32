"""What the suite does not ask of fsspec stores: their URLs, other protocols, errors and remains."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from provision.daemon import Missing
from provision.sftp import SFTP
from trackstore.abilities import SweepsUploads
from trackstore.errors import (
    AlreadyExists,
    BackendError,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore, Guarantees
from trackstore_backends.fsspec_store.tree import PRIVATE


class OddFileSystem(LocalFileSystem):
    """A protocol that nobody has tested, and that fails as it is told."""

    protocol: ClassVar = "odd"
    failure: ClassVar[Exception | None] = None
    given: ClassVar[dict[str, Any]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__()
        type(self).given = options

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        found: dict[str, Any] = super().info(path, **options)
        return found


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[OddFileSystem]]:
    fsspec.register_implementation("odd", OddFileSystem, clobber=True)
    monkeypatch.setattr(OddFileSystem, "failure", None)
    return OddFileSystem


@pytest.fixture
def sftp() -> Iterator[SFTP]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(SFTP())
        except Missing as error:
            pytest.skip(str(error))


def read(store: ArtifactStore, path: str) -> bytes:
    return b"".join(store.get(path))


def test_what_was_not_tested_is_not_claimed(odd: type[OddFileSystem], tmp_path: Path) -> None:
    """A protocol of which nothing is known takes new files, and refuses to replace or race."""
    with open_artifact_store(f"fsspec+odd://{tmp_path}/store") as store:
        assert store.guarantees == Guarantees(
            durability="none", listing="weak", artifact_overwrite="refused", create_only="none"
        )
        store.put("a/b", [b"first"])
        with pytest.raises(AlreadyExists, match="overwrite=unsafe"):
            store.put("a/b", [b"second"])
        with pytest.raises(Unsupported, match="only if it is absent"):
            store.put("c", [b"1"], if_absent=True)
        assert read(store, "a/b") == b"first"
        assert [info.path for info in store.scan("", None, 9, deep=True).items] == ["a/b"]


def test_the_url_may_ask_for_overwriting(odd: type[OddFileSystem], tmp_path: Path) -> None:
    """What is not known to be safe is done on request, and claims no more for it."""
    with open_artifact_store(f"fsspec+odd://{tmp_path}/store?overwrite=unsafe") as store:
        store.put("a/b", [b"first"])
        store.put("a/b", [b"second"])
        assert read(store, "a/b") == b"second"
        assert store.guarantees.artifact_overwrite == "refused"


def test_a_file_that_is_replaced_is_not_read_on(odd: type[OddFileSystem], tmp_path: Path) -> None:
    """Of a protocol that may not keep an open file, no reader mixes two versions."""
    with open_artifact_store(f"fsspec+odd://{tmp_path}/store?overwrite=unsafe") as store:
        store.put("a", [b"1" * 600_000])
        reader = store.get("a")
        next(reader)
        store.put("a", [b"22"])
        with pytest.raises(Unavailable, match="replaced"):
            next(reader)
        reader.close()


def test_options_are_given_to_the_file_system(odd: type[OddFileSystem], tmp_path: Path) -> None:
    """Numbers, true, false and JSON as such, all else as text."""
    url = f"fsspec+odd://{tmp_path}/store?anon=true&timeout=7&token=ab%26c&more=%7B%22a%22:1%7D"
    with open_artifact_store(url) as store:
        store.scan("", None, 1, deep=True)
    assert odd.given == {"anon": True, "timeout": 7, "token": "ab&c", "more": {"a": 1}}


@pytest.mark.parametrize(
    "url",
    [
        "fsspec:memory",
        "fsspec+memory:/x",
        "fsspec+://x",
        "fsspec+nothing-of-this-name://secret",
        "fsspec+memory://secret*",
        "fsspec+memory://x::file:///secret",
        "fsspec+memory://x#secret",
        "fsspec+memory://x?overwrite=atomic",
        "fsspec+memory://x?secret",
    ],
)
def test_a_url_that_means_nothing_is_refused(url: str) -> None:
    """At once, and without repeating what may be a password."""
    with pytest.raises(InvalidRequest) as caught:
        open_artifact_store(url)
    assert "secret" not in str(caught.value)


def test_a_file_system_that_is_not_installed_is_named() -> None:
    """fsspec says which package has it."""
    with pytest.raises(Unsupported, match=r"webhdfs|dropbox|needs another package"):
        open_artifact_store("fsspec+dropbox://x")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (PermissionError("secret"), PermissionDenied),
        (NotImplementedError("secret"), Unsupported),
        (ConnectionResetError("secret"), Unavailable),
        (TimeoutError("secret"), Unavailable),
        (EOFError("secret"), Unavailable),
        (OSError(errno.ENAMETOOLONG, "secret"), LimitExceeded),
        (OSError("secret"), BackendError),
        (ValueError("secret"), BackendError),
        (type("SSHException", (Exception,), {})("secret"), Unavailable),
        (type("AuthenticationException", (Exception,), {})("secret"), PermissionDenied),
    ],
)
def test_errors_are_translated(
    odd: type[OddFileSystem],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    failure: Exception,
    kind: type[TrackstoreError],
) -> None:
    """Whatever a file system raises is an error of the contract, that names the store."""
    with open_artifact_store(f"fsspec+odd://{tmp_path}/store") as store:
        monkeypatch.setattr(odd, "failure", failure)
        for call in (store.stat, store.get, store.delete, lambda path: store.put(path, [b""])):
            with pytest.raises(kind) as caught:
                call("a")
            assert type(caught.value) is kind
            assert caught.value.__cause__ is failure
            assert "secret" not in str(caught.value)


def test_what_a_killed_upload_left_can_be_swept(tmp_path: Path) -> None:
    """Only what is old enough, and nothing that is an artifact."""
    with open_artifact_store(f"fsspec+file://{tmp_path}/store") as store:
        assert isinstance(store, SweepsUploads)
        assert store.sweep_uploads("", 0) == 0
        store.put("a", [b"1"])
        left = tmp_path / "store" / PRIVATE / "in-0"
        left.write_bytes(b"half")
        assert store.sweep_uploads("", 3_600) == 0
        assert store.sweep_uploads("folder", 0) == 0
        assert store.sweep_uploads("", 0) == 1
        assert not left.exists()
        assert read(store, "a") == b"1"


def test_a_put_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither one that is done nor one whose source fails."""

    def broken() -> Iterator[bytes]:
        yield b"1"
        raise LookupError

    with open_artifact_store(f"fsspec+file://{tmp_path}/store") as store:
        store.put("a", [b"1"])
        with pytest.raises(LookupError):
            store.put("b", broken())
        assert list((tmp_path / "store" / PRIVATE).iterdir()) == []


def test_the_private_folder_is_nobodys(tmp_path: Path) -> None:
    """Its name is refused at every level, in any case."""
    with open_artifact_store(f"fsspec+file://{tmp_path}/store") as store:
        for path in (PRIVATE, f"{PRIVATE}/a", f"a/{PRIVATE.upper()}/b"):
            with pytest.raises(InvalidRequest, match=PRIVATE):
                store.put(path, [b"1"])


def test_files_on_an_sftp_server(sftp: SFTP) -> None:
    """They are put, replaced, created, read in part, listed and deleted; the suite does more."""
    whole = bytes(range(256)) * 4_000
    with (
        open_artifact_store(sftp.url("store")) as store,
        open_artifact_store(sftp.url("store")) as b,
    ):
        store.put("f/a", [whole[:10]])
        store.put("f/a", [whole])
        assert b"".join(b.get("f/a", 300_000, 400_000)) == whole[300_000:700_000]
        with pytest.raises(AlreadyExists):
            b.put("f/a", [b""], if_absent=True)
        b.put("f/b", [b"1"], if_absent=True)
        assert [info.path for info in store.scan("", None, 9, deep=True).items] == ["f/a", "f/b"]
        store.delete("f")
        with pytest.raises(NotFound):
            b.stat("f")


def test_an_sftp_server_that_was_away_is_found_again(sftp: SFTP) -> None:
    """A call meanwhile is `Unavailable`, and the same handle then goes on."""
    with open_artifact_store(sftp.url("store")) as store:
        store.put("a", [b"1"])
        sftp.kill()
        with pytest.raises(Unavailable):
            store.stat("a")
        sftp.start()
        assert read(store, "a") == b"1"


def test_an_sftp_server_refuses_another_key(sftp: SFTP) -> None:
    """The error says what to look at, and nothing of the URL."""
    url = sftp.url("store").replace("/client&", "/host&")
    with open_artifact_store(url) as store, pytest.raises(PermissionDenied) as caught:
        store.stat("a")
    assert "credentials" in str(caught.value)
    assert str(sftp.folder) not in str(caught.value)


def test_a_file_that_goes_while_memory_looks_at_it_is_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """fsspec's memory looks twice at its dict, and fails with the file that another deleted."""
    went: list[str] = []

    def once(call: Any) -> Any:
        def look(files: Any, path: str, **options: Any) -> Any:
            if call.__name__ not in went:
                went.append(call.__name__)
                raise KeyError(path)
            return call(files, path, **options)

        return look

    with open_artifact_store("fsspec+memory://goes") as store:
        store.put("a", [b"1"])
        for name in ("info", "ls"):
            monkeypatch.setattr(MemoryFileSystem, name, once(getattr(MemoryFileSystem, name)))
        assert store.stat("a").size == 1
        assert [info.path for info in store.scan("", None, 9, deep=False).items] == ["a"]
    assert went == ["info", "ls"]
