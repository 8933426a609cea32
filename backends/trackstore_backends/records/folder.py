"""The files of a store: `records` is the journal, `index` can always be made again, and `lock`.

They are in the folder `.trackstore`, which an artifact store with the same root never serves.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from trackstore.errors import Unsupported
from trackstore_backends.file.tree import PRIVATE, make_folder, sync
from trackstore_backends.records.journal import new_header, write_at
from trackstore_backends.records.lock import locked

Name = Literal["records", "index"]


class Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._private = root / PRIVATE

    @contextmanager
    def for_reading(self) -> Iterator[int | None]:
        """Open the journal, if there is one.

        It is opened anew for each call: that is when NFS asks its server what has changed.
        """
        try:
            file = os.open(self._private / "records", os.O_RDONLY)
        except FileNotFoundError:
            self._check_that_it_is_not_mlflows()
            yield None
            return
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def for_writing(self) -> Iterator[int]:
        """Take the lock and open the journal, which is made if need be."""
        with locked(self._open_lock()):
            try:
                file = os.open(self._private / "records", os.O_RDWR)
            except FileNotFoundError:
                self._check_that_it_is_not_mlflows()
                self.replace("records", lambda file: write_at(file, new_header(), 0))
                file = os.open(self._private / "records", os.O_RDWR)
            try:
                yield file
            finally:
                os.close(file)

    def replace(self, name: Name, write: Callable[[int], None]) -> None:
        """Put a new file in the place of one, whole or not at all; under the lock.

        A loss of power may still bring the old one back, until `make_lasting`.
        """
        new = self._private / f"{name}.new"
        file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            write(file)
            sync(file)
        finally:
            os.close(file)
        new.replace(self._private / name)

    def make_lasting(self) -> None:
        """Return once the names of the files, and of the folder, survive a loss of power."""
        with make_folder(self._root, [PRIVATE.encode()]) as folder:
            sync(folder)

    def read_index(self, length: int = -1) -> bytes:
        """Return the index or its first bytes; nothing if it cannot be read."""
        try:
            with (self._private / "index").open("rb") as file:
                return file.read(length)
        except OSError:  # whatever is wrong with it, the journal has all it says
            return b""

    def remove_index(self) -> None:
        (self._private / "index").unlink(missing_ok=True)

    def _check_that_it_is_not_mlflows(self) -> None:
        if next(self._root.glob("*/meta.yaml"), None) is not None:
            raise Unsupported("these are the files of MLflow's own store: name another folder")

    def _open_lock(self) -> int:
        path, flags = self._private / "lock", os.O_RDWR | os.O_CREAT
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            with make_folder(self._root, [PRIVATE.encode()]):
                return os.open(path, flags, 0o666)
