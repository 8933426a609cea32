"""Run the application under granian: one or more processes, each with a tracker of its own."""

import os
import signal
import socket
import threading
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from trackstore.errors import InvalidRequest
from trackstore.opening import open_tracker
from trackstore.server import logs
from trackstore.server.app import create_app
from trackstore.server.guard import names_of
from trackstore.server.settings import Settings
from trackstore.tracker import Tracker

THREADS = 64
"""Requests that one process handles at a time; a slow upload or download takes one up."""
STOP_SECONDS = 20
"""How long requests under way may take once the server is told to stop."""
_NUDGE = signal.SIGUSR2
"""What wakes a worker's main thread, and means nothing else."""


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way finish and close the stores.

    `listener` is from `claim_port`.
    """
    logs.set_up(settings.log_format)
    with TemporaryDirectory(prefix="trackstore-meters-") as meters:
        Server(
            "trackstore",
            address=settings.host,
            port=listener.getsockname()[1],
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=THREADS,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.error,
            log_dictconfig=dict(logs.GRANIAN),
            workers_kill_timeout=STOP_SECONDS,
        ).serve(target_loader=partial(_load, settings, Path(meters)))


def open_stores(settings: Settings) -> Tracker:
    return open_tracker(
        settings.backend,
        settings.artifacts,
        artifact_root=settings.artifact_root,
        allowed_roots=settings.allowed_roots,
        direct=settings.direct,
    )


def claim_port(host: str, port: int) -> socket.socket:
    """Return a bound socket that keeps the port ours, for any port if `port` is 0.

    The workers' sockets share the port (SO_REUSEPORT), and so would those of another server that
    was started by mistake: a plain socket finds out first.

    Raises `InvalidRequest` if the port is in use, or is not ours to use.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            address = probe.getsockname()
        claimed = socket.socket(family)
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        claimed.bind(address)
    except OSError as error:
        raise InvalidRequest(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return claimed


def _load(settings: Settings, meters: Path, _target: str) -> Any:
    """Return the application, in a worker process, which closes its tracker when it ends."""
    logs.set_up(settings.log_format)
    # A fork keeps the handlers of the process that starts workers, which would only take note.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _wake_main_thread_for_signals()
    tracker = open_stores(settings)
    Finalize(None, tracker.close, exitpriority=10)
    threading.Thread(target=_stop_with_parent, name="trackstore-parent", daemon=True).start()
    app = create_app(
        tracker,
        static_prefix=settings.static_prefix,
        allowed_hosts=(*settings.allowed_hosts, *names_of(settings.host)),
        serve_stores=settings.serve_stores,
        access_log=settings.access_log,
        meters_folder=meters,
    )
    return _pinned(app) if settings.pin and hasattr(os, "sched_setaffinity") else app


def _wake_main_thread_for_signals() -> None:
    """See that a signal is handled at once, whichever thread the kernel gives it to.

    Python runs handlers in the main thread, which here only waits: a signal that comes to a thread
    that is reading a request does not wake it, and a stop would go unheard until the kill.
    """
    heard, wake = socket.socketpair()
    wake.settimeout(0)
    signal.signal(_NUDGE, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    main = threading.main_thread()

    def listen() -> None:
        with wake, heard:
            while True:
                if any(number != _NUDGE for number in heard.recv(64)) and main.ident:
                    signal.pthread_kill(main.ident, _NUDGE)

    threading.Thread(target=listen, name="trackstore-signals", daemon=True).start()


def _stop_with_parent() -> None:
    """Stop this worker when the process that started it is gone, so that it keeps no port."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _pinned(app: Any) -> Any:
    """Keep the threads that run Python on one CPU; those of granian's own go where they like."""
    cpus = sorted(os.sched_getaffinity(0))
    cpu = {cpus[os.getpid() % len(cpus)]}
    this_thread = threading.local()

    def call(env: Any, start_response: Any) -> Any:
        if not hasattr(this_thread, "is_pinned"):
            os.sched_setaffinity(0, cpu)
            this_thread.is_pinned = True
        return app(env, start_response)

    return call
