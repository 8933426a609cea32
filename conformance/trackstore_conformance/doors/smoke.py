"""Is the adapter right, is the server there?  A few calls that any store answers, in seconds.

What fails here would fail everywhere in the suite, and be told there a hundred times.
"""

from collections.abc import Callable, Iterator
from time import perf_counter

from msgspec import Struct

from trackstore.model import Applied, Batch, Metric
from trackstore.registered import RegisteredModelChanges
from trackstore_conformance.bench import ArtifactBench, BackendBench
from trackstore_conformance.model_benches import LoggedModelBench, RegistryBench, about
from trackstore_conformance.namespaces import erase

AnyBench = BackendBench | ArtifactBench | RegistryBench
Plan = Iterator[tuple[str, Callable[[], None]]]
BYTES = b"smoke"
NONE = Applied()


class Step(Struct, frozen=True):
    """One thing that was tried."""

    what: str
    seconds: float
    error: Exception | None


def steps_of(bench: AnyBench) -> Iterator[Step]:
    """Try one thing after another, up to the first that fails."""
    for what, do in plan_of(bench):
        began = perf_counter()
        error = attempt(do)
        yield Step(what, perf_counter() - began, error)
        if error is not None:
            return


def plan_of(bench: AnyBench) -> Plan:
    if isinstance(bench, LoggedModelBench):
        return logged_model_plan(bench)
    if isinstance(bench, RegistryBench):
        return registry_plan(bench)
    return backend_plan(bench) if isinstance(bench, BackendBench) else artifact_plan(bench)


def attempt(do: Callable[[], None]) -> Exception | None:
    try:
        do()
    except Exception as error:
        return error
    return None


def backend_plan(bench: BackendBench) -> Plan:
    home = bench.new_experiment()
    run = bench.new_run(home.id)
    point = Metric("loss", 0.5, 1, 1)

    def logs() -> None:
        bench.store.log(run.id, Batch(metrics=[point], params={"lr": "0.1"}, tags={"t": "1"}))

    def reads() -> None:
        found = bench.second.get_run(run.id)
        must_be(found.params, {"lr": "0.1"})
        must_be(found.tags, {**run.tags, "t": "1"})
        must_be(found.metrics, {"loss": point})

    yield "create an experiment", lambda: must_be(bench.store.create_experiment(home).id, home.id)
    yield "find it by its name", lambda: must_be(bench.store.find_experiment(home.name).id, home.id)
    yield "create a run in it", lambda: must_be(bench.store.create_run(run).id, run.id)
    yield "log a metric, a param and a tag", logs
    yield "read them through another handle", reads
    yield "read the history", lambda: must_be(bench.history(run.id, "loss"), [point])
    yield "list the runs", lambda: must_be([each.id for each in bench.runs(home.id)], [run.id])
    yield "close it and open it again", lambda: reopen(bench)
    yield "read them once more", reads
    yield "delete and purge all that was made", lambda: erase_all(bench)


def artifact_plan(bench: ArtifactBench) -> Plan:
    path = "folder/file.txt"
    yield "put a file", lambda: must_be(bench.store.put(path, [BYTES]).size, len(BYTES))
    yield "read it", lambda: must_be(bench.read(path), BYTES)
    yield "read a part of it", lambda: must_be(b"".join(bench.store.get(path, 1, 3)), BYTES[1:4])
    yield "list it", lambda: must_be(bench.paths(), [path])
    yield "list its folder", lambda: must_be(bench.paths(deep=False), ["folder"])
    yield "find it through another handle", lambda: must_be(bench.second.stat(path).path, path)
    yield "close the store and open it again", lambda: reopen(bench)
    yield "delete it", lambda: bench.store.delete("folder")
    yield "find nothing any more", lambda: must_be(bench.paths(), [])


def registry_plan(bench: RegistryBench) -> Plan:
    alias = RegisteredModelChanges(aliases={"champion": 1})

    def finds() -> None:
        must_be(bench.second.find_model_version("model", "champion").version, 1)

    yield "create a registered model", lambda: must_be(bench.model().name, "model")
    yield "create a version", lambda: must_be(bench.version().version, 1)
    yield "set an alias", lambda: must_be(bench.store.update_registered_model("model", alias), NONE)
    yield "find it through another handle", finds
    yield "list the versions", lambda: must_be([each.version for each in bench.versions()], [1])
    yield "close it and open it again", lambda: reopen(bench)
    yield "find it once more", finds
    yield "delete the model", lambda: bench.store.delete_registered_model("model")
    yield "find nothing any more", lambda: must_be(bench.models(), [])


def logged_model_plan(bench: LoggedModelBench) -> Plan:
    run = bench.run()
    model = bench.new_model(run.experiment_id, source_run_id=run.id)

    def reads() -> None:
        found = bench.second.get_logged_model(model.id)
        must_be([each.point.value for each in found.metrics], [0.5])

    yield "create a model", lambda: must_be(bench.store.create_logged_model(model).id, model.id)
    yield (
        "log a metric about it",
        lambda: must_be(bench.store.log(run.id, about(model.id, 0.5)), NONE),
    )
    yield "read it through another handle", reads
    yield "list the models", lambda: must_be(len(bench.models(run.experiment_id, run.id)), 1)
    yield "close it and open it again", lambda: reopen(bench)
    yield "read it once more", reads
    yield "delete and purge all that was made", lambda: erase_all(bench)


def must_be(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"it gave {found!r}, and not {expected!r}")


def reopen(bench: AnyBench) -> None:
    if not bench.store.ephemeral:
        bench.close()


def erase_all(bench: BackendBench) -> None:
    erase(bench.store)
    must_be(bench.experiments(), [])
