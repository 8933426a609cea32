"""A server process of our own, for as long as a test needs it."""

import os
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from provision.processes import (
    Guard,
    account,
    free_port,
    give,
    is_reachable,
    kill_with_children,
    listening_addresses,
    wait_for,
)

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 60


class Missing(Exception):
    """The server is not installed; the message says how it is."""


class Daemon(ABC):
    """Runs within `with`, in a temporary folder and at a port that nobody else uses.

    Whatever ends this process ends the server too.
    """

    stopped_by: ClassVar[int] = signal.SIGTERM
    """The signal that ends it in good order, and soon."""
    ports: ClassVar[int] = 1
    """How many ports in a row it needs."""
    refuses_root: ClassVar[bool] = True
    """It runs as nobody where the tests run as root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ts-"))  # short: paths of sockets are limited
        self.port = free_port(self.ports - 1)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server finds at its first start."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Tell if it serves clients."""

    def __enter__(self) -> Self:
        try:
            give(self.folder)
            assert is_reachable(self.folder.parent), f"{self.folder.parent} is closed to nobody"
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, at first or once more on the same data and port, and wait until it serves."""
        self.launch()
        wait_for(self._answers, START_SECONDS, self.log)
        assert {host for host, _ in listening_addresses(self.pid)} == {LOOPBACK}

    def launch(self) -> None:
        assert self._process is None, "it runs"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests, which then stop it
                **(account() if self.refuses_root else {}),
            )
        self._guard = Guard(self.folder, self.pid)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
        }

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended at once:\n{self.log()}"
        return self.answers()

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    def kill(self) -> None:
        """End it as a failing machine would."""
        assert self._process is not None, "it does not run"
        kill_with_children(self._process)
        self._ended()

    def stop(self) -> None:
        """End it in good order."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(self.stopped_by)
        self._process.wait(STOP_SECONDS)
        self._ended()

    def _ended(self) -> None:
        self._process = None
        if self._guard:
            self._guard.dismiss()

    def log(self) -> str:
        """Return the end of what it printed."""
        return (self.folder / "log").read_text(errors="replace")[-4_000:]

    def close(self) -> None:
        """End it if it runs, and remove what it stored."""
        if self._process:
            self.kill()
        shutil.rmtree(self.folder)


def run_as_account(command: list[str], folder: Path) -> None:
    """Run a server's own tool, which must succeed, with temporary files that are its own."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        **account(),
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2_000:]}{done.stderr[-2_000:]}"
