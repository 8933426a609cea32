"""The concurrent engine: what it runs, what it blames, and what it leaves behind as proof."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import pytest
from msgspec import json
from msgspec.structs import replace

from trackstore.errors import BackendError, Unavailable
from trackstore.model import Applied, Batch
from trackstore.registry import open_artifact_store
from trackstore_conformance.bench import ArtifactBench, BackendBench
from trackstore_conformance.concurrent.engine import check, recheck
from trackstore_conformance.concurrent.program import Program
from trackstore_conformance.concurrent.workloads import ARTIFACT, BACKEND, WORKLOADS
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.harness import Harness
from trackstore_conformance.history import NEVER, Call, History
from trackstore_conformance.mutants.concurrent import CONCURRENT, ParamLookedUpFirst
from trackstore_conformance.mutants.concurrent_files import CONCURRENT_ARTIFACTS
from trackstore_conformance.mutants.wrapped import Mutant
from trackstore_conformance.mutants.writing import CheckThenAct
from trackstore_conformance.timeline import timeline
from trackstore_conformance.violations import OutOfTime, Violation

QUICK = replace(PROFILES["quick"], shrinks=False)
URL = "memory://{folder}"


def bench_on(opener: Any, folder: Path, **effort: Any) -> Any:
    kind = ArtifactBench if opener.__self__ in CONCURRENT_ARTIFACTS else BackendBench
    return kind(Harness(URL, opener), folder, Settings(replace(QUICK, **effort)))


def violation_of(opener: Any, folder: Path, workload: str, **effort: Any) -> Violation:
    with closing(bench_on(opener, folder, **effort)) as bench:
        with pytest.raises(Violation) as found:
            check(bench, WORKLOADS[workload], "threads")
        return found.value


FOUND_BY = {
    "ParamLookedUpFirst": "params",
    "OtherErrorInARace": "params",
    "UndoneAfterwards": "params",
    "HistoryWrittenBack": "points",
    "LatestWrittenBack": "points",
    "LatestOfAnOtherTime": "points",
    "TagsAppliedLater": "tags",
    "TagsInTwoPieces": "tags",
    "DeadlockReported": "tags",
    "BusyAtOnce": "points",
    "ForeignErrorInARace": "updates",
    "RunWrittenBack": "updates",
    "ReadsOfAnOtherTime": "updates",
    "StageCheckedFirst": "lifecycle",
    "ExperimentsStageCheckedFirst": "lifecycle",
    "MissRemembered": "get_or_create",
    "RenameChecksThenActs": "names",
    "RestoreChecksThenActs": "names",
    "AllLose": "create_only",
}
"""By which workload a mutant is found; those of files by theirs."""


@pytest.mark.parametrize("mutant", [*CONCURRENT, *CONCURRENT_ARTIFACTS], ids=lambda m: m.__name__)
def test_what_several_clients_break_is_blamed_on_its_rule(mutant: Any, tmp_path: Path) -> None:
    """By one workload, of which the rule is one; and the history shows it again offline."""
    name = FOUND_BY.get(mutant.__name__, "files")
    violation = violation_of(mutant.from_url, tmp_path, name)
    assert mutant.killed_by in violation.rules
    assert set(violation.rules) <= set(WORKLOADS[name].rules)
    assert violation.history is not None
    stored = json.decode(json.encode(violation.history), type=History)
    assert {finding.rule for finding in recheck(stored)} == set(violation.rules)


class LostReplies(Mutant):
    """Applies every fourth batch and says that it does not know, and drops every ninth likewise."""

    killed_by = "B-ERR-02"
    calls: ClassVar[Iterator[int]]

    def log(self, run_id: str, batch: Batch) -> Applied:
        number = next(self.calls)
        if number % 9 == 0:
            raise Unavailable("no reply", outcome="unknown")
        applied = super().log(run_id, batch)
        if number % 4 == 0:
            raise Unavailable("no reply", outcome="unknown")
        return applied


@pytest.mark.parametrize("workload", BACKEND, ids=lambda w: w.name)
def test_an_unknown_outcome_is_no_fault(workload: Any, tmp_path: Path) -> None:
    """What may have happened or not explains whatever is seen of it."""
    LostReplies.calls = iter(range(1, 10**9))
    with closing(bench_on(LostReplies.from_url, tmp_path)) as bench:
        check(bench, workload, "threads")
        assert bench.evidence.histories == QUICK.histories
        assert bench.evidence.operations > 100


class NothingIsKnown(Mutant):
    """Never says if a batch was applied."""

    killed_by = "B-ERR-02"

    def log(self, run_id: str, batch: Batch) -> Applied:
        super().log(run_id, batch)
        raise BackendError("no reply", outcome="unknown")

    def get_run(self, run_id: str) -> Any:
        raise BackendError(f"no reply of {run_id}", outcome="unknown")


def test_a_store_of_which_nothing_is_known_is_not_passed(tmp_path: Path) -> None:
    """Most outcomes are unknown, so nothing could have been found."""
    with (
        closing(bench_on(NothingIsKnown.from_url, tmp_path)) as bench,
        pytest.raises(OutOfTime, match="have an unknown outcome"),
    ):
        check(bench, WORKLOADS["tags"], "threads")


class Hangs(Mutant):
    """Does not come back from its thirtieth batch, until it is let go."""

    killed_by = "B-CON-02"
    let_go: ClassVar[Event]
    calls: ClassVar[Iterator[int]]

    def log(self, run_id: str, batch: Batch) -> Applied:
        if next(self.calls) == 30:
            self.let_go.wait()
        return super().log(run_id, batch)


def test_a_store_that_hangs_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    """A program that does not end is unknown, and what was seen so far is judged."""
    Hangs.let_go, Hangs.calls = Event(), iter(range(1, 10**9))
    try:
        with (
            closing(bench_on(Hangs.from_url, tmp_path, seconds_per_test=1.5)) as bench,
            pytest.raises(OutOfTime, match="of 8 threads did not come to their end"),
        ):
            check(bench, WORKLOADS["points"], "threads")
        assert bench.evidence.histories
    finally:
        Hangs.let_go.set()


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda w: w.name)
def test_a_program_is_data_and_comes_from_its_seed(workload: Any) -> None:
    """The same seed gives the same program, which can be stored; eight clients at most."""
    program = workload.generate(7, 12)
    assert json.decode(json.encode(program), type=Program) == program
    assert workload.generate(7, 12) == program != workload.generate(8, 12)
    assert 2 <= program.clients <= 8
    assert program.seed == 7


@pytest.mark.parametrize("workload", ARTIFACT, ids=lambda w: w.name)
def test_processes_and_threads_run_the_same_programs(workload: Any, tmp_path: Path) -> None:
    """A store that is right passes with either."""
    harness = Harness("file://{folder}/artifacts", open_artifact_store)
    with closing(ArtifactBench(harness, tmp_path, Settings(replace(QUICK, histories=1)))) as bench:
        check(bench, workload, "threads")
        threads = bench.evidence.operations
        check(bench, workload, "processes")
        assert bench.evidence.operations > threads
        assert bench.evidence.histories == 2


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory) -> Violation:
    """Return what is found of a store that looks before it writes a param, made smaller."""
    folder = tmp_path_factory.mktemp("reduced")
    return violation_of(ParamLookedUpFirst.from_url, folder, "params", shrinks=True)


def test_a_program_that_fails_is_made_smaller(reduced: Violation) -> None:
    """The history of the smaller one shows the same rules broken, and nothing was forgotten."""
    assert reduced.history is not None
    whole = WORKLOADS["params"].generate(reduced.history.seed, QUICK.rounds)
    during = [call for call in reduced.history.calls if call.client]
    assert len(during) < sum(1 for _ in whole.steps) / 3
    assert {finding.rule for finding in recheck(reduced.history)} >= set(reduced.rules)


def test_the_script_of_a_race_needs_only_the_store(reduced: Violation, tmp_path: Path) -> None:
    """It runs on the store, and tells how often each outcome came."""
    assert reduced.script is not None
    script = tmp_path / "race.py"
    script.write_text(reduced.script)
    assert "trackstore_conformance.concurrent" not in reduced.script
    done = subprocess.run(
        [sys.executable, script, f"memory://{tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    counts = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert sum(counts) > 10
    assert len(reduced.script.splitlines()) < 90


SVG = "{http://www.w3.org/2000/svg}"


def test_several_rules_are_all_proven(tmp_path: Path) -> None:
    """Where the smaller program shows one of them, the history of the whole one is kept."""
    violation = violation_of(CheckThenAct.from_url, tmp_path, "names", shrinks=True)
    assert len(violation.rules) > 1
    assert violation.history is not None
    assert {finding.rule for finding in recheck(violation.history)} == set(violation.rules)


def test_a_history_is_drawn(reduced: Violation) -> None:
    """A bar for each call, in its client's lane; those that prove the fault stand out."""
    assert reduced.history is not None
    marked = recheck(reduced.history)[0].calls
    picture = ET.fromstring(timeline(reduced.history, marked=marked))
    bars = list(picture.iter(f"{SVG}rect"))
    assert len(bars) == len(reduced.history.calls)
    assert sum("marked" in bar.attrib["class"] for bar in bars) == len(marked)
    assert len({bar.attrib["y"] for bar in bars}) == len({c.client for c in reduced.history.calls})


def test_odd_calls_are_drawn_too() -> None:
    """One that never returned, and one whose words are markup."""
    odd = Call(1, "log", {"tags": {"<b>": '"&'}}, 5, NEVER, "unknown", "<i>")
    picture = ET.fromstring(timeline(History("tags", (odd,))))
    (bar,) = picture.iter(f"{SVG}rect")
    assert bar.attrib["class"] == "unknown"
    assert any("<b>" in (title.text or "") for title in picture.iter(f"{SVG}title"))
    assert ET.fromstring(timeline(History("tags", ()))).tag == f"{SVG}svg"


def test_a_history_of_another_suite_is_not_judged() -> None:
    """Its workload is unknown, and it says so."""
    with pytest.raises(LookupError, match="no workload 'dances'"):
        recheck(History("dances", ()))


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda w: w.name)
def test_an_empty_history_shows_nothing(workload: Any) -> None:
    """No call, no fault."""
    assert recheck(History(workload.name, ())) == []
