"""What one run of the suite on one store found, as a document for machines: `report.json`.

Every other document is made from it, so that none says what another does not.
"""

import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import DecodeError, Struct, convert, field, json, to_builtins
from msgspec.structs import replace

from trackstore.registry import ARTIFACT_STORES, BACKEND_STORES
from trackstore.stores import Store
from trackstore_conformance.claims import Claims
from trackstore_conformance.effort import Settings
from trackstore_conformance.evidence import Evidence
from trackstore_conformance.grade import Grade, grade_of
from trackstore_conformance.report.redact import in_all_texts, redacted, scrubber, writable
from trackstore_conformance.spec import Contract, select
from trackstore_conformance.verdicts import Counterexample, Judgement, RuleVerdict

FORMAT = 1
"""Raised when a reader of the one before could misread a report; `schema/` has them all."""


class StoreInfo(Struct, frozen=True):
    """The store that was asked, without its secrets."""

    name: str
    """Of its class."""
    module: str
    contract: Contract
    """The one whose rules it was held to."""
    claims: Claims
    url: str
    """Without user, password and the values of its query."""
    distribution: str | None = None
    """The installed package that the class is from."""
    version: str | None = None


class Platform(Struct, frozen=True):
    """Where it was run."""

    python: str
    system: str
    machine: str


class Timing(Struct, frozen=True):
    """When a run was, and how far it came."""

    started: datetime
    seconds: float
    finished: bool = True
    """All that was asked for was run."""
    stopped_by: str = ""
    """What cut it short."""
    tests_run: int = 0
    tests_in_all: int = 0


class Report(Struct, frozen=True):
    """One run of the suite on one store."""

    store: StoreInfo
    grade: Grade
    spec: str
    """The version of the rules."""
    suite: str
    """The version of trackstore that the suite came with."""
    seed: int
    profile: str
    platform: Platform
    timing: Timing
    evidence: Evidence
    """Of all tests, each counted once."""
    rules: tuple[RuleVerdict, ...]
    problems: tuple[str, ...] = ()
    """What is wrong with the waivers."""
    format: Literal[1] = field(default=1)


class BadReport(ValueError):
    """A file is no report that this version can read."""


def info_of(store: Store, contract: Contract, claims: Claims, url: str) -> StoreInfo:
    """Describe a store; `url` may hold secrets."""
    kind = type(store)
    distribution = _distribution(kind)
    return StoreInfo(
        name=kind.__name__,
        module=kind.__module__,
        contract=contract,
        claims=claims,
        url=redacted(url),
        distribution=distribution,
        version=version(distribution) if distribution else None,
    )


def _distribution(kind: type) -> str | None:
    """Return the package that registers a store beside the class, or that its module is from."""
    top = kind.__module__.partition(".")[0]
    for group in (BACKEND_STORES, ARTIFACT_STORES):
        for entry in entry_points(group=group):
            if entry.module.partition(".")[0] == top and entry.dist is not None:
                return entry.dist.name
    return next(iter(packages_distributions().get(top, ())), None)


def make_report(
    store: StoreInfo,
    judgement: Judgement,
    spec: str,
    settings: Settings,
    timing: Timing,
    evidence: Evidence,
    url: str,
) -> Report:
    """Return the report of a run.

    What is secret in `url` is in no text of it, and every text can be written as UTF-8.
    """
    scrub = scrubber(url)
    whole = len(judgement.rules) == len(select(store.contract, spec))
    report = Report(
        store=store,
        grade=grade_of(judgement, store.claims, spec, finished=timing.finished, whole=whole),
        spec=spec,
        suite=version("trackstore"),
        seed=settings.seed,
        profile=settings.profile.name,
        platform=Platform(platform.python_version(), platform.system(), platform.machine()),
        timing=replace(timing, stopped_by=scrub(timing.stopped_by)),
        evidence=evidence,
        rules=tuple(_without_secrets(each, scrub) for each in judgement.rules),
        problems=judgement.problems,
    )
    return convert(in_all_texts(to_builtins(report), writable), Report)


def _without_secrets(verdict: RuleVerdict, scrub: Callable[[str], str]) -> RuleVerdict:
    found = verdict.counterexample
    if found is not None:
        found = convert(in_all_texts(to_builtins(found), scrub), Counterexample)
    notes = tuple(map(scrub, verdict.notes))
    return replace(verdict, counterexample=found, notes=notes)


def encode(report: Report) -> bytes:
    """Return the report as indented JSON."""
    return json.format(json.encode(report), indent=1) + b"\n"


def decode(text: bytes) -> Report:
    """Return the report that `encode` wrote; raise `BadReport` for anything else."""
    try:
        head = json.decode(text, type=_Head)
        if head.format != FORMAT:
            raise BadReport(f"format {head.format}, and this version reads {FORMAT}")
        return json.decode(text, type=Report)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadReport(f"no report of trackstore: {error}") from error


class _Head(Struct):
    format: int


def read(file: Path) -> Report:
    """Return the report in a file; raise `BadReport`, which names the file, if there is none."""
    try:
        return decode(file.read_bytes())
    except OSError as error:
        raise BadReport(f"{file.name}: {error.strerror}") from error
    except BadReport as error:
        raise BadReport(f"{file.name}: {error}") from error


def by_rule(report: Report) -> Mapping[str, RuleVerdict]:
    return MappingProxyType({each.rule: each for each in report.rules})


def now() -> datetime:
    """Return the time as a report has it."""
    return datetime.now(UTC).replace(microsecond=0)
