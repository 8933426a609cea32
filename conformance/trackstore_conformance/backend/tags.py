from trackstore.model import (
    DATASET_CONTEXT,
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    ModelOutput,
    RunChanges,
)
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.outcomes import seen
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite


class TagTests(BackendSuite):
    __test__ = False

    @rule("B-TAG-01")
    def test_the_last_value_of_a_tag_wins(self, bench: BackendBench) -> None:
        """Whichever call and handle wrote it, and also if it goes back to a former value."""
        run = bench.run(tags={"t": "0"})
        for number, value in enumerate(("1", "2", "", "1")):
            handle = bench.second if number % 2 else bench.store
            handle.log(run.id, Batch(tags={"t": value}))
            assert bench.store.get_run(run.id).tags == {"t": value}
            assert bench.second.get_run(run.id).tags == {"t": value}
        bench.store.update_run(run.id, RunChanges(tags={"t": "3", "u": "4"}))
        assert bench.second.get_run(run.id).tags == {"t": "3", "u": "4"}

    @rule("B-TAG-01")
    def test_deleting_an_absent_tag_is_reported_and_harmless(self, bench: BackendBench) -> None:
        """`log` names the absent ones, deletes the others and applies the rest of the batch."""
        run = bench.run(tags={"t": "1", "T": "2", RUN_NAME: "calm-fox-1"})
        batch = Batch(params={"p": "1"}, deleted_tags=["gone", "t"])
        assert bench.store.log(run.id, batch).absent_tags == ("gone",)
        assert set(bench.second.log(run.id, batch).absent_tags) == {"gone", "t"}
        found = bench.store.get_run(run.id)
        assert found.tags == {"T": "2", RUN_NAME: "calm-fox-1"}
        assert found.params == {"p": "1"}
        bench.store.log(run.id, Batch(tags={"t": "back"}))
        assert bench.second.get_run(run.id).tags["t"] == "back"

    @rule("B-TAG-01")
    def test_tags_of_two_runs_are_apart(self, bench: BackendBench) -> None:
        """Setting or deleting a tag of one run leaves the other's."""
        home = bench.experiment()
        one, other = bench.run(home, tags={"t": "1"}), bench.run(home, tags={"t": "2"})
        bench.store.log(one.id, Batch(deleted_tags=["t"], tags={"u": "3"}))
        assert bench.store.get_run(other.id).tags == {"t": "2"}
        assert bench.store.get_run(one.id).tags == {"u": "3"}

    @rule("B-INP-01")
    def test_inputs_merge_their_tags_and_datasets_keep_their_fields(
        self, bench: BackendBench
    ) -> None:
        """A dataset is known in its experiment by name and digest; what came first stays."""
        home = bench.experiment()
        run, other = bench.run(home), bench.run(home)
        first = Dataset("iris", "d1", "local", "{}", "{cols}", "{rows}")
        later = Dataset("iris", "d1", "http", "{new}", None, "")
        bench.store.log(
            run.id, Batch(inputs=[DatasetInput(first, {DATASET_CONTEXT: "train", "a": "1"})])
        )
        for each in (run, other):
            again = DatasetInput(later, {DATASET_CONTEXT: "eval"})
            bench.second.log(each.id, Batch(inputs=[again]))
        assert seen(bench.store.get_run(run.id).inputs) == seen(
            (DatasetInput(first, {DATASET_CONTEXT: "eval", "a": "1"}),)
        )
        assert seen(bench.store.get_run(other.id).inputs) == seen(
            (DatasetInput(first, {DATASET_CONTEXT: "eval"}),)
        )

    @rule("B-INP-01")
    def test_datasets_of_another_experiment_or_digest_are_others(self, bench: BackendBench) -> None:
        """Neither shares its fields."""
        datasets = [
            Dataset("iris", "d1", "local", "here"),
            Dataset("iris", "d2", "local", "there"),
            Dataset("Iris", "d1", "", ""),
        ]
        run, elsewhere = bench.run(), bench.run()
        bench.store.log(run.id, Batch(inputs=[DatasetInput(each) for each in datasets]))
        bench.store.log(elsewhere.id, Batch(inputs=[DatasetInput(Dataset("iris", "d1"))]))
        found = {(i.dataset.name, i.dataset.digest): i.dataset for i in self.inputs(bench, run.id)}
        assert found == {(each.name, each.digest): each for each in datasets}
        assert [i.dataset for i in self.inputs(bench, elsewhere.id)] == [Dataset("iris", "d1")]

    def inputs(self, bench: BackendBench, run_id: str) -> tuple[DatasetInput, ...]:
        return bench.second.get_run(run_id).inputs

    @rule("B-INP-02")
    def test_models_in_and_out_are_sets(self, bench: BackendBench) -> None:
        """Each is there once, however often it was logged; an output is told by its step too."""
        run = bench.run()
        batch = Batch(
            model_inputs=["m-1", "m-2", "m-1"],
            outputs=[ModelOutput("m-1", 0), ModelOutput("m-1", 5)],
        )
        bench.store.log(run.id, batch)
        bench.second.log(run.id, batch)
        found = bench.store.get_run(run.id)
        assert sorted(found.model_inputs) == ["m-1", "m-2"]
        assert sorted(each.step for each in found.outputs) == [0, 5]
