from msgspec.structs import replace

from trackstore.model import (
    RUN_NAME,
    Batch,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    RunChanges,
    RunStatus,
)
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
DELETE, RESTORE = RunChanges(lifecycle_stage=DELETED), RunChanges(lifecycle_stage=ACTIVE)
SOME_DATA = Batch(metrics=[Metric("m", 1.0, 1, 1)], params={"p": "1"}, tags={"t": "1"})


class RunTests(BackendSuite):
    __test__ = False

    @rule("B-RUN-01")
    def test_a_run_is_read_as_it_was_created(self, bench: BackendBench) -> None:
        """Every field comes back, also those that the front seldom sets."""
        run = bench.run(
            start_time=2**63 - 1,
            end_time=0,
            status=RunStatus.SCHEDULED,
            user_id="ada é",
            artifact_uri="s3://b/é 1",
            tags={RUN_NAME: "calm-fox-1", "t": ""},
        )
        assert seen(bench.second.get_run(run.id)) == seen(run)
        assert seen(bench.store.create_run(run)) == seen(run)

    @rule("B-RUN-01")
    def test_any_status_may_follow_any_other(self, bench: BackendBench) -> None:
        """A run that ended may go on, and its end time be set and unset."""
        run = bench.run()
        ways = [RunStatus.FINISHED, RunStatus.RUNNING, RunStatus.KILLED, RunStatus.SCHEDULED]
        for number, status in enumerate([*ways, RunStatus.FAILED, RunStatus.FINISHED]):
            end = None if status is RunStatus.RUNNING else number
            bench.store.update_run(run.id, RunChanges(status=status, end_time=end))
            expected = replace(run, status=status, end_time=end)
            assert seen(bench.second.get_run(run.id)) == seen(expected)

    @rule("B-RUN-01")
    def test_only_the_given_fields_of_a_run_change(self, bench: BackendBench) -> None:
        """Ending a run leaves its tags, and setting a tag leaves its status."""
        run = bench.run()
        bench.store.log(run.id, SOME_DATA)
        bench.store.update_run(run.id, RunChanges(status=RunStatus.FINISHED))
        assert bench.second.get_run(run.id).end_time is None
        bench.store.update_run(run.id, RunChanges(end_time=5))
        bench.second.update_run(run.id, RunChanges(tags={"t": "2", "u": "3"}))
        found = bench.store.get_run(run.id)
        assert (found.status, found.end_time) == (RunStatus.FINISHED, 5)
        assert found.tags == {RUN_NAME: "a run", "t": "2", "u": "3"}
        assert found.params == {"p": "1"}
        assert found.metrics == {"m": Metric("m", 1.0, 1, 1)}

    @rule("B-RUN-01")
    def test_a_run_once_returned_never_changes(self, bench: BackendBench) -> None:
        """What a store returned, and what it was given, has no tie to what it keeps."""
        tags, home_tags = {"t": "1"}, {"t": "1"}
        run = bench.run(bench.experiment(tags=home_tags), tags=tags)
        before = bench.store.get_run(run.id)
        tags["t"] = home_tags["t"] = "changed by the caller"
        assert bench.store.get_run(run.id).tags == {"t": "1"}
        assert bench.store.get_experiment(run.experiment_id).tags == {"t": "1"}
        params = {"p": "1"}
        bench.store.log(run.id, Batch(params=params, tags={"t": "2"}))
        params["p"] = "changed by the caller"
        assert (before.tags, before.params) == ({"t": "1"}, {})
        assert bench.store.get_run(run.id).params == {"p": "1"}

    @rule("B-RUN-02")
    def test_a_deleted_run_takes_no_write(self, bench: BackendBench) -> None:
        """Logging and editing raise `InvalidState` and leave the run as it was."""
        run = bench.run()
        bench.store.log(run.id, SOME_DATA)
        bench.store.update_run(run.id, replace(DELETE, deleted_time=7))
        deleted = bench.store.get_run(run.id)
        assert (deleted.lifecycle_stage, deleted.deleted_time) == (DELETED, 7)
        batches = (
            Batch(metrics=[Metric("m", 2.0, 2, 2)]),
            Batch(params={"q": "1"}),
            Batch(tags={"t": "2"}),
            Batch(deleted_tags=["t"]),
        )
        for batch in batches:
            assert outcome(bench.second.log, run.id, batch).ways == ("InvalidState",)
        for changes in (RunChanges(status=RunStatus.FAILED), RunChanges(tags={"t": "2"})):
            assert outcome(bench.second.update_run, run.id, changes).ways == ("InvalidState",)
        assert seen(bench.store.get_run(run.id)) == seen(deleted)
        assert len(bench.history(run.id, "m")) == 1

    @rule("B-RUN-02")
    def test_deleting_and_restoring_a_run_twice_is_harmless(self, bench: BackendBench) -> None:
        """A repeated delete or restore succeeds; restoring may come with other changes."""
        run = bench.run()
        for changes, stage in ((DELETE, DELETED), (DELETE, DELETED), (RESTORE, ACTIVE)):
            bench.store.update_run(run.id, changes)
            assert bench.second.get_run(run.id).lifecycle_stage is stage
        bench.store.update_run(run.id, RESTORE)
        assert seen(bench.store.get_run(run.id)) == seen(run)
        bench.store.update_run(run.id, DELETE)
        bench.store.update_run(run.id, replace(RESTORE, status=RunStatus.FAILED, tags={"t": "1"}))
        assert bench.store.get_run(run.id).status is RunStatus.FAILED
        bench.store.update_run(run.id, replace(DELETE, tags={"t": "2"}))
        assert bench.store.get_run(run.id).tags["t"] == "2"

    @rule("B-RUN-03")
    def test_a_run_is_active_only_while_its_experiment_is(self, bench: BackendBench) -> None:
        """Deleting an experiment makes its runs deleted, and restoring it restores but them."""
        home = bench.experiment()
        active, deleted = bench.run(home), bench.run(home)
        bench.store.update_run(deleted.id, DELETE)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=DELETED))
        assert bench.second.get_run(active.id).lifecycle_stage is DELETED
        assert bench.runs(home.id, ACTIVE) == []
        assert len(bench.runs(home.id, DELETED)) == 2
        assert outcome(bench.store.log, active.id, SOME_DATA).ways == ("InvalidState",)
        assert outcome(bench.store.create_run, bench.new_run(home.id)).ways == ("InvalidState",)
        ending = RunChanges(status=RunStatus.FINISHED)
        assert outcome(bench.store.update_run, active.id, ending).ways == ("InvalidState",)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=ACTIVE))
        assert [run.id for run in bench.runs(home.id, ACTIVE)] == [active.id]
        assert [run.id for run in bench.runs(home.id, DELETED)] == [deleted.id]
        assert seen(bench.store.get_run(active.id)) == seen(active)

    @rule("B-RUN-03")
    def test_a_stage_set_in_a_deleted_experiment_holds_later(self, bench: BackendBench) -> None:
        """A run's own stage may change while its experiment is deleted, and counts afterwards."""
        home = bench.experiment()
        run = bench.run(home)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=DELETED))
        bench.store.update_run(run.id, DELETE)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=ACTIVE))
        assert bench.store.get_run(run.id).lifecycle_stage is DELETED

    @rule("B-RUN-04")
    def test_a_repeated_creation_of_a_run_is_harmless(self, bench: BackendBench) -> None:
        """The same id and creation fields give the stored run, with what was logged since."""
        run = bench.run()
        bench.store.log(run.id, SOME_DATA)
        bench.store.update_run(run.id, RunChanges(status=RunStatus.FINISHED))
        now = bench.store.get_run(run.id)
        for _ in range(3):
            again = replace(run, artifact_uri="elsewhere", tags={**run.tags, "new": "1"})
            assert seen(bench.second.create_run(again)) == seen(now)
        assert seen(bench.store.get_run(run.id)) == seen(now)
        assert len(bench.runs(run.experiment_id)) == 1

    @rule("B-RUN-04")
    def test_a_known_run_id_with_other_fields_is_refused(self, bench: BackendBench) -> None:
        """Another experiment, start, user or name under a known id raises `AlreadyExists`."""
        run = bench.run()
        others = (
            replace(run, experiment_id=bench.experiment().id),
            replace(run, start_time=5),
            replace(run, user_id="bob"),
            replace(run, tags={RUN_NAME: "another"}),
        )
        for other in others:
            assert outcome(bench.store.create_run, other).ways == ("AlreadyExists id",)
        assert seen(bench.store.get_run(run.id)) == seen(run)

    @rule("B-RUN-05")
    def test_the_name_of_a_run_is_its_tag(self, bench: BackendBench) -> None:
        """A new name is written and read as the tag, by whichever way it came."""
        run = bench.run()
        bench.store.update_run(run.id, RunChanges(tags={RUN_NAME: "second"}))
        assert bench.second.get_run(run.id).name == "second"
        bench.store.log(run.id, Batch(tags={RUN_NAME: "third"}))
        found = bench.second.get_run(run.id)
        assert (found.name, found.tags) == ("third", {RUN_NAME: "third"})

    @rule("B-RUN-06")
    def test_unknown_ids_are_not_found(self, bench: BackendBench) -> None:
        """However odd an id is, or however like a known one, it raises `NotFound`."""
        run = bench.run(id=bench.new_run_id("a"))
        number = run.experiment_id
        like_it = (f"0{number}", f"+{number}", f" {number}", f"{number} ", f"{number}.0")
        arabic = number.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
        odd = ("", "x", "-1", "99999999999999999999", "1_0", "é", "' OR 1=1 --", "%", "x" * 300)
        for experiment_id in (*like_it, arabic, *odd):
            self.check_unknown_experiment(bench, experiment_id)
        for run_id in (run.id.upper(), run.id + " ", run.id[:-1], "%", *odd):
            self.check_unknown_run(bench, run_id)
        assert seen(bench.store.get_run(run.id)) == seen(run)

    def check_unknown_experiment(self, bench: BackendBench, experiment_id: str) -> None:
        store = bench.store
        changes = ExperimentChanges(tags={"t": "1"})
        assert outcome(store.get_experiment, experiment_id).ways == ("NotFound",), experiment_id
        assert outcome(store.update_experiment, experiment_id, changes).ways == ("NotFound",)
        assert outcome(store.purge_experiment, experiment_id).ways == ("NotFound",)
        assert outcome(store.create_run, bench.new_run(experiment_id)).ways == ("NotFound",)
        assert bench.runs(experiment_id) == []

    def check_unknown_run(self, bench: BackendBench, run_id: str) -> None:
        store = bench.store
        assert outcome(store.get_run, run_id).ways == ("NotFound",), run_id
        assert outcome(store.update_run, run_id, DELETE).ways == ("NotFound",)
        assert outcome(store.log, run_id, SOME_DATA).ways == ("NotFound",)
        assert outcome(store.metric_history, run_id, "m", None, 1).ways == ("NotFound",)
        assert outcome(store.purge_run, run_id).ways == ("NotFound",)

    @rule("B-RUN-07")
    def test_a_purged_run_is_gone_and_leaves_nothing(self, bench: BackendBench) -> None:
        """Every call on it raises `NotFound`, and a run made next inherits none of its data."""
        home = bench.experiment()
        run = bench.run(home)
        bench.store.log(run.id, SOME_DATA)
        assert outcome(bench.store.purge_run, run.id).ways == ("InvalidState",)
        bench.store.update_run(run.id, DELETE)
        bench.store.purge_run(run.id)
        self.check_unknown_run(bench, run.id)
        assert bench.runs(home.id) == []
        new = bench.run(home)
        assert seen(bench.second.get_run(new.id)) == seen(new)
        assert bench.history(new.id, "m") == []

    @rule("B-RUN-07")
    def test_a_purge_touches_no_other_run(self, bench: BackendBench) -> None:
        """The data of a run in the same experiment is as before."""
        home = bench.experiment()
        gone, kept = bench.run(home), bench.run(home)
        for run in (gone, kept):
            bench.store.log(run.id, SOME_DATA)
        before = bench.store.get_run(kept.id)
        bench.store.update_run(gone.id, DELETE)
        bench.store.purge_run(gone.id)
        assert seen(bench.second.get_run(kept.id)) == seen(before)
        assert bench.history(kept.id, "m") == [Metric("m", 1.0, 1, 1)]

    @rule("B-PAG-01")
    def test_runs_are_listed_newest_first_then_by_id(self, bench: BackendBench) -> None:
        """Pages of every size give the same rows in the same order, and never too many."""
        home = bench.experiment()
        starts = [5, 0, 5, 2**63 - 1, 5, 3]
        runs = [
            bench.run(home, id=bench.new_run_id(lead), start_time=start)
            for lead, start in zip("9a0f55", starts, strict=True)
        ]
        expected = [run.id for run in sorted(runs, key=lambda run: (-run.start_time, run.id))]
        for limit in (1, 2, 3, 5, 6, 1_000):
            assert [run.id for run in bench.runs(home.id, limit=limit)] == expected, limit
        page = bench.store.scan_runs(home.id, None, None, 2)
        assert len(page.items) == 2
        assert page.next == (page.items[-1].start_time, page.items[-1].id)
        assert bench.store.scan_runs(home.id, None, None, 6).next is None

    @rule("B-PAG-02")
    def test_pages_of_runs_stand_while_others_come_and_go(self, bench: BackendBench) -> None:
        """Between two pages runs are created, deleted and purged: no other is missed or doubled."""
        home = bench.experiment()
        runs = [bench.run(home, start_time=start) for start in range(6)]
        first = bench.store.scan_runs(home.id, ACTIVE, None, 2)
        assert [run.id for run in first.items] == [runs[5].id, runs[4].id]
        for _ in range(3):
            bench.run(home, start_time=9)
        for gone in (runs[5], runs[4], runs[2]):
            bench.store.update_run(gone.id, DELETE)
        bench.store.purge_run(runs[4].id)
        rest = bench.second.scan_runs(home.id, ACTIVE, first.next, 10)
        assert [run.id for run in rest.items] == [runs[3].id, runs[1].id, runs[0].id]
