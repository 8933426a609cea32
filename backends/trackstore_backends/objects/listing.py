"""What is below a folder of a bucket, in the order of the paths' code points.

Services sort by key, where a folder stands as `name/`: `a-b`, `a/`, `a0`.  The contract sorts by
path, where it stands as `name`: `a`, `a-b`, `a0`.  Some servers keep a tree, and sort a deep
listing as they walk it: `a/x`, `a-b`, `a0`.  Both orders are made here, with one batch in memory.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

from trackstore.errors import BackendError
from trackstore.model import ArtifactInfo
from trackstore_backends.objects.bucket import Batch, Bucket, Row


class Lister:
    """Lists keys of a bucket; `most` is how many entries are wanted."""

    def __init__(self, bucket: Bucket, most: int) -> None:
        self._bucket = bucket
        self._most = most
        self._known: dict[str, bool] = {}

    def deep(self, inside: str, after: str) -> Iterator[ArtifactInfo]:
        """Yield the files whose keys begin with `inside`, "" or a folder with its `/`."""
        rows = self._walk(inside, after) if self._bucket.by_folder else self._flat(inside, after)
        return (ArtifactInfo(row.key, row.size) for row in rows if is_path(row.key, inside))

    def level(self, inside: str, after: str) -> Iterator[ArtifactInfo]:
        """Yield the files and folders right below `inside`."""
        rows = self._by_name if self._bucket.by_folder else self._by_path
        for row in rows(inside, after):
            path = row.key.removesuffix("/")
            if is_path(path, inside):
                yield ArtifactInfo(path, row.size, is_folder=row.size is None)

    def _flat(self, inside: str, after: str) -> Iterator[Row]:
        batches = self._bucket.list(inside, after or None, level=False, most=self._most)
        return _in_order(row for batch in batches for row in batch.rows)

    def _walk(self, inside: str, after: str) -> Iterator[Row]:
        """Yield what is deep in a tree that is sorted by name: a folder waits for its turn."""
        waiting: list[str] = []
        name = after.removeprefix(inside).partition("/")[0] if after.startswith(inside) else ""
        begun = inside + name if name else ""
        for folder in (*_shorter(begun, inside), begun):
            if folder and f"{folder}0" > after:
                heappush(waiting, f"{folder}/")
        for row in self._rows(inside, begun):
            while waiting and waiting[0] < row.key:
                yield from self._walk(heappop(waiting), after)
            if row.size is None:
                heappush(waiting, row.key)
            elif row.key > after:
                yield row
        while waiting:
            yield from self._walk(heappop(waiting), after)

    def _by_name(self, inside: str, after: str) -> Iterator[Row]:
        for row in self._rows(inside, after):
            path = row.key.removesuffix("/")
            if path <= after:  # a file and a folder of one path are one entry
                continue
            if row.size is not None or self.holds(row.key):
                after = path
                yield row

    def _level(self, inside: str, after: str) -> Iterator[Batch]:
        """Yield a level without the marks that some programs leave for folders."""
        for batch in self._bucket.list(inside, after or None, level=True, most=self._most):
            rows = [row for row in batch.rows if row.size is None or not row.key.endswith("/")]
            yield Batch(rows, batch.more)

    def _rows(self, inside: str, after: str) -> Iterator[Row]:
        last = ""
        for batch in self._level(inside, after):
            for row in batch.rows:
                if (path := row.key.removesuffix("/")) < last:
                    raise BackendError("this server lists keys in no order that is known")
                last = path
                yield row

    def _by_path(self, inside: str, after: str) -> Iterator[Row]:
        """Yield a level: before a file `a-b`, look whether there is a folder `a`, further on."""
        last = after
        for batch in self._level(inside, after):
            folders = {row.key for row in batch.rows if row.size is None}
            for row in _in_order(iter(batch.rows)):
                for path in (*_shorter(row.key, inside), row.key):
                    is_folder = path != row.key or row.size is None
                    plain = path.removesuffix("/")
                    if plain <= last or (
                        path != row.key and not self._is_folder(path, batch, folders)
                    ):
                        continue
                    last = plain
                    yield Row(f"{plain}/") if is_folder else row

    def _is_folder(self, path: str, batch: Batch, folders: set[str]) -> bool:
        key = f"{path}/"
        if key <= batch.rows[-1].key or not batch.more:
            return key in folders
        if path not in self._known:
            self._known[path] = self.holds(key)
        return self._known[path]

    def holds(self, inside: str) -> bool:
        """Tell if there is a file below a folder: some servers list empty folders for a while."""
        batches = self._bucket.list(inside, None, level=False, most=2)
        return any(is_path(row.key, inside) for batch in batches for row in batch.rows)


def is_path(key: str, inside: str) -> bool:
    """Tell what may be an artifact from the marks and odd keys that other programs leave."""
    return {"", ".", ".."}.isdisjoint(key.removeprefix(inside).split("/"))


def _shorter(path: str, inside: str) -> Iterator[str]:
    """Yield the folders whose keys may come after the path's, and whose paths before it."""
    for at in range(len(inside) + 1, len(path)):
        if path[at] < "/":
            yield path[:at]


def _in_order(rows: Iterator[Row]) -> Iterator[Row]:
    last = ""
    for row in rows:
        if row.key <= last:
            raise BackendError(
                "this server lists keys in another order than by code point: "
                "put listing=folders into the store's URL"
            )
        last = row.key
        yield row
