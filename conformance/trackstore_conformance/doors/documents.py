"""The documents that a run leaves behind, each made from its report."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from trackstore_conformance.checkers.events import Undecided
from trackstore_conformance.concurrent.engine import recheck
from trackstore_conformance.history import History
from trackstore_conformance.report import Report, encode
from trackstore_conformance.report.badge import badge
from trackstore_conformance.report.html import page
from trackstore_conformance.report.junit import junit
from trackstore_conformance.timeline import timeline


def drawn(history: History) -> str:
    """Draw a history, with the calls marked that prove what is wrong in it."""
    try:
        marked = {number for finding in recheck(history) for number in finding.calls}
    except (LookupError, Undecided):  # it is of a later suite, or was never judged
        marked = set()
    return timeline(history, marked=marked)


MAKERS: Mapping[str, Callable[[Report], bytes]] = MappingProxyType(
    {
        "json": encode,
        "html": lambda report: page(report, drawn).encode(),
        "junit": junit,
        "badge": lambda report: badge(report).encode(),
    }
)
"""How each kind of document is made."""


def write(kind: str, file: Path, reports: Sequence[Report]) -> list[Path]:
    """Write a document of each report; of several, its file is named for store and contract."""
    targets = [file] if len(reports) == 1 else [*_named(file, reports)]
    for target, report in zip(targets, reports, strict=True):
        target.write_bytes(MAKERS[kind](report))
    return targets


def _named(file: Path, reports: Sequence[Report]) -> Iterator[Path]:
    """Yield a file for each report; a number tells apart those of one store and contract."""
    seen: Counter[str] = Counter()
    for report in reports:
        name = f"{file.stem}-{report.store.name}-{report.store.contract}"
        seen[name] += 1
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        yield file.with_name(f"{name}{number}{file.suffix}")
