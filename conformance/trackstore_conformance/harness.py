"""How the suite gets at the stores of one kind: by a URL, in which every test has its own place."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct

from trackstore.stores import Store
from trackstore_conformance.namespaces import InNamespace, erase

S = TypeVar("S", bound=Store)
Opener = Callable[[str], S]

FOLDER, NAME = "{folder}", "{name}"


class Place(Struct, Generic[S], frozen=True):
    """A store that is used by one test alone."""

    name: str
    """Twelve hex digits, that no other place has."""
    folder: Path
    """An empty folder, in which the store may be."""
    url: str
    opener: Opener[S]
    untouched: bool
    """The store is new, and nobody else uses it; otherwise it is a part of one."""
    outlasts: bool
    """What is in it stays when the folder is removed, so that it must be erased."""

    def clear(self) -> None:
        """Leave nothing behind."""
        if self.outlasts:
            with self.opener(self.url) as store:
                erase(store)


class Harness(Generic[S]):
    """Stores under URLs that are alike.

    In `url`, "{folder}" stands for the path of an empty folder, and "{name}" for a name that
    nothing else has: each test gets a store of its own.  Without either, all tests use the one
    store that the URL names, each in a part that nothing else sees; what is already there is not
    touched.  `opener` turns a URL into a store; it must be a function that other processes can
    import.
    """

    patience = 60.0
    """Seconds after which a call that has not ended is taken for one that never will."""

    takes_parts = True
    """Faults are played on files of many parts too: an emulator may make less of them than the
    service that it stands for."""

    def __init__(self, url: str, opener: Opener[S]) -> None:
        self.url = url
        self.opener = opener

    @property
    def untouched(self) -> bool:
        """Tell if each test gets a store of its own."""
        return FOLDER in self.url or NAME in self.url

    def places(self, folder: Path) -> Iterator[Place[S]]:
        """Yield one place after another; what is on disk is in `folder`."""
        for number in count():
            empty = folder / f"store{number}"
            empty.mkdir()
            yield self.place(empty)

    def place(self, folder: Path) -> Place[S]:
        name = uuid4().hex[:12]
        url = self.url.replace(FOLDER, str(folder)).replace(NAME, name)
        opener = self.opener if self.untouched else InNamespace(self.opener, name)
        return Place(name, folder, url, opener, self.untouched, outlasts=FOLDER not in self.url)

    def upstream(self, url: str) -> tuple[str, int] | None:
        """Return the host and port at which `url` finds its data, or None if it names none."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:  # what looks like a port is none
            return None
        return (parts.hostname, port) if parts.hostname and port else None

    def proxied(self, url: str, port: int) -> str:
        """Return the URL of the same store, by way of `port` of this machine."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{port}").geturl()
