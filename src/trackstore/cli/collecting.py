"""`trackstore gc`: purge what was deleted long ago."""

import os
import re
import socket
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path

import typer

from trackstore.cli.secrets import without_secrets
from trackstore.errors import InvalidRequest, NotFound
from trackstore.opening import open_tracker
from trackstore.purge_log import Item, PurgeLog
from trackstore.purging import Candidates, Purger, orphans
from trackstore.registry import open_backend_store
from trackstore.tracker import DEFAULT_EXPERIMENT_ID, Tracker, now_ms

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_AGE = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)


class Wishes:
    """What the options of the command ask for."""

    def __init__(
        self, *, older_than: str, uploads_older_than: str, find_orphans: bool, dry_run: bool
    ) -> None:
        self.before = now_ms() - seconds("--older-than", older_than) * 1_000
        self.uploads_older_than = seconds("--uploads-older-than", uploads_older_than)
        self.find_orphans = find_orphans
        self.dry_run = dry_run


def seconds(option: str, age: str) -> int:
    """Return the seconds of an age such as 30d or 1d12h."""
    if not _AGE.fullmatch(age):
        raise InvalidRequest(f"{option} must be an age such as 30d, 12h or 1d12h, or 0s for all")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", age))


def collect(
    backend: str,
    artifacts: str,
    *,
    root: str | None,
    allowed: tuple[str, ...],
    log: Path,
    by: str | None,
    wishes: Wishes,
) -> bool:
    """Purge what the wishes say; tell if all went well."""
    _must_be_in_use(backend)
    with open_tracker(backend, artifacts, artifact_root=root, allowed_roots=allowed) as tracker:
        if wishes.dry_run:
            number = 0
            for number, item in enumerate(_items(tracker, wishes), 1):  # noqa: B007 - counts
                typer.echo(f"would purge: {item.kind} {item.id}: {', '.join(item.folders)}")
            typer.echo(f"{number:,} would be purged, and nothing was")
            return True
        with PurgeLog(log, backend=without_secrets(backend), by=by or _account()) as written:
            purger = Purger(tracker, written, typer.echo)
            purger.resume()
            purger.purge(_items(tracker, wishes))
            purger.sweep(wishes.uploads_older_than)
        failed = (
            f", {purger.failed:,} failed and are tried again next time" if purger.failed else ""
        )
        typer.echo(f"{purger.purged:,} purged{failed}; see {os.fspath(log)}")
        return not purger.failed


def _items(tracker: Tracker, wishes: Wishes) -> Iterator[Item]:
    yield from Candidates(tracker, wishes.before, typer.echo)
    if wishes.find_orphans:
        yield from orphans(tracker)


def _must_be_in_use(backend: str) -> None:
    """Refuse a store that no server has used: a mistyped URL must not make all files orphans."""
    with open_backend_store(backend) as store:
        try:
            store.get_experiment(DEFAULT_EXPERIMENT_ID)
        except NotFound as error:
            raise NotFound(
                "this backend store has never been used by a server: is its URL right?"
            ) from error


def _account() -> str:
    try:
        return f"{getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # an account without a name, as in some containers
        return f"{os.getuid()}@{socket.gethostname()}"
