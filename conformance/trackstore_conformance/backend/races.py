from collections.abc import Callable
from typing import Any

from trackstore.model import Metric
from trackstore_conformance import race_work
from trackstore_conformance.checkers import last_writer, only_grows, torn, unique_winner
from trackstore_conformance.harness import BackendBench, BackendSuite
from trackstore_conformance.races import WORKERS, race_processes, race_threads
from trackstore_conformance.rules import rule

Race = Callable[..., list[Any]]
ROUNDS = 12


def threads(bench: BackendBench) -> Race:
    """Race threads, half of them on each of two handles."""
    return lambda work, *args: race_threads([bench.store, bench.second], work, *args)


def processes(bench: BackendBench) -> Race:
    return lambda work, *args: race_processes(bench.opener, bench.url, work, *args)


class RaceTests(BackendSuite):
    """Each race is run by eight threads, and by eight processes unless the store is ephemeral."""

    __test__ = False

    @rule("B-EXP-02", "B-EXP-06", "B-EXP-07")
    def test_threads_that_claim_a_name(self, bench: BackendBench) -> None:
        """Of those that create, rename and restore into one name, one succeeds."""
        self.claim(bench, threads(bench))

    @rule("B-EXP-02", "B-EXP-06", "B-EXP-07", needs=["processes"])
    def test_processes_that_claim_a_name(self, bench: BackendBench) -> None:
        """Of those that create, rename and restore into one name, one succeeds."""
        self.claim(bench, processes(bench))

    def claim(self, bench: BackendBench, race: Race) -> None:
        claims = self.claims(bench)
        race_work.prepare_claims(bench.store, claims)
        results = race(race_work.claim_names, claims)
        for name, ids in claims.items():
            winner = unique_winner([each[name] for each in results], "AlreadyExists name")
            assert bench.store.find_experiment(name).id == ids[winner]

    def claims(self, bench: BackendBench) -> dict[str, list[str]]:
        """Return names, and for each an id for every worker."""
        names = [f"name {number}" for number in range(ROUNDS)]
        return {name: [bench.new_experiment_id() for _ in range(WORKERS)] for name in names}

    @rule("B-EXP-04")
    def test_threads_that_get_or_create(self, bench: BackendBench) -> None:
        """All get the same experiment."""
        self.get_or_create(bench, threads(bench))

    @rule("B-EXP-04", needs=["processes"])
    def test_processes_that_get_or_create(self, bench: BackendBench) -> None:
        """All get the same experiment."""
        self.get_or_create(bench, processes(bench))

    def get_or_create(self, bench: BackendBench, race: Race) -> None:
        claims = self.claims(bench)
        results = race(race_work.get_or_create, claims)
        for name in claims:
            assert {each[name] for each in results} == {bench.store.find_experiment(name).id}

    @rule("B-PAR-03", "B-PAR-04", "B-BAT-05")
    def test_threads_that_write_a_param(self, bench: BackendBench) -> None:
        """One value wins, the others are a `Conflict`, and of their batches nothing is stored."""
        self.write_params(bench, threads(bench))

    @rule("B-PAR-03", "B-PAR-04", "B-BAT-05", needs=["processes"])
    def test_processes_that_write_a_param(self, bench: BackendBench) -> None:
        """One value wins, the others are a `Conflict`, and of their batches nothing is stored."""
        self.write_params(bench, processes(bench))

    def write_params(self, bench: BackendBench, race: Race) -> None:
        run = bench.run(tags={})
        keys = [f"p{number}" for number in range(ROUNDS)]
        results = race(race_work.write_params, run.id, keys)
        found = bench.store.get_run(run.id)
        winners = {}
        for key in keys:
            winners[key] = winner = unique_winner([each[key][0] for each in results], "Conflict")
            assert {each[key][1] for each in results} == {str(winner)}
            assert [point.value for point in bench.history(run.id, key)] == [float(winner)]
        assert found.tags == {f"{key} {winner}": "1" for key, winner in winners.items()}
        assert found.params == {
            name: value
            for key, winner in winners.items()
            for name, value in {
                f"{key} before {winner}": "1",
                key: str(winner),
                f"{key} after {winner}": "1",
            }.items()
        }

    @rule("B-TAG-02", "B-TAG-03", "B-BAT-06", "B-CON-02", needs=["tag_reads"])
    def test_threads_that_write_a_tag(self, bench: BackendBench) -> None:
        """Nobody reads his own tag as it was before, or as nobody wrote it; a last write stays."""
        self.write_tag(bench, threads(bench))

    @rule("B-TAG-02", "B-TAG-03", "B-BAT-06", "B-CON-02", needs=["processes", "tag_reads"])
    def test_processes_that_write_a_tag(self, bench: BackendBench) -> None:
        """Nobody reads his own tag as it was before, or as nobody wrote it; a last write stays."""
        self.write_tag(bench, processes(bench))

    def write_tag(self, bench: BackendBench, race: Race) -> None:
        run = bench.run(tags={})
        results = race(race_work.write_tag, run.id, ROUNDS)
        tags = bench.store.get_run(run.id).tags
        for place, key in enumerate("tu"):
            last_writer([[seen[place] for seen in reads] for reads in results], tags[key])
        assert all(first == second for reads in results for first, second in reads)

    @rule("B-MET-02", "B-MET-07")
    def test_threads_that_add_points(self, bench: BackendBench) -> None:
        """No point is lost or doubled, and the latest one never goes back."""
        self.add_points(bench, threads(bench))

    @rule("B-MET-02", "B-MET-07", needs=["processes"])
    def test_processes_that_add_points(self, bench: BackendBench) -> None:
        """No point is lost or doubled, and the latest one never goes back."""
        self.add_points(bench, processes(bench))

    def add_points(self, bench: BackendBench, race: Race) -> None:
        run = bench.run()
        for reads in race(race_work.add_points, run.id, ROUNDS):
            only_grows(reads)
        own = [
            Metric("own", float(index), time, step)
            for step in range(ROUNDS)
            for time in range(3)
            for index in range(WORKERS)
        ]
        assert bench.history(run.id, "own") == own
        assert bench.history(run.id, "all") == [Metric("all", 1.0, n, n) for n in range(ROUNDS)]
        assert bench.store.get_run(run.id).metrics["own"] == own[-1]

    @rule("B-BAT-02")
    def test_threads_that_read_while_batches_are_written(self, bench: BackendBench) -> None:
        """A reader sees all of a batch or nothing of it, in a run and in a scan."""
        self.read_tokens(bench, threads(bench))

    @rule("B-BAT-02", needs=["processes"])
    def test_processes_that_read_while_batches_are_written(self, bench: BackendBench) -> None:
        """A reader sees all of a batch or nothing of it, in a run and in a scan."""
        self.read_tokens(bench, processes(bench))

    def read_tokens(self, bench: BackendBench, race: Race) -> None:
        run = bench.run(tags={})
        bench.store.log(run.id, race_work.token_batch(0))
        for reads in race(race_work.write_or_read_tokens, run, 3 * ROUNDS):
            assert [seen for seen in reads if torn(seen, race_work.writer_of)] == []
        found = race_work.tokens_of(bench.store.get_run(run.id))
        assert found[2] == found[3]
        assert len(found[2]) == 1 + race_work.WRITERS * 3 * ROUNDS

    @rule("B-RUN-02")
    def test_threads_that_log_while_a_run_is_deleted(self, bench: BackendBench) -> None:
        """What was accepted is there, and what was refused left nothing."""
        self.log_or_delete(bench, threads(bench))

    @rule("B-RUN-02", needs=["processes"])
    def test_processes_that_log_while_a_run_is_deleted(self, bench: BackendBench) -> None:
        """What was accepted is there, and what was refused left nothing."""
        self.log_or_delete(bench, processes(bench))

    def log_or_delete(self, bench: BackendBench, race: Race) -> None:
        home = bench.experiment()
        runs = [bench.run(home, tags={}).id for _ in range(ROUNDS)]
        results = race(race_work.log_or_delete, runs)
        for run_id in runs:
            ways = [each[run_id] for each in results]
            assert ways[0] == "ok"
            assert set(ways) <= {"ok", "InvalidState"}
            found = bench.store.get_run(run_id)
            accepted = {f"by {index}": "1" for index in range(1, WORKERS) if ways[index] == "ok"}
            assert found.tags == found.params == accepted

    @rule("B-MIG-02")
    def test_threads_that_start_on_a_new_store(self, bench: BackendBench) -> None:
        """All succeed, and each finds what the others did."""
        self.start(bench, threads(bench))

    @rule("B-MIG-02", needs=["processes"])
    def test_processes_that_start_on_a_new_store(self, bench: BackendBench) -> None:
        """All succeed, and each finds what the others did; three new stores in turn."""
        for _ in range(3):
            self.start(bench, processes(bench))
            bench.move()

    def start(self, bench: BackendBench, race: Race) -> None:
        assert [way for way in race(race_work.start) if way != "ok"] == []
        assert {each.name for each in bench.experiments()} == {f"name {i}" for i in range(WORKERS)}
