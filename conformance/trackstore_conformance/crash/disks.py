"""Disks that fail at one write, or are full for a while: the worker lives, and must cope."""

from collections.abc import Sequence
from random import Random
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from trackstore_conformance.bench import Bench
from trackstore_conformance.crash.child import close
from trackstore_conformance.crash.engine import half, traced, tracer
from trackstore_conformance.crash.kinds import Kind, Workload, may_end, run
from trackstore_conformance.crash.nursery import Worker
from trackstore_conformance.crash.tracing import Point, chosen, of_changes
from trackstore_conformance.crash.trial import Trial, ending
from trackstore_conformance.outcomes import Outcome

M = TypeVar("M")
TAKES_ROOM = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"),
    *("ftruncate", "fallocate", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat"),
    *("rename", "renameat", "renameat2", "openat", "open", "creat"),
)
"""Calls that a full disk can refuse; a rename makes its folder longer."""
WHEN_FULL = tuple(name for name in TAKES_ROOM if name not in {"open", "openat", "creat"})
"""Without those that are mostly made to read."""
FAILS = ("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "msync", "unlink")
"""Calls that a disk which breaks can refuse, beside them."""
DISK_ERRORS = ("BackendError", "Unavailable")


def fail_at_every_write(bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
    """Let one system call fail, each time another one; full disks and broken ones alternate."""
    _, places = traced(bench, kind, work)
    random = Random(f"{bench.seed}-disk-{work.name}")
    found = [at for at in places if errors_of(at)]
    for number, at in enumerate(bench.in_time(chosen(found, half(bench), random))):
        errors = errors_of(at)
        fail_once(bench, kind, work, at, errors[number % len(errors)])


def errors_of(at: Point) -> Sequence[str]:
    full = ("ENOSPC",) if at.name in TAKES_ROOM else ()
    return (*full, "EIO") if at.name in FAILS else full


def fail_once(bench: Bench[Any], kind: Kind[M], work: Workload, at: Point, error: str) -> None:
    sufferer = Sufferer(bench, kind, work)
    sufferer.trial.say(f"{error} from {at}")
    strike = of_changes(f"{at.name}:error={error}:when={at.when}")
    with sufferer.trial.worker() as worker, tracer(bench, worker, *strike):
        while sufferer.trial.left:
            found = sufferer.attempt(worker)
            sufferer.take(worker, found, may_fail=not sufferer.failures)
        sufferer.close(worker)
    sufferer.trial.judge()


def fill_now_and_then(bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
    """Fill the disk during each call, and free it again: one handle lives through it all.

    It is full from the first write of the call on, or from the second or the third.
    """
    sufferer = Sufferer(bench, kind, work)
    names = ",".join(f"?{name}" for name in WHEN_FULL)
    with sufferer.trial.worker() as worker:
        while left := len(sufferer.trial.left):
            first = 1 + left % 3
            full = of_changes(f"{names}:error=ENOSPC:when={first}+")
            with tracer(bench, worker, *full):
                found = sufferer.attempt(worker)
            sufferer.trial.say(f"ENOSPC from write {first} of one call on")
            if sufferer.take(worker, found, may_fail=True):
                sufferer.take(worker, sufferer.attempt(worker), may_fail=False)
        sufferer.close(worker)
    sufferer.trial.judge()


class Sufferer(Generic[M]):
    """A trial in which the disk fails, and what the store makes of it.

    A call must succeed or raise an error of the contract, which tells the truth about what was
    written; whatever is wrong after that is the failure's fault.
    """

    def __init__(self, bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
        rule = kind.rules.disk
        self.trial = Trial(bench, kind, work)
        self.trial.rules = replace(kind.rules, lost=rule, torn=rule, repair=rule)
        self.failures = 0

    def attempt(self, worker: Worker) -> Outcome:
        return self.trial.ask(worker, run, self.trial.begin())

    def take(self, worker: Worker, found: Outcome, *, may_fail: bool) -> bool:
        """Check the answer to a call; return whether the call is left to be done again."""
        trial, step = self.trial, self.trial.cut
        assert step is not None
        _, ways = trial.kind.after(trial.model, step)
        if may_end(ways, found):
            trial.end(found)
            return False
        trial.say(f"{step} {ending(found)}")
        if not (may_fail and is_of_disk(found)):
            trial.accuse(trial.rules.disk, "that is not how it may end")
        self.failures += 1
        trial.settle_by(self.look(worker))
        is_left = trial.left[:1] == [step]
        if not is_left and "unknown" not in found.ways[0]:
            trial.accuse(trial.rules.outcome, "it was there, though its outcome was 'none'")
        return is_left

    def look(self, worker: Worker) -> Outcome:
        return self.trial.ask(worker, self.trial.kind.look(), self.trial.program)

    def close(self, worker: Worker) -> None:
        found = self.trial.ask(worker, close)
        if found.ways != ("ok",) and (self.failures or not is_of_disk(found)):
            self.trial.accuse(self.trial.rules.disk, f"close() {ending(found)}")
        self.trial.say("the next process opened the store")


def is_of_disk(found: Outcome) -> bool:
    return found.ways[0].partition(",")[0] in DISK_ERRORS
