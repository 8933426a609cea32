from collections.abc import Callable
from math import inf, nan

from msgspec.structs import replace

from trackstore.model import Batch, ExperimentChanges, LifecycleStage, RunChanges
from trackstore.model_stores import LoggedModelStore
from trackstore.registered import LoggedModelChanges, LoggedModelStatus
from trackstore_conformance.model_benches import LoggedModelBench, about
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import ALL
from trackstore_conformance.suites import LoggedModelSuite

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
DELETE, RESTORE = (
    LoggedModelChanges(lifecycle_stage=DELETED),
    LoggedModelChanges(lifecycle_stage=ACTIVE),
)
READY = LoggedModelStatus.READY
ODD_IDS = ("", "m-", "\0", "m" * 2_000, "%", "m'; --")


class LoggedModelTests(LoggedModelSuite):
    __test__ = False

    @rule("L-MOD-01")
    def test_a_logged_model_is_read_as_it_was_created(self, bench: LoggedModelBench) -> None:
        """Every field comes back, and creation returns what is read later."""
        given = bench.new_model(
            bench.experiment().id,
            name="é 1",
            creation_time=2**62,
            last_update_time=0,
            source_run_id="r" * 32,
            model_type="agent",
            status=LoggedModelStatus.FAILED,
            status_message="no",
            params={"a": "1", "long": "é" * 65_536},
            tags={"owner": "ada", "note": "", "long": "é" * 65_536},
        )
        assert seen(bench.store.create_logged_model(given)) == seen(given)
        assert seen(bench.second.get_logged_model(given.id)) == seen(given)

    @rule("L-MOD-01")
    def test_any_text_comes_back_from_a_logged_model(self, bench: LoggedModelBench) -> None:
        """As name, type, param and tag."""
        home = bench.experiment()
        for text in ALL:
            made = bench.model(
                home, name=text, model_type=text, params={"p": text}, tags={"t": text}
            )
            found = bench.second.get_logged_model(made.id)
            assert (found.name, found.model_type) == (text, text), repr(text)
            assert (found.params, found.tags) == ({"p": text}, {"t": text}), repr(text)

    @rule("L-MOD-01")
    def test_only_the_given_fields_of_a_logged_model_change(self, bench: LoggedModelBench) -> None:
        """And the tags that were to be deleted, and were not there, are told."""
        expected = bench.model(params={"p": "1"}, tags={"a": "1", "b": "2"})
        other = bench.model(bench.store.get_experiment(expected.experiment_id))
        steps = (
            (LoggedModelChanges(status=READY), {"status": READY}),
            (LoggedModelChanges(status_message="x"), {"status_message": "x"}),
            (LoggedModelChanges(last_update_time=5), {"last_update_time": 5}),
            (
                LoggedModelChanges(status=LoggedModelStatus.PENDING),
                {"status": LoggedModelStatus.PENDING},
            ),
            (LoggedModelChanges(tags={"a": "3", "c": ""}), {"tags": {"a": "3", "b": "2", "c": ""}}),
            (LoggedModelChanges(deleted_tags=["b"]), {"tags": {"a": "3", "c": ""}}),
            (LoggedModelChanges(params={"q": ""}), {"params": {"p": "1", "q": ""}}),
        )
        for changes, fields in steps:
            expected = replace(expected, **fields)
            assert bench.store.update_logged_model(expected.id, changes).absent_tags == ()
            assert seen(bench.second.get_logged_model(expected.id)) == seen(expected)
        changes = LoggedModelChanges(deleted_tags=["a", "b", "x"])
        applied = bench.store.update_logged_model(expected.id, changes)
        assert sorted(applied.absent_tags) == ["b", "x"]
        assert seen(bench.store.get_logged_model(other.id)) == seen(other)

    @rule("L-MOD-02")
    def test_a_repeated_creation_of_a_logged_model_is_harmless(
        self, bench: LoggedModelBench
    ) -> None:
        """It returns what is stored, which what is given otherwise does not change."""
        made = bench.model(tags={"a": "1"}, source_run_id="r")
        bench.store.update_logged_model(made.id, LoggedModelChanges(status=READY))
        again = replace(made, tags={}, params={"p": "1"}, model_type="x", artifact_uri="y:/")
        found = bench.second.create_logged_model(again)
        assert seen(found) == seen(replace(made, status=READY))
        assert seen(bench.store.get_logged_model(made.id)) == seen(found)
        home = bench.experiment().id
        for fields in (
            {"name": "other"},
            {"creation_time": 1},
            {"source_run_id": ""},
            {"experiment_id": home},
        ):
            rival = replace(made, **fields)
            ways = outcome(bench.second.create_logged_model, rival).ways
            assert ways == ("AlreadyExists id",), fields

    @rule("L-MOD-03")
    def test_a_deleted_logged_model_is_kept_and_takes_no_edit(
        self, bench: LoggedModelBench
    ) -> None:
        """It comes back as it was, and may be changed by what restores it."""
        made = bench.model(params={"p": "1"}, tags={"a": "1"})
        for _ in range(2):
            bench.store.update_logged_model(made.id, DELETE)
            gone = replace(made, lifecycle_stage=DELETED)
            assert seen(bench.second.get_logged_model(made.id)) == seen(gone)
        edits = (
            LoggedModelChanges(status=READY),
            LoggedModelChanges(status_message="x"),
            LoggedModelChanges(tags={"a": "2"}),
            LoggedModelChanges(deleted_tags=["a"]),
            LoggedModelChanges(params={"p": "1"}),
            LoggedModelChanges(tags={"a": "2"}, lifecycle_stage=DELETED),
        )
        for changes in edits:
            found = outcome(bench.store.update_logged_model, made.id, changes)
            assert found.ways == ("InvalidState",), changes
        assert seen(bench.store.get_logged_model(made.id)) == seen(gone)
        for _ in range(2):
            bench.store.update_logged_model(made.id, RESTORE)
            assert seen(bench.second.get_logged_model(made.id)) == seen(made)
        bench.store.update_logged_model(made.id, DELETE)
        bench.store.update_logged_model(made.id, replace(RESTORE, status=READY))
        assert bench.store.get_logged_model(made.id).status is READY

    @rule("L-MOD-03")
    def test_a_logged_model_outlives_the_stage_of_its_experiment(
        self, bench: LoggedModelBench
    ) -> None:
        """It is found, listed and changed as before."""
        made = bench.model()
        bench.store.update_experiment(
            made.experiment_id, ExperimentChanges(lifecycle_stage=DELETED)
        )
        assert seen(bench.second.get_logged_model(made.id)) == seen(made)
        assert [each.id for each in bench.models(made.experiment_id, stage=ACTIVE)] == [made.id]
        bench.store.update_logged_model(made.id, LoggedModelChanges(tags={"a": "1"}))
        assert bench.second.get_logged_model(made.id).tags == {"a": "1"}

    @rule("L-MOD-04")
    def test_a_logged_model_belongs_to_a_living_experiment(self, bench: LoggedModelBench) -> None:
        """One that is not there, or is deleted, takes none."""
        home = bench.experiment()
        lost = bench.new_model(bench.new_experiment_id())
        assert outcome(bench.store.create_logged_model, lost).ways == ("NotFound",)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=DELETED))
        late = bench.new_model(home.id)
        assert outcome(bench.store.create_logged_model, late).ways == ("InvalidState",)
        for model in (lost, late):
            assert outcome(bench.store.get_logged_model, model.id).ways == ("NotFound",)

    @rule("L-MOD-04", "L-ERR-01")
    def test_an_unknown_logged_model_is_not_found(self, bench: LoggedModelBench) -> None:
        """By any call, whatever its id."""
        bench.model()
        for ident in ODD_IDS:
            for call in calls_on(bench.store, ident):
                assert outcome(call).ways == ("NotFound",), repr(ident)[:50]

    @rule("L-PAR-01")
    def test_a_param_of_a_logged_model_is_written_once(self, bench: LoggedModelBench) -> None:
        """The same value again is fine; with another nothing of the change is done."""
        made = bench.model(params={"p": "1", "é": ""})
        changes = LoggedModelChanges(params={"p": "1", "é": "", "q": "2"}, tags={"a": "1"})
        for _ in range(2):
            bench.store.update_logged_model(made.id, changes)
        before = seen(bench.second.get_logged_model(made.id))
        for params in ({"p": "2"}, {"new": "x", "q": "3"}, {"é": " "}):
            clash = LoggedModelChanges(params=params, tags={"a": "2"}, status=READY)
            found = outcome(bench.second.update_logged_model, made.id, clash)
            assert found.ways == ("Conflict",), params
        assert seen(bench.store.get_logged_model(made.id)) == before


def calls_on(store: LoggedModelStore, ident: str) -> list[Callable[[], object]]:
    return [
        lambda: store.get_logged_model(ident),
        lambda: store.update_logged_model(ident, LoggedModelChanges(tags={"a": "1"})),
        lambda: store.purge_logged_model(ident),
    ]


class LoggedMetricTests(LoggedModelSuite):
    __test__ = False

    @rule("L-MET-01")
    def test_a_logged_model_has_the_metrics_about_it(self, bench: LoggedModelBench) -> None:
        """Of each run, key and dataset the greatest point, whatever came last."""
        made = bench.model()
        home = bench.store.get_experiment(made.experiment_id)
        run, other = bench.run(home), bench.run()
        store = bench.store
        store.log(run.id, about(made.id, 0.5, step=2))
        store.log(run.id, about(made.id, 0.9, step=1))
        store.log(run.id, about(made.id, nan, step=2))
        store.log(run.id, about(made.id, -inf, dataset="train"))
        store.log(run.id, about(made.id, 0.1, dataset="test"))
        store.log(run.id, about(made.id, inf, key="Acc"))
        store.log(other.id, about(made.id, 0.25))
        store.log(run.id, about("m-other", 5.0, step=9))
        found = bench.second.get_logged_model(made.id).metrics
        shown = [
            (each.run_id, each.point.key, each.dataset_name, each.point.value, each.point.step)
            for each in found
        ]
        assert shown == sorted(shown)
        assert shown == sorted(
            [
                (run.id, "acc", "", 0.5, 2),
                (run.id, "acc", "test", 0.1, 0),
                (run.id, "acc", "train", -inf, 0),
                (run.id, "Acc", "", inf, 0),
                (other.id, "acc", "", 0.25, 0),
            ]
        )
        assert {each.dataset_digest for each in found} == {"", "digest of test", "digest of train"}
        assert all(each.point.links == () and each.point.timestamp == 7 for each in found)
        assert seen(bench.models(made.experiment_id)[0].metrics) == seen(found)

    @rule("L-MET-01")
    def test_metrics_come_before_and_after_a_logged_model(self, bench: LoggedModelBench) -> None:
        """One point about two models is both's; a point that is logged again may get a model."""
        home, run = bench.experiment(), bench.run()
        first, second = bench.new_model(home.id), bench.new_model(home.id)
        bench.store.log(run.id, about(first.id, 1.0))
        bench.store.log(run.id, about(second.id, 1.0))
        bench.store.log(
            run.id, Batch(metrics=[replace(about("", 2.0, step=1).metrics[0], links=())])
        )
        bench.store.create_logged_model(first)
        bench.store.create_logged_model(second)
        for model in (first, second):
            found = bench.second.get_logged_model(model.id).metrics
            assert [each.point.value for each in found] == [1.0]
        bench.store.log(run.id, about(first.id, 2.0, step=1))
        values = [
            [each.point.value for each in bench.second.get_logged_model(model.id).metrics]
            for model in (first, second)
        ]
        assert values == [[2.0], [1.0]]

    @rule("L-MET-01")
    def test_metrics_stay_with_deleted_runs_and_go_with_purged_ones(
        self, bench: LoggedModelBench
    ) -> None:
        """A deleted run's points are there; a purged run's are nobody's."""
        made, run, kept = bench.model(), bench.run(), bench.run()
        bench.store.log(run.id, about(made.id, 1.0))
        bench.store.log(kept.id, about(made.id, 2.0))
        bench.store.update_run(run.id, RunChanges(lifecycle_stage=DELETED))
        assert len(bench.second.get_logged_model(made.id).metrics) == 2
        bench.store.purge_run(run.id)
        found = bench.second.get_logged_model(made.id).metrics
        assert [(each.run_id, each.point.value) for each in found] == [(kept.id, 2.0)]


class LoggedListTests(LoggedModelSuite):
    __test__ = False

    @rule("L-PUR-01")
    def test_a_purged_logged_model_leaves_nothing(self, bench: LoggedModelBench) -> None:
        """An active one is refused; runs keep their points."""
        made, run = bench.model(params={"p": "1"}, tags={"a": "1"}), bench.run()
        bench.store.log(run.id, about(made.id, 1.0))
        assert outcome(bench.store.purge_logged_model, made.id).ways == ("InvalidState",)
        assert seen(bench.store.get_logged_model(made.id).params) == {"p": "1"}
        bench.store.update_logged_model(made.id, DELETE)
        bench.store.purge_logged_model(made.id)
        assert outcome(bench.second.get_logged_model, made.id).ways == ("NotFound",)
        assert outcome(bench.second.purge_logged_model, made.id).ways == ("NotFound",)
        assert bench.models(made.experiment_id) == []
        (point,) = bench.history(run.id, "acc")
        assert point.links[0].model_id == made.id

    @rule("L-PUR-01")
    def test_a_purged_experiment_takes_its_logged_models_along(
        self, bench: LoggedModelBench
    ) -> None:
        """In whatever stage they are; those of others stay."""
        home, kept = bench.experiment(), bench.model(params={"p": "1"})
        models = [bench.model(home, params={"p": "1"}, tags={"a": "1"}) for _ in range(3)]
        bench.store.update_logged_model(models[0].id, DELETE)
        bench.store.update_experiment(home.id, ExperimentChanges(lifecycle_stage=DELETED))
        bench.store.purge_experiment(home.id)
        for model in models:
            assert outcome(bench.second.get_logged_model, model.id).ways == ("NotFound",)
        assert bench.models(home.id) == []
        assert seen(bench.second.get_logged_model(kept.id)) == seen(kept)

    @rule("L-PAG-01")
    def test_every_logged_model_is_listed_once_in_order(self, bench: LoggedModelBench) -> None:
        """By pages of any size, newest first, of a stage or of a run."""
        home, other = bench.experiment(), bench.experiment()
        bench.model(other)
        made = [
            bench.model(
                home,
                creation_time=time * 7 % 4,
                source_run_id=f"run {time % 3}",
                tags={"n": str(time)},
                lifecycle_stage=DELETED if time % 2 else ACTIVE,
            )
            for time in range(11)
        ]
        ordered = sorted(made, key=lambda each: (-each.creation_time, each.id))
        for limit in (1, 3, 10, 11, 1_000):
            for stage in (None, ACTIVE, DELETED):
                for run in (None, "run 1", "run 9"):
                    wanted = [
                        seen(each)
                        for each in ordered
                        if stage in {None, each.lifecycle_stage}
                        and run in {None, each.source_run_id}
                    ]
                    assert [seen(e) for e in bench.models(home.id, run, stage, limit)] == wanted
        for nothing in (bench.new_experiment_id(), "\0", ""):
            assert bench.models(nothing) == []
