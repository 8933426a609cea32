"""What would be on a disk after a loss of power, worked out from what a worker wrote and synced.

The system calls are replayed on a small model of a file system.  It knows of each file which
bytes were synced, and of each folder which names were.
"""

import re
from collections.abc import Callable, Mapping
from os.path import normpath
from pathlib import Path

from msgspec import Struct, field

from trackstore_conformance.crash.tracing import SystemCall

_TEXT = re.compile(r'<((?:\\x[0-9a-f]{2})*)>|"((?:\\x[0-9a-f]{2})*)"(?:\.\.\.)?')


SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


class CannotReplay(Exception):
    """The worker wrote in a way that system calls do not tell."""


class File(Struct, eq=False):
    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    is_mapped: bool = False

    def sync(self) -> None:
        if self.is_mapped:
            raise CannotReplay("it writes to a file by mapping it")
        self.synced = bytes(self.now)

    def write(self, data: bytes, at: int) -> None:
        self.now.extend(bytes(max(0, at - len(self.now))))
        self.now[at : at + len(data)] = data

    def resize(self, size: int) -> None:
        self.now.extend(bytes(max(0, size - len(self.now))))
        del self.now[size:]


class Folder(Struct, eq=False):
    now: "dict[str, Node]" = field(default_factory=dict)
    synced: "dict[str, Node]" = field(default_factory=dict)

    def sync(self) -> None:
        self.synced = dict(self.now)


Node = File | Folder
Tree = Mapping[str, "bytes | Tree"]


class Opened(Struct, eq=False):
    """What a descriptor refers to, and all that were duplicated from it."""

    node: Node
    at: int = 0
    appends: bool = False
    syncs: bool = False


class Told(Struct):
    """A system call that succeeded, taken apart."""

    name: str
    arguments: str
    parts: list[str]
    """The arguments; those in brackets are cut at their commas too."""
    result: int
    texts: list[bytes]
    bases: list[str]
    """The paths of the descriptors among the arguments."""

    @property
    def number(self) -> int:
        """The descriptor that comes first."""
        return int(self.parts[0].partition("<")[0])


class Disk:
    """The files in `root`, a folder that is empty at first."""

    def __init__(self, root: Path) -> None:
        self.roots = (root, root.resolve())
        self.top = Folder()
        self.opened: dict[int, Opened] = {}

    def strictly_synced(self) -> Tree:
        """Return what there is if all is lost that may be."""
        return tree(self.top, lambda folder: folder.synced, lambda file: file.synced)

    def names_kept(self) -> Tree:
        """Return what there is if names reached the disk and bytes did not."""
        return tree(self.top, lambda folder: folder.now, lambda file: file.synced)

    def nothing_lost(self) -> Tree:
        return tree(self.top, lambda folder: folder.now, lambda file: bytes(file.now))

    def replay(self, call: SystemCall) -> None:
        if call.name in FAMILIES and call.succeeded:
            getattr(self, FAMILIES[call.name])(told(call))

    def _open(self, call: Told) -> None:
        self.opened.pop(call.result, None)
        parent, name = self._place(call, 0)
        if parent is None:
            return
        flags = call.arguments if call.name != "creat" else "O_CREAT|O_TRUNC"
        if name and name not in parent.now and "O_CREAT" in flags:
            parent.now[name] = File()
        node = parent.now.get(name) if name else parent
        if node is not None:
            if "O_TRUNC" in flags and isinstance(node, File):
                node.resize(0)
            self.opened[call.result] = Opened(node, 0, "O_APPEND" in flags, "SYNC" in flags)

    def _place(self, call: Told, which: int) -> tuple[Folder | None, str]:
        """Return the folder and the name of a path of the call; the name "" is the root itself."""
        base = call.bases[which] if which < len(call.bases) else str(Path.cwd())
        path = base + "/" + call.texts[which].decode(errors="surrogateescape")
        inside = self._inside(Path("/" + normpath(path[path.rfind("//") + 1 :]).lstrip("/")))
        if inside is None:
            return None, ""
        *above, name = inside.parts or ("",)
        folder: Node | None = self.top
        for step in above:
            folder = folder.now.get(step) if isinstance(folder, Folder) else None
        return (folder, name) if isinstance(folder, Folder) else (None, "")

    def _inside(self, path: Path) -> Path | None:
        found = (path.relative_to(root) for root in self.roots if path.is_relative_to(root))
        return next(found, None)

    def _file(self, call: Told) -> tuple[Opened, File] | None:
        opened = self.opened.get(call.number)
        return (opened, opened.node) if opened and isinstance(opened.node, File) else None

    def _duplicate(self, call: Told) -> None:
        if call.name != "fcntl" or "F_DUPFD" in call.arguments:
            self.opened.pop(call.result, None)
            if call.number in self.opened:
                self.opened[call.result] = self.opened[call.number]

    def _seek(self, call: Told) -> None:
        if call.number in self.opened:
            self.opened[call.number].at = call.result

    def _read(self, call: Told) -> None:
        if call.number in self.opened:
            self.opened[call.number].at += call.result

    def _write(self, call: Told) -> None:
        if found := self._written(call):
            opened, file, data, at = found
            file.write(data, at)
            if not call.name.startswith("pwrite"):
                opened.at = at + len(data)
            if opened.syncs:
                file.sync()

    def _written(self, call: Told) -> tuple[Opened, File, bytes, int] | None:
        found = self._file(call)
        if found is None:
            return None
        opened, file = found
        at = opened.at
        if opened.appends:  # whatever the offset: a pwrite of Linux appends too
            at = len(file.now)
        elif call.name.startswith("pwrite"):
            at = int(call.parts[-2 if call.name == "pwritev2" else -1])
        return opened, file, b"".join(call.texts)[: call.result], at

    def cut(self, call: SystemCall, *, is_first: bool) -> Tree | None:
        """Return what there is if all was kept, and of this write only the first sectors.

        Or else all but one of them: a disk writes sectors in its own order.  None if the call is
        no write, or within a sector.
        """
        found = self._written(told(call)) if is_write(call) else None
        if found is None:
            return None
        _, file, data, at = found
        middle = (at + len(data) // 2) // SECTOR * SECTOR
        if not at < middle < at + len(data):
            return None
        before = file.now[:]
        file.write(data[: middle - at], at)
        if not is_first:
            file.write(data[middle - at + SECTOR :], middle + SECTOR)
        lost = self.nothing_lost()
        file.now = before
        return lost

    def _ftruncate(self, call: Told) -> None:
        if found := self._file(call):
            found[1].resize(int(call.parts[1]))

    def _truncate(self, call: Told) -> None:
        parent, name = self._place(call, 0)
        if parent is not None and isinstance(file := parent.now.get(name), File):
            file.resize(int(call.parts[-1]))

    def _fallocate(self, call: Told) -> None:
        if found := self._file(call):
            if call.parts[1] != "0":
                raise CannotReplay("it makes holes in a file")
            end = int(call.parts[2]) + int(call.parts[3])
            found[1].resize(max(end, len(found[1].now)))

    def _mkdir(self, call: Told) -> None:
        parent, name = self._place(call, 0)
        if parent is not None:
            parent.now[name] = Folder()

    def _unlink(self, call: Told) -> None:
        parent, name = self._place(call, 0)
        if parent is not None:
            parent.now.pop(name, None)

    def _rename(self, call: Told) -> None:
        if "RENAME_EXCHANGE" in call.arguments:
            raise CannotReplay("it exchanges two files")
        source, old = self._place(call, 0)
        target, new = self._place(call, 1)
        is_one = source and target and source.now.get(old) is target.now.get(new)
        if not is_one:  # two names of one file stay as they are
            self._link(call)
            self._unlink(call)

    def _link(self, call: Told) -> None:
        source, old = self._place(call, 0)
        target, new = self._place(call, 1)
        if target is not None:
            if source is None or old not in source.now:
                raise CannotReplay("it moves files into its folder from elsewhere")
            target.now[new] = source.now[old]

    def _fsync(self, call: Told) -> None:
        if call.number in self.opened:
            self.opened[call.number].node.sync()

    def _mmap(self, call: Told) -> None:
        if "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments:
            opened = self.opened.get(int(call.parts[4].partition("<")[0]))
            if opened is not None and isinstance(opened.node, File):
                opened.node.is_mapped = True

    def _refuse(self, call: Told) -> None:
        """Refuse a call that may concern us, and tells too little."""
        if not call.bases or any(self._inside(Path(base)) for base in call.bases):
            raise CannotReplay(f"it uses {call.name}")


def is_write(call: SystemCall) -> bool:
    """Tell if a call wrote to a file, and more than one sector."""
    is_one = FAMILIES.get(call.name) == "_write" and call.succeeded
    return is_one and int(call.result) > SECTOR


def told(call: SystemCall) -> Told:
    found = [
        (match[2] is not None, from_hex(match[1] or match[2]))
        for match in _TEXT.finditer(call.arguments)
    ]
    return Told(
        call.name,
        call.arguments,
        call.arguments.split(", "),
        int(re.split(r"[< ]", call.result)[0], 0),
        [text for is_text, text in found if is_text],
        [text.decode(errors="surrogateescape") for is_text, text in found if not is_text],
    )


def from_hex(text: str | None) -> bytes:
    return bytes.fromhex((text or "").replace("\\x", ""))


def tree(
    folder: Folder, names: Callable[[Folder], dict[str, Node]], data: Callable[[File], bytes]
) -> Tree:
    return {
        name: tree(node, names, data) if isinstance(node, Folder) else data(node)
        for name, node in names(folder).items()
    }


def make(files: Tree, at: Path) -> None:
    """Write the files into a folder that is empty."""
    for name, content in files.items():
        if isinstance(content, bytes):
            (at / name).write_bytes(content)
        else:
            (at / name).mkdir()
            make(content, at / name)


FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("open", "openat", "creat"), "_open"),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl"), "_duplicate"),
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), "_write"),
    **dict.fromkeys(("rename", "renameat", "renameat2"), "_rename"),
    **dict.fromkeys(("link", "linkat"), "_link"),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), "_unlink"),
    **dict.fromkeys(("mkdir", "mkdirat"), "_mkdir"),
    **dict.fromkeys(("read", "readv"), "_read"),
    **dict.fromkeys(("fsync", "fdatasync"), "_fsync"),
    **dict.fromkeys(("copy_file_range", "sendfile", "splice", "symlink", "symlinkat"), "_refuse"),
    **dict.fromkeys(("sync", "syncfs", "io_uring_setup"), "_refuse"),
    "lseek": "_seek",
    "ftruncate": "_ftruncate",
    "truncate": "_truncate",
    "fallocate": "_fallocate",
    "mmap": "_mmap",
}
"""By which method a call is replayed."""
