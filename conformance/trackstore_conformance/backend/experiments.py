from msgspec.structs import replace

from trackstore.model import Batch, ExperimentChanges, LifecycleStage
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import LOOK_ALIKE
from trackstore_conformance.suites import BackendSuite

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
DELETE = ExperimentChanges(lifecycle_stage=DELETED)
RESTORE = ExperimentChanges(lifecycle_stage=ACTIVE)


class ExperimentTests(BackendSuite):
    __test__ = False

    @rule("B-EXP-01")
    def test_an_experiment_is_read_as_it_was_created(self, bench: BackendBench) -> None:
        """Every field comes back, by id and by name."""
        made = bench.experiment(
            name="iris",
            artifact_location="s3://bucket/é 1",
            creation_time=2**62,
            last_update_time=2**63 - 1,
            tags={"owner": "ada", "note": ""},
        )
        assert seen(bench.second.get_experiment(made.id)) == seen(made)
        assert seen(bench.second.find_experiment("iris")) == seen(made)

    @rule("B-EXP-01")
    def test_creation_returns_what_is_stored(self, bench: BackendBench) -> None:
        """What `create_experiment` returns is what is read later."""
        made = bench.experiment(tags={"a": "1"})
        again = bench.store.create_experiment(made)
        assert seen(again) == seen(made) == seen(bench.store.get_experiment(made.id))

    @rule("B-EXP-02")
    def test_a_name_has_one_living_holder(self, bench: BackendBench) -> None:
        """A second experiment of that name is refused, and is not stored."""
        made = bench.experiment(name="iris")
        rival = replace(made, id=bench.new_experiment_id(), creation_time=5)
        assert outcome(bench.second.create_experiment, rival).ways == ("AlreadyExists name",)
        assert outcome(bench.store.get_experiment, rival.id).ways == ("NotFound",)
        assert bench.store.find_experiment("iris").id == made.id

    @rule("B-EXP-03")
    def test_names_are_compared_code_point_by_code_point(self, bench: BackendBench) -> None:
        """Names that differ in case, accents, width or blanks are different names."""
        made = {name: bench.experiment(name=name).id for name in LOOK_ALIKE}
        assert {name: bench.second.find_experiment(name).id for name in LOOK_ALIKE} == made
        assert [bench.store.get_experiment(i).name for i in made.values()] == list(LOOK_ALIKE)
        assert outcome(bench.store.find_experiment, "nAME").ways == ("NotFound",)

    @rule("B-EXP-05")
    def test_a_deleted_experiment_is_kept_and_comes_back_as_it_was(
        self, bench: BackendBench
    ) -> None:
        """Deleting hides it from the living; restoring brings back every field and run."""
        made = bench.experiment(name="iris", tags={"a": "1"})
        run = bench.run(made)
        bench.store.update_experiment(made.id, DELETE)
        assert outcome(bench.store.find_experiment, "iris").ways == ("NotFound",)
        assert seen(bench.second.get_experiment(made.id)) == seen(
            replace(made, lifecycle_stage=DELETED)
        )
        assert made.id not in [each.id for each in bench.experiments(ACTIVE)]
        assert made.id in [each.id for each in bench.experiments(DELETED)]
        bench.store.update_experiment(made.id, RESTORE)
        assert seen(bench.store.find_experiment("iris")) == seen(made)
        assert seen(bench.store.get_run(run.id)) == seen(run)

    @rule("B-EXP-05")
    def test_deleting_and_restoring_twice_is_harmless(self, bench: BackendBench) -> None:
        """A repeated delete or restore succeeds and changes nothing."""
        made = bench.experiment()
        for changes, stage in ((DELETE, DELETED), (DELETE, DELETED), (RESTORE, ACTIVE)):
            bench.store.update_experiment(made.id, changes)
            assert bench.store.get_experiment(made.id) == replace(made, lifecycle_stage=stage)
        bench.store.update_experiment(made.id, RESTORE)
        assert seen(bench.store.get_experiment(made.id)) == seen(made)

    @rule("B-EXP-05")
    def test_a_deleted_experiment_takes_no_edit(self, bench: BackendBench) -> None:
        """Name and tags of a deleted experiment change only together with its restoration."""
        made = bench.experiment(tags={"a": "1"})
        bench.store.update_experiment(made.id, DELETE)
        edits = (
            ExperimentChanges(name="new"),
            ExperimentChanges(tags={"a": "2"}),
            ExperimentChanges(deleted_tags=["a"]),
            ExperimentChanges(name="new", lifecycle_stage=DELETED),
        )
        for changes in edits:
            found = outcome(bench.store.update_experiment, made.id, changes)
            assert found.ways == ("InvalidState",), changes
        assert bench.store.get_experiment(made.id) == replace(made, lifecycle_stage=DELETED)
        bench.store.update_experiment(made.id, replace(RESTORE, name="new", tags={"a": "2"}))
        assert bench.store.get_experiment(made.id) == replace(made, name="new", tags={"a": "2"})

    @rule("B-EXP-06")
    def test_deleting_frees_the_name(self, bench: BackendBench) -> None:
        """A new experiment may take the name, and then the old one cannot come back under it."""
        old = bench.experiment(name="iris")
        bench.store.update_experiment(old.id, DELETE)
        new = bench.experiment(name="iris")
        found = outcome(bench.second.update_experiment, old.id, RESTORE)
        assert found.ways == ("AlreadyExists name",)
        assert bench.store.get_experiment(old.id).lifecycle_stage is DELETED
        assert bench.store.find_experiment("iris").id == new.id
        bench.store.update_experiment(old.id, replace(RESTORE, name="iris 2"))
        assert bench.store.find_experiment("iris 2").id == old.id

    @rule("B-EXP-06")
    def test_many_deleted_experiments_may_share_a_name(self, bench: BackendBench) -> None:
        """The name of a deleted experiment binds nobody, however often it was used."""
        ids = []
        for _ in range(3):
            ids.append(bench.experiment(name="iris").id)
            bench.store.update_experiment(ids[-1], DELETE)
        assert outcome(bench.store.find_experiment, "iris").ways == ("NotFound",)
        bench.store.update_experiment(ids[1], RESTORE)
        assert bench.store.find_experiment("iris").id == ids[1]

    @rule("B-EXP-07")
    def test_a_rename_keeps_everything_else(self, bench: BackendBench) -> None:
        """After a rename the old name is free, and tags, runs and times are as before."""
        made = bench.experiment(name="old", tags={"a": "1", "b": "2"})
        run = bench.run(made)
        bench.store.update_experiment(
            made.id, ExperimentChanges(name="new", last_update_time=2_000)
        )
        renamed = replace(made, name="new", last_update_time=2_000)
        assert seen(bench.second.find_experiment("new")) == seen(renamed)
        assert outcome(bench.second.find_experiment, "old").ways == ("NotFound",)
        assert seen(bench.store.get_run(run.id)) == seen(run)
        assert bench.experiment(name="old").id != made.id

    @rule("B-EXP-07")
    def test_a_rename_to_a_taken_name_changes_nothing(self, bench: BackendBench) -> None:
        """It raises `AlreadyExists`, and no other part of the same change is stored."""
        made = bench.experiment(name="old", tags={"a": "1"})
        bench.experiment(name="taken")
        changes = ExperimentChanges(
            name="taken", last_update_time=2_000, tags={"b": "2"}, deleted_tags=["a"]
        )
        found = outcome(bench.store.update_experiment, made.id, changes)
        assert found.ways == ("AlreadyExists name",)
        assert seen(bench.store.get_experiment(made.id)) == seen(made)
        same = ExperimentChanges(name="old", tags={"b": "2"})
        bench.store.update_experiment(made.id, same)
        assert bench.store.get_experiment(made.id).tags == {"a": "1", "b": "2"}

    @rule("B-EXP-08")
    def test_a_purged_experiment_is_gone_and_leaves_nothing(self, bench: BackendBench) -> None:
        """After a purge its id, name and runs are unknown, and nothing of it comes back."""
        made = bench.experiment(name="iris", tags={"a": "1"})
        run = bench.run(made)
        bench.store.log(run.id, Batch(params={"p": "1"}))
        assert outcome(bench.store.purge_experiment, made.id).ways == ("InvalidState",)
        assert bench.store.get_run(run.id).params == {"p": "1"}
        bench.store.update_experiment(made.id, DELETE)
        bench.store.purge_experiment(made.id)
        for call in (bench.second.get_experiment, bench.second.purge_experiment):
            assert outcome(call, made.id).ways == ("NotFound",)
        assert outcome(bench.store.create_run, bench.new_run(made.id)).ways == ("NotFound",)
        assert outcome(bench.store.get_run, run.id).ways == ("NotFound",)
        assert bench.runs(made.id) == []
        assert made.id not in [each.id for each in bench.experiments()]
        other = bench.experiment(name="iris")
        assert bench.store.get_experiment(other.id).tags == {}
        assert bench.runs(other.id) == []

    @rule("B-EXP-09")
    def test_a_repeated_creation_is_harmless(self, bench: BackendBench) -> None:
        """The same id, name and creation time give the stored experiment, whatever else differs."""
        made = bench.experiment(name="iris", tags={"a": "1"})
        again = replace(made, artifact_location="elsewhere", last_update_time=9, tags={"b": "2"})
        assert seen(bench.second.create_experiment(again)) == seen(made)
        assert seen(bench.store.get_experiment(made.id)) == seen(made)

    @rule("B-EXP-09")
    def test_a_known_id_with_other_fields_is_refused(self, bench: BackendBench) -> None:
        """Another name or creation time under a known id raises `AlreadyExists` for the id."""
        made = bench.experiment(name="iris")
        for other in (replace(made, name="other"), replace(made, creation_time=5)):
            assert outcome(bench.store.create_experiment, other).ways == ("AlreadyExists id",)
        assert seen(bench.store.get_experiment(made.id)) == seen(made)

    @rule("B-EXP-01")
    def test_only_the_given_fields_change(self, bench: BackendBench) -> None:
        """An update leaves alone what it was not given, and reports absent tags."""
        made = bench.experiment(tags={"a": "1", "b": "2"})
        changes = ExperimentChanges(tags={"c": "3"}, deleted_tags=["a", "nowhere"])
        applied = bench.store.update_experiment(made.id, changes)
        assert applied.absent_tags == ("nowhere",)
        expected = replace(made, tags={"b": "2", "c": "3"})
        assert seen(bench.second.get_experiment(made.id)) == seen(expected)

    @rule("B-PAG-01")
    def test_experiments_are_listed_newest_first_then_by_id(self, bench: BackendBench) -> None:
        """Ids are compared as text: "10..." comes before "9...", whatever the page size."""
        ids = [bench.new_experiment_id(lead) for lead in (9, 10, 1, 10, 9)]
        times = [7, 7, 7, 2**63 - 1, 0]
        for number, time in zip(ids, times, strict=True):
            bench.experiment(id=number, name=f"name {number}", creation_time=time)
        expected = [ids[3], *sorted(ids[:3]), ids[4]]
        for limit in (1, 2, 3, 1_000):
            listed = [each.id for each in bench.experiments(limit=limit) if each.id in ids]
            assert listed == expected, limit
        assert len(bench.store.scan_experiments(None, None, 2).items) == 2

    @rule("B-PAG-02")
    def test_pages_of_experiments_stand_while_others_come_and_go(self, bench: BackendBench) -> None:
        """Between two pages rows are created, deleted and purged: no other is missed or doubled."""
        made = [bench.experiment(creation_time=time) for time in range(6)]
        first = bench.store.scan_experiments(ACTIVE, None, 2)
        assert [each.id for each in first.items] == [made[5].id, made[4].id]
        bench.experiment(creation_time=9)
        bench.store.update_experiment(made[5].id, DELETE)
        bench.store.update_experiment(made[4].id, DELETE)
        bench.store.purge_experiment(made[4].id)
        rest = bench.second.scan_experiments(ACTIVE, first.next, 10)
        assert [each.id for each in rest.items] == [each.id for each in made[3::-1]]
        assert rest.next is None
