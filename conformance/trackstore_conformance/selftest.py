"""The suite, tested: every store that is broken on purpose must be found by the rule it breaks.

A mutant's run takes the tests of that rule until one fails and blames it, and then those of the
rules near it, which must not be blamed.  Each runs in a process of its own, which is stopped
when it takes too long.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from traceback import extract_tb
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from trackstore_conformance.checks import SUITES
from trackstore_conformance.claims import CONTRACTS
from trackstore_conformance.effort import PROFILES, ProfileName, Settings
from trackstore_conformance.harness import Harness
from trackstore_conformance.mutants import Broken, find_mutant
from trackstore_conformance.rules import Check, check_of
from trackstore_conformance.spec import RULES, Contract
from trackstore_conformance.suites import skip_what_cannot_be_asked
from trackstore_conformance.violations import Violation

SECONDS = {"quick": 5.0, "standard": 60.0, "soak": 600.0}
"""What a mutant may take; on a busy machine it is given three times as much."""
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


class Kill(Struct, frozen=True):
    """What became of one mutant."""

    mutant: str
    rule: str
    """The one that must find it."""
    about: str
    """What is broken, in a sentence."""
    killed: bool
    test: str = ""
    """The test that found it."""
    said: str = ""
    """What that said, or why the mutant survived."""
    near: tuple[str, ...] = ()
    """The rules that must stay green."""
    blamed: tuple[str, ...] = ()
    """Those of them that did not."""
    seconds: float = 0.0

    @property
    def core(self) -> bool:
        return RULES[self.rule].level == "core"


class SelfTest(Struct, frozen=True):
    """What became of all."""

    profile: ProfileName
    seed: int
    date: datetime
    kills: tuple[Kill, ...]

    @property
    def core_share(self) -> float:
        core = [kill.killed for kill in self.kills if kill.core]
        return sum(core) / len(core) if core else 1.0

    @property
    def precise_share(self) -> float:
        return sum(not kill.blamed for kill in self.kills) / max(1, len(self.kills))

    @property
    def passed(self) -> bool:
        """Tell if the suite is as good as it must be."""
        return self.core_share >= (0.9 if self.profile == "quick" else 1.0) and (
            self.precise_share >= 0.95
        )


class Failure(Struct, frozen=True):
    """A test that failed on a mutant."""

    test: str
    rules: tuple[str, ...]
    """Those that it blames."""
    said: str


def tests_of(suite: Any, rules: Sequence[str]) -> list[tuple[str, Check]]:
    """Return the tests that check any of the rules, those of the fewest rules first."""
    checks = [(name, check_of(test)) for name, test in suite.tests.items()]
    found = [(n, c) for n, c in checks if c is not None and not set(rules).isdisjoint(c.rules)]
    return sorted(found, key=lambda each: (len(each[1].rules), each[1].kind == "crash"))


def run_test(suite: Any, name: str, check: Check, settings: Settings) -> Failure | None:
    """Run one test of the suite and return how it failed, if it did."""
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            run_in(Path(folder), suite, name, check, settings)
    except pytest.skip.Exception:
        return None
    except Violation as violation:
        return Failure(name, violation.rules, violation.witness)
    except Exception as error:
        return Failure(name, check.rules, said_by(error))
    return None


def run_in(folder: Path, suite: Any, name: str, check: Check, settings: Settings) -> None:
    with closing(suite.make_bench(folder, settings)) as bench:
        skip_what_cannot_be_asked(bench, check)
        getattr(suite, name)(bench)


def said_by(error: Exception) -> str:
    """Return what an error says; of an assertion that says nothing, what it asserts."""
    said = str(error).strip().partition("\n")[0]
    asserted = extract_tb(error.__traceback__)[-1].line if not said else ""
    return f"{type(error).__name__}: {said or asserted}"


def contract_of(mutant: type[Broken]) -> Contract:
    """Return the contract whose suite must find it: the last of those that it implements."""
    return [name for name, kind in CONTRACTS.items() if issubclass(mutant, kind)][-1]


def suite_of(mutant: type[Broken]) -> Any:
    kind: Any = SUITES[contract_of(mutant)]
    members = {"harness": Harness(mutant.url, mutant.from_url), "__test__": False}  # type: ignore[attr-defined]
    return type(f"Of{mutant.__name__}", (kind,), members)()


def judge(mutant: type[Broken], settings: Settings) -> Kill:
    """Run the tests of the mutant's rule, and of those near it."""
    began = monotonic()
    suite = suite_of(mutant)
    about = (mutant.__doc__ or "").strip().partition("\n")[0] if "__doc__" in vars(mutant) else ""
    result = Kill(mutant.__name__, mutant.killed_by, about, killed=False, near=mutant.near)
    if failure := found_by(suite, mutant.killed_by, settings):
        result = replace(result, killed=True, test=failure.test, said=failure.said[:300])
    blamed = blamed_near(suite, mutant.near, settings)
    return replace(result, blamed=blamed, seconds=round(monotonic() - began, 2))


def found_by(suite: Any, rule: str, settings: Settings) -> Failure | None:
    """Return how the first test failed that blames the rule, or None if none does."""
    for name, check in tests_of(suite, [rule]):
        failure = run_test(suite, name, check, settings)
        if failure is not None and rule in failure.rules:
            return failure
    return None


def blamed_near(suite: Any, near: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return the rules of `near` that a test blames, in `quick` one that generates nothing.

    No profile tries more than `quick` does: what is not broken is not found sooner by more.
    """
    blamed: set[str] = set()
    generated = settings.profile.name != "quick"
    quick = Settings(replace(PROFILES["quick"], shrinks=False), settings.seed)
    for name, check in tests_of(suite, near):
        if generated or len(check.rules) <= MANY_RULES:
            failure = run_test(suite, name, check, quick)
            blamed |= set(failure.rules if failure else ()) & set(near)
    return tuple(sorted(blamed))


MANY_RULES = 2
"""A test of more rules than these generates what it tries."""


def judge_in_process(told: Connection, name: str, settings: Settings) -> None:
    """Send what becomes of a mutant, and say nothing else: what hypothesis prints is not asked."""
    os.setpgid(0, 0)
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    told.send(judge(find_mutant(name), settings))


class Job:
    """A mutant that is judged in a process of its own."""

    def __init__(self, mutant: type[Broken], settings: Settings, seconds: float) -> None:
        self.mutant = mutant
        self.until = monotonic() + seconds
        self.answers, theirs = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(
            target=judge_in_process, args=(theirs, mutant.__name__, settings)
        )
        self.process.start()
        self.pid: int = self.process.pid  # type: ignore[assignment]  # it has one once started
        theirs.close()

    def kill(self) -> Kill | None:
        """Return what became of the mutant, if that is known by now."""
        if self.answers.poll():
            try:
                return self.answers.recv()  # type: ignore[no-any-return]
            except EOFError:
                return self.survived(f"the process ended: {self.process.exitcode}")
        return self.survived("out of time") if monotonic() > self.until else None

    def survived(self, why: str) -> Kill:
        mutant = self.mutant
        return Kill(mutant.__name__, mutant.killed_by, "", killed=False, said=why, near=mutant.near)

    def stop(self) -> None:
        """End the process with all that it started."""
        self.answers.close()
        if self.process.is_alive():
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError):  # it ended, or leads no group yet
                    kill(self.pid, signal.SIGKILL)
        self.process.join()


def run_all(
    mutants: Sequence[type[Broken]], settings: Settings, jobs: int, seconds: float
) -> Iterator[Kill]:
    """Yield what became of each mutant, as soon as it is known; `jobs` are judged at a time."""
    waiting, running = list(mutants)[::-1], list[Job]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Job(waiting.pop(), settings, seconds))
            soonest = min(job.until for job in running)
            wait([job.answers for job in running], max(0.0, soonest - monotonic()) + 0.01)
            for job in list(running):
                if (kill := job.kill()) is not None:
                    running.remove(job)
                    job.stop()
                    yield kill
    finally:
        for job in running:
            job.stop()


def ignore(kill: Kill) -> None:
    """Nobody is told before the end."""


def selftest(
    mutants: Sequence[type[Broken]],
    profile: ProfileName = "quick",
    seed: int = 0,
    jobs: int = 0,
    tell: Callable[[Kill], None] = ignore,
) -> SelfTest:
    """Judge the mutants and return what became of them, in their order; `tell` of each at once."""
    settings = Settings(replace(PROFILES[profile], shrinks=False), seed)
    kills = {}
    for kill in run_all(mutants, settings, jobs or os.cpu_count() or 1, 3 * SECONDS[profile]):
        kills[kill.mutant] = kill
        tell(kill)
    in_order = tuple(kills[mutant.__name__] for mutant in mutants)
    return SelfTest(profile, seed, datetime.now(UTC).replace(microsecond=0), in_order)
