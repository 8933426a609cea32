"""Backend stores for the crash engine: how all of one is seen, and what is compared."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from trackstore.model import Experiment, Metric, Run
from trackstore_conformance.bench import all_rows
from trackstore_conformance.crash.kinds import Facts, Kind, Program, Rules, Step
from trackstore_conformance.outcomes import UNORDERED, outcome, seen
from trackstore_conformance.sequential.model import Model

PAGE = 1_000
Fact = tuple[tuple[str, ...], Any]


class BackendKind(Kind[Model]):
    rules: ClassVar = Rules(
        lost="B-DUR-01",
        torn="B-BAT-03",
        repair="B-DUR-03",
        power="B-DUR-02",
        disk="B-DUR-04",
        outcome="B-ERR-02",
    )

    def model(self) -> Model:
        return Model()

    def apply(self, model: Model, step: Step) -> tuple[str, ...]:
        return outcome(getattr(model, step.method), *step.args).ways

    def facts(self, model: Model, program: Program) -> Facts:
        return look(Paged(model), program)

    def look(self) -> Callable[[Any, Program], Facts]:
        return look

    def settle(self, model: Model, step: Step, found: Facts) -> Model | None:  # noqa: ARG002
        return None  # each of its calls is whole or not there at all


class Paged:
    """The model, with the pages of a store."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Any:
        if name not in {"scan_experiments", "scan_runs", "metric_history"}:
            return getattr(self.model, name)
        return lambda *args: self.model.page(args[-1], name, *args[:-1])


def look(store: Any, program: Program) -> Facts:
    """Return all that can be read: by listings, by ids and by names, which must agree."""
    experiments = all_rows(lambda after: store.scan_experiments(None, after, PAGE))
    runs = [run for each in experiments for run in runs_of(store, each.id)]
    found = dict(of_experiments(store, experiments, program))
    found |= dict(of_runs(store, runs, program))
    return found


def runs_of(store: Any, experiment_id: str) -> list[Run]:
    return all_rows(lambda after: store.scan_runs(experiment_id, None, after, PAGE))


def of_experiments(store: Any, listed: list[Experiment], program: Program) -> Iterator[Fact]:
    names = {each.name for each in listed}
    ids = {each.id for each in listed}
    for step in (*program.prepared, *program.steps):
        if step.method == "create_experiment":
            ids.add(step.args[0].id)
            names.add(step.args[0].name)
    for name in names:
        found = outcome(store.find_experiment, name)
        yield ("holder of", name), found.raw.id if found.ways == ("ok",) else found.ways[0]
    for ident in ids:
        found = outcome(store.get_experiment, ident)
        yield ("experiment", ident), shown(found.raw, {"tags"}) or found.ways[0]
        yield from tags_of("experiment", ident, found.raw)
    for each in listed:
        yield ("listed experiment", each.id), seen(each)


def of_runs(store: Any, listed: list[Run], program: Program) -> Iterator[Fact]:
    ids = {each.id for each in listed}
    ids |= {s.args[0].id for s in (*program.prepared, *program.steps) if s.method == "create_run"}
    for ident in ids:
        found = outcome(store.get_run, ident)
        data = {"tags", "params", "metrics", *UNORDERED}
        yield ("run", ident), shown(found.raw, data) or found.ways[0]
        yield from tags_of("run", ident, found.raw)
        if found.ways == ("ok",):
            yield from data_of(store, found.raw)
    for each in listed:
        yield ("listed run", each.id), seen(each)


def shown(record: Any, without: set[str]) -> Any:
    fields = seen(record)
    return fields and {name: value for name, value in fields.items() if name not in without}


def tags_of(what: str, ident: str, record: Any) -> Iterator[Fact]:
    for key, value in record.tags.items() if record else ():
        yield (what, ident, "tag", key), value


def data_of(store: Any, run: Run) -> Iterator[Fact]:
    for key, value in run.params.items():
        yield ("run", run.id, "param", key), value
    for name, rows in seen(run).items():
        for row in rows if name in UNORDERED else ():
            yield ("run", run.id, name, row), True
    for key, latest in run.metrics.items():
        yield ("run", run.id, "latest", key), seen(latest)
        for point in history(store, run.id, key):
            place = f"step {point.step}, time {point.timestamp}, value {point.value}"
            yield ("run", run.id, "point", key, place), seen(point.links)


def history(store: Any, run_id: str, key: str) -> list[Metric]:
    return all_rows(lambda after: store.metric_history(run_id, key, after, PAGE))


BACKEND = BackendKind()
