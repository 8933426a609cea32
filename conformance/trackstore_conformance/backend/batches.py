from typing import Any

from trackstore.model import (
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    Metric,
    ModelOutput,
    RunChanges,
)
from trackstore_conformance.bench import BackendBench, places_of
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import ALL
from trackstore_conformance.suites import BackendSuite

LONGEST = 65_536


class BatchTests(BackendSuite):
    __test__ = False

    @rule("B-BAT-01")
    def test_a_refused_batch_leaves_nothing(self, bench: BackendBench) -> None:
        """The conflicting param may come first, between or last: no part of the batch is kept."""
        run = bench.run(tags={"keep": "1"})
        bench.store.log(run.id, Batch(params={"set": "1"}, metrics=[Metric("m", 1.0, 1, 1)]))
        before = bench.store.get_run(run.id)
        for place in range(3):
            params = [("a", "1"), ("b", "2")]
            params.insert(place, ("set", "other"))
            batch = Batch(
                metrics=[Metric("m", 9.0, 9, 9), Metric("new", 1.0, 1)],
                params=dict(params),
                tags={"t": "1", "keep": "2"},
                deleted_tags=["gone"],
                inputs=[DatasetInput(Dataset("d", "1"), {"a": "1"})],
                model_inputs=["m-1"],
                outputs=[ModelOutput("m-1")],
            )
            assert outcome(bench.store.log, run.id, batch).ways == ("Conflict",)
            assert seen(bench.second.get_run(run.id)) == seen(before)
            assert bench.history(run.id, "new") == []
            assert len(bench.history(run.id, "m")) == 1

    @rule("B-BAT-01")
    def test_a_dataset_of_a_refused_batch_is_unknown(self, bench: BackendBench) -> None:
        """Its fields do not stay behind for the next run that reads a dataset of that name."""
        run = bench.run()
        bench.store.log(run.id, Batch(params={"p": "1"}))
        refused = Batch(params={"p": "2"}, inputs=[DatasetInput(Dataset("d", "1", source="first"))])
        assert outcome(bench.store.log, run.id, refused).ways == ("Conflict",)
        dataset = Dataset("d", "1", source="second")
        bench.store.log(run.id, Batch(inputs=[DatasetInput(dataset)]))
        assert [each.dataset for each in bench.store.get_run(run.id).inputs] == [dataset]

    @rule("B-BAT-01")
    def test_a_large_batch_is_stored_whole(self, bench: BackendBench) -> None:
        """Thousands of points, params and tags in one call are all there."""
        run = bench.run(tags={})
        batch = Batch(
            metrics=[Metric(f"m{i % 7}", float(i), i, i) for i in range(5_000)],
            params={f"p{i}": str(i) for i in range(1_000)},
            tags={f"t{i}": str(i) for i in range(1_000)},
        )
        bench.store.log(run.id, batch)
        found = bench.second.get_run(run.id)
        assert (found.params, found.tags) == (batch.params, batch.tags)
        assert sum(len(bench.history(run.id, f"m{i}", 300)) for i in range(7)) == 5_000
        assert {point.step for point in found.metrics.values()} == set(range(4_993, 5_000))
        changed = Batch(params={f"p{i}": "other" if i == 999 else str(i) for i in range(1_000)})
        assert outcome(bench.store.log, run.id, changed).ways == ("Conflict",)

    @rule("B-BAT-01")
    def test_an_empty_batch_is_accepted(self, bench: BackendBench) -> None:
        """It changes nothing."""
        run = bench.run()
        assert bench.store.log(run.id, Batch()).absent_tags == ()
        assert seen(bench.second.get_run(run.id)) == seen(run)

    @rule("B-TXT-01")
    def test_every_text_comes_back_exactly(self, bench: BackendBench) -> None:
        """All Unicode but NUL and surrogates, in every field that holds text."""
        for number, text in enumerate(ALL):
            made = Experiment(
                bench.new_experiment_id(), f"{number} {text}", text, 0, 0, tags={text: text}
            )
            bench.store.create_experiment(made)
            assert seen(bench.second.get_experiment(made.id)) == seen(made)
            assert bench.second.find_experiment(made.name).id == made.id
        home = bench.experiment()
        tags = {RUN_NAME: "\r\n 💥 ", **{text: text for text in ALL}}
        run = bench.run(home, user_id=" Ádá ", artifact_uri="a:/%20 💥", tags=tags)
        bench.store.log(
            run.id,
            Batch(
                metrics=[Metric(text, float(n), 0) for n, text in enumerate(ALL)],
                params={text: text for text in ALL},
                inputs=[DatasetInput(Dataset(text, "d", text, text, text, text)) for text in ALL],
                model_inputs=ALL,
            ),
        )
        found = bench.second.get_run(run.id)
        assert (found.user_id, found.artifact_uri, found.tags) == (" Ádá ", "a:/%20 💥", tags)
        assert found.params == {text: text for text in ALL}
        assert {key: point.value for key, point in found.metrics.items()} == {
            text: float(n) for n, text in enumerate(ALL)
        }
        assert {each.dataset.name: each.dataset.profile for each in found.inputs} == {
            text: text for text in ALL
        }
        assert set(found.model_inputs) == set(ALL)
        for number, text in enumerate(ALL):
            assert [point.value for point in bench.history(run.id, text)] == [float(number)]

    @rule("B-TXT-01")
    def test_long_texts_come_back_whole(self, bench: BackendBench) -> None:
        """Values of 65,536 code points, and keys and names as long as the front lets through."""
        for unit in ("v", "💥", "é"):
            long, key = unit * LONGEST, unit * 250
            dataset = Dataset(unit * 500, unit * 36, "", long[:-1], long)
            made = bench.experiment(name=unit * 500, tags={key: long})
            run = bench.run(made, user_id=unit * 256, tags={RUN_NAME: unit * 1_000, key: long})
            bench.store.log(
                run.id,
                Batch(
                    metrics=[Metric(key, 1.0, 0)],
                    params={key: long},
                    inputs=[DatasetInput(dataset, {unit * 255: unit * 500})],
                ),
            )
            assert seen(bench.second.find_experiment(unit * 500)) == seen(made)
            found = bench.second.get_run(run.id)
            assert (found.user_id, found.name) == (unit * 256, unit * 1_000)
            assert found.tags[key] == found.params[key] == found.inputs[0].dataset.schema == long
            assert list(found.metrics) == [key]

    @rule("B-ERR-01")
    def test_refusals_are_typed_and_say_that_nothing_was_written(self, bench: BackendBench) -> None:
        """A refusal has the outcome "none", and its message holds no path, URL or statement."""
        made = bench.experiment(name="iris")
        run = bench.run(made)
        bench.store.log(run.id, Batch(params={"p": "1"}))
        twin = Experiment(bench.new_experiment_id(), "iris", "", 0, 0)
        calls: list[tuple[Any, ...]] = [
            (bench.store.get_run, "no such run"),
            (bench.store.create_experiment, twin),
            (bench.store.log, run.id, Batch(params={"p": "2"})),
            (bench.store.purge_run, run.id),
            (bench.store.update_run, "no such run", RunChanges()),
        ]
        for call, *args in calls:
            refusal = outcome(call, *args)
            assert refusal.message, refusal
            assert "outcome" not in refusal.ways[0], refusal
            for secret in (*places_of(bench), "INSERT", "SELECT", "UPDATE"):
                assert secret not in refusal.message, refusal

    @rule("B-ERR-01")
    def test_a_handle_shows_no_place(self, bench: BackendBench) -> None:
        """What a handle is shown as, in a log or a debugger, holds no URL."""
        with bench.opener(bench.url) as handle:
            for shown in (repr(handle), str(handle)):
                assert not [place for place in places_of(bench) if place in shown]
