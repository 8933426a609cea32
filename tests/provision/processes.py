"""What is asked of, and done to, the processes of a server: a port, an account, an end."""

import os
import pwd
import random
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PORTS = range(12_000, 32_000)
"""Below those that the system hands out to clients, of which one might take a stopped server's."""

LISTENING = "0A"
"""How `/proc/net/tcp` writes that state."""


def free_port(following: int = 0) -> int:
    """Return a port that nobody uses, and whose `following` next ones nobody uses either."""
    while True:
        port = random.choice(PORTS)
        if all(_is_free(each) for each in range(port, port + following + 1)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as each:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a server that has ended
        try:
            each.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def account() -> dict[str, Any]:
    """Return how `subprocess` starts a server that refuses to be root: as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give(folder: Path) -> None:
    """Let the account own a folder and all that is in it."""
    if owner := account():
        for place in (folder, *folder.rglob("*")):
            os.chown(place, owner["user"], owner["group"], follow_symlinks=False)


def is_reachable(path: Path) -> bool:
    """Tell whether the account may enter all folders on the way to `path`, and read it."""
    others = stat.S_IROTH | stat.S_IXOTH
    return not account() or (
        path.stat().st_mode & others == others
        and all(each.stat().st_mode & stat.S_IXOTH for each in path.parents)
    )


def wait_for(is_so: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Ask again and again, and raise `TimeoutError` with `what` is missing in the end."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(what())
        time.sleep(0.01)


def kill_with_children(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children as a failing machine would, and wait until all are gone.

    It is stopped before its children are counted, so that it makes no more of them.
    """
    process.send_signal(signal.SIGSTOP)
    children = list(_descendants(process.pid))
    for pid in (process.pid, *children):
        _signal(pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(map(is_alive, children)), 30, lambda: f"still there: {list(children)}")


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads a group, with all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _children(pid: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        if _fields(int(folder.name))[1:2] == [str(pid)]:
            yield int(folder.name)


def is_alive(pid: int) -> bool:
    return _fields(pid)[:1] not in ([], ["Z"])


def _fields(pid: int) -> list[str]:
    """Return what the system says of a process, from its state on: nothing if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports at which a process takes connections."""
    sockets = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(each.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return {
        (_address(host), int(port, 16))
        for family in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{family}").read_text().splitlines()[1:])
        if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets
        for host, _, port in [fields[1].partition(":")]
    }


def _address(text: str) -> str:
    raw = bytes.fromhex(text)
    words = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, words)


class Guard:
    """Outlives this process if it is killed: then it ends a server and removes its folder."""

    # What a dying server still writes while its folder is removed is removed in a later attempt.
    SCRIPT = """
    read -r _ && exit
    [ -z "$2" ] || kill -s KILL -- "-$2"
    for _ in 1 2 3 4 5; do rm -rf "$1" && sleep 1; [ -e "$1" ] || exit; done
    """

    def __init__(self, folder: Path, pid: int | None = None) -> None:
        command = ["sh", "-c", self.SCRIPT, "guard", str(folder), "" if pid is None else str(pid)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def dismiss(self) -> None:
        self.process.communicate(b"\n")
