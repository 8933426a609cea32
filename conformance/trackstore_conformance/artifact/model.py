"""A store of artifacts as the contract describes it: a dict of paths."""

from collections.abc import Sequence

from trackstore.model import ArtifactInfo, Page
from trackstore.stores import Guarantees
from trackstore_conformance.sequential.model import Refused


class FileModel:
    def __init__(self, guarantees: Guarantees) -> None:
        self.guarantees = guarantees
        self.files: dict[str, bytes] = {}

    def info(self, path: str) -> ArtifactInfo:
        return ArtifactInfo(path, len(self.files[path]))

    def is_folder(self, path: str) -> bool:
        return any(each.startswith(f"{path}/") for each in self.files)

    def clashes(self, path: str) -> bool:
        """Tell if a folder has the path, or a file that of a parent: stores may refuse both."""
        return self.is_folder(path) or any(path.startswith(f"{each}/") for each in self.files)

    def put(self, path: str, chunks: Sequence[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        if if_absent and self.guarantees.create_only == "none":
            raise Refused("Unsupported")
        if path in self.files and (if_absent or self.guarantees.artifact_overwrite == "refused"):
            raise Refused("AlreadyExists path")
        self.files[path] = b"".join(chunks)
        return self.info(path)

    def read(self, path: str, start: int, length: int | None) -> bytes:
        if path not in self.files:
            raise Refused("NotFound")
        return self.files[path][start:][:length]

    def stat(self, path: str) -> ArtifactInfo:
        if path in self.files:
            return self.info(path)
        if self.is_folder(path):
            return ArtifactInfo(path, is_folder=True)
        raise Refused("NotFound")

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        inside = f"{prefix}/" if prefix else ""
        below = [path for path in self.files if path.startswith(inside)]
        if not deep:
            below = [inside + path[len(inside) :].partition("/")[0] for path in below]
        rows = [self.stat(path) for path in sorted(set(below)) if after is None or path > after]
        more = len(rows) > limit
        return Page(rows[:limit], rows[limit - 1].path if more else None)

    def delete(self, path: str) -> None:
        gone = [each for each in self.files if each == path or each.startswith(f"{path}/")]
        for each in gone:
            del self.files[each]
