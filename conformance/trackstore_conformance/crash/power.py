"""Losses of power: the next process is given what a store had synced, and nothing else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import astuple

from trackstore_conformance.bench import Bench
from trackstore_conformance.crash.engine import half, tracer
from trackstore_conformance.crash.kinds import Kind, Rules, Step, Workload
from trackstore_conformance.crash.replay import FAMILIES, CannotReplay, Disk, Tree, is_write, make
from trackstore_conformance.crash.tracing import (
    ANSWERS,
    CHANGING,
    SystemCall,
    spread,
    traced_calls,
)
from trackstore_conformance.crash.trial import Trial
from trackstore_conformance.skips import not_exercised
from trackstore_conformance.violations import Violation

M = TypeVar("M")
WITH_DATA = ("-xx", "-s", "1000000000", "-e", traced_calls(*FAMILIES, *CHANGING, ANSWERS))


class Way(StrEnum):
    """What is lost."""

    STRICT = "all that was not synced was lost"
    NAMES_KEPT = "names were kept, and bytes that were not synced were lost"
    FIRST_PART = "of the last write only the first sectors were kept"
    GAP = "of the last write one sector was lost"


CUTS = (Way.FIRST_PART, Way.GAP)


class Moment(Struct):
    """When the power goes: so many steps were acknowledged, and one was perhaps under way."""

    acknowledged: int
    is_under_way: bool
    after: str
    """The system call before it."""
    lost: Tree
    """What is on the disk."""
    way: Way
    kept: Tree
    """What would be there, had nothing been lost."""


def lose_power(bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
    """Lose it at acknowledgements and between writes, and judge what the next process finds."""
    outages = Outages(bench, kind, work)
    trial = outages.trial()
    root = bench.folder
    with trial.worker() as worker, tracer(bench, worker, *WITH_DATA) as trace:
        trial.work(worker, may_die=False)
        worker.kill()
        calls = trace.calls()
    random = Random(f"{bench.seed}-power-{work.name}")
    try:
        found = moments(Disk(root), calls, half(bench), random)
        for moment in bench.in_time(random.sample(found, len(found))):
            outages.judge(moment)
    except CannotReplay as error:
        not_exercised(f"what this store syncs cannot be told from its system calls: {error}")


def moments(disk: Disk, calls: Sequence[SystemCall], most: int, random: Random) -> list[Moment]:
    found: list[Moment] = []
    acknowledged = 0
    wanted = plan(calls, most, random)
    for at, call in enumerate(calls):
        ways = wanted.get(at, ())
        cuts = {way: disk.cut(call, is_first=way is Way.FIRST_PART) for way in ways}
        disk.replay(call)
        is_answer = call.name == ANSWERS
        acknowledged += is_answer
        kept = disk.nothing_lost() if ways else {}
        for way in ways:
            lost = cuts[way] if way in CUTS else left_by(disk, way)
            if lost is not None:
                found.append(Moment(acknowledged, not is_answer, call.name, lost, way, kept))
    if not any(moment.kept for moment in found):
        not_exercised("this store keeps nothing in its folder")
    return found


def plan(calls: Sequence[SystemCall], most: int, random: Random) -> Mapping[int, Sequence[Way]]:
    """Return when the power goes, and what then is lost; the last time is when all is done."""
    answers = [at for at, call in enumerate(calls) if call.name == ANSWERS]
    changes = [at for at, call in enumerate(calls) if call.name in CHANGING and call.may_change]
    writes = [at for at in changes if is_write(calls[at])]
    found: defaultdict[int, list[Way]] = defaultdict(list)
    found[answers[-1]].append(Way.STRICT)
    for among, share, ways in (
        (answers, 4, (Way.NAMES_KEPT, Way.STRICT)),
        (changes, 4, (Way.STRICT, Way.NAMES_KEPT)),
        (writes, 2, CUTS),
    ):
        for number, at in enumerate(spread(among, most // share, random)):
            found[at].append(ways[number % 2])
    return found


def left_by(disk: Disk, way: Way) -> Tree:
    return disk.strictly_synced() if way is Way.STRICT else disk.names_kept()


class Outages(Generic[M]):
    """Trials of one kind of work, each of which begins after a loss of power."""

    def __init__(self, bench: Bench[Any], kind: Kind[M], work: Workload) -> None:
        self.bench = bench
        self.kind = kind
        self.work = Workload(work.name, lambda random, lead: ((), joined(*work.make(random, lead))))
        rule = kind.rules.power
        self.rules = Rules(*[rule for _ in astuple(kind.rules)])

    def trial(self) -> Trial[M]:
        return Trial(self.bench, self.kind, self.work)

    def judge(self, moment: Moment) -> None:
        """Judge what is left; but if a plain copy of the files is not right, nothing is proven."""
        try:
            self.after(moment, moment.lost, moment.way)
        except Violation as violation:
            try:
                self.after(moment, moment.kept, "nothing was lost")
            except Violation as other:
                not_exercised(f"a copy of its files is not the store: {other.witness}")
            raise violation from None

    def after(self, moment: Moment, files: Tree, how: str) -> None:
        trial = self.trial()
        steps, count = trial.left, moment.acknowledged
        for step in steps[:count]:
            trial.model, _ = self.kind.after(trial.model, step)
        trial.left = steps[count:]
        where = f"after step {count} was acknowledged"
        if moment.is_under_way and trial.left:
            step = trial.begin()
            where = f"in step {count + 1}, {step}, after a {moment.after}"
        trial.say(f"power lost {where}: {how}")
        trial.rules = self.rules
        make(files, self.bench.folder)
        trial.judge()


def joined(prepared: Sequence[Step], steps: Sequence[Step]) -> list[Step]:
    return [*prepared, *steps]
