from trackstore.model import Batch
from trackstore.stores import BackendStore
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.concurrent.moments import look_while
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite
from trackstore_conformance.violations import Violation

RUNS = 8
LOOKS = 40


class ClaimTests(BackendSuite):
    """What only some stores claim, and no other test asks of them."""

    __test__ = False

    @rule("B-PAG-03", kind="conc")
    def test_a_page_of_runs_is_of_one_moment(self, bench: BackendBench) -> None:
        """While runs are tagged in turn, no page shows a later tag without an earlier one."""
        home = bench.experiment()
        runs = [bench.run(home, start_time=n * 7 % RUNS).id for n in range(RUNS)]
        begun = 0

        def write(number: int) -> None:
            nonlocal begun
            begun = number + 1
            turn = Batch(tags={"turn": str(number // RUNS + 1)})
            bench.store.log(runs[number % RUNS], turn)
            bench.evidence.operations += 1

        def look() -> None:
            least = begun - 1  # the last one may still be under way
            turns = read_turns(bench.second, home.id, runs)
            judge(turns, least, begun)
            bench.evidence.histories += 1

        look_while(write, look, bench.profile.rounds * LOOKS)
        judge(read_turns(bench.second, home.id, runs), begun, begun)


def read_turns(store: BackendStore, experiment_id: str, runs: list[str]) -> list[int]:
    """Return the tag of each run as one page shows it, in the order in which they are written."""
    page = store.scan_runs(experiment_id, None, None, RUNS + 1)
    turns = {run.id: int(run.tags.get("turn", "0")) for run in page.items}
    return [turns[run] for run in runs]


def judge(turns: list[int], least: int, most: int) -> None:
    """Refuse what the runs never were after a number of writes between `least` and `most`."""
    done = sum(turns)
    if turns != [done // RUNS + (n < done % RUNS) for n in range(RUNS)]:
        raise Violation("B-PAG-03", witness=f"one page has, of runs tagged in turn, {turns}")
    if not least <= done <= most:
        witness = f"a page shows {done} writes, begun after {least} and ended after {most}"
        raise Violation("B-PAG-03", witness=witness)
