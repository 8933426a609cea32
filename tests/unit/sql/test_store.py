"""The SQL store where its statements, and not the contract in general, are at stake."""

import math
import sqlite3
from pathlib import Path

import pytest

from trackstore.errors import (
    AlreadyExists,
    BackendError,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    PermissionDenied,
    TrackstoreError,
)
from trackstore.model import (
    Applied,
    Batch,
    Comparison,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunChanges,
    RunQuery,
    RunStatus,
)
from trackstore.registered import LoggedModel
from trackstore_backends.sql import writes
from trackstore_backends.sql.database import Session
from trackstore_backends.sql.logs import Log
from trackstore_backends.sql.sealing import mark
from trackstore_backends.sqlite import SQLiteBackendStore, SQLiteDatabase

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
HOME = Experiment("1", "home", "uri", 5, 5)
RUN = Run("r", "1", 7, "uri", "me", tags={"mlflow.runName": "n"})
WHOLE = Batch(
    metrics=[Metric("m", 0.5, 3, 1, (MetricLink("mo"), MetricLink("", "d", "1")))],
    params={"p": "v"},
    tags={"t": "u"},
    inputs=[DatasetInput(Dataset("d", "1", "s", "src", "sch", "pro"), {"x": "y"})],
    model_inputs=["m1"],
    outputs=[ModelOutput("m2", 3)],
)


@pytest.fixture
def home(store: SQLiteBackendStore) -> SQLiteBackendStore:
    store.create_experiment(HOME)
    store.create_run(RUN)
    return store


def rows_of(url: str) -> dict[str, int]:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        found = {
            name: connection.execute(f"select count(*) from {name}").fetchone()[0]
            for (name,) in tables.fetchall()
        }
    connection.close()
    return found


def test_one_batch_comes_back_whole(home: SQLiteBackendStore) -> None:
    """All that one batch can hold is stored, and a replay of it changes nothing."""
    for _ in range(2):
        assert home.log("r", WHOLE) == Applied()
        run = home.get_run("r")
        assert (run.params, run.tags) == ({"p": "v"}, {"mlflow.runName": "n", "t": "u"})
        assert run.metrics == {"m": Metric("m", 0.5, 3, 1)}
        assert (run.inputs, run.model_inputs, run.outputs) == (
            tuple(WHOLE.inputs),
            ("m1",),
            (ModelOutput("m2", 3),),
        )
        (point,) = home.metric_history("r", "m", None, 10).items
        assert point.links == (MetricLink("", "d", "1"), MetricLink("mo"))


def test_purging_erases_every_row(home: SQLiteBackendStore, url: str) -> None:
    """After the experiment's purge no table but that of keys and versions has a row."""
    home.log("r", WHOLE)
    home.log("r", Batch([Metric("m", 0.5, 3, step) for step in range(500)]))
    home.update_run("r", RunChanges(RunStatus.FINISHED))
    home.log("r", Batch([Metric("m", 0.5, 4, step) for step in range(500)]))
    home._writer.run(lambda session, _: mark(session, 1, home._sizes))
    home.update_experiment("1", ExperimentChanges(tags={"a": "b"}))
    home.create_logged_model(
        LoggedModel("m1", "1", "tree", 5, 5, "uri", params={"p": "v"}, tags={"t": "u"})
    )
    elsewhere = {name for name in rows_of(url) if name.startswith(("registered_", "model_version"))}
    assert {name for name, count in rows_of(url).items() if not count} == elsewhere
    home.update_experiment("1", ExperimentChanges(lifecycle_stage=DELETED))
    home.purge_experiment("1")
    left = {name for name, count in rows_of(url).items() if count}
    assert left == {"labels", "trackstore_version"}


def test_purging_a_run_leaves_its_neighbours(home: SQLiteBackendStore, url: str) -> None:
    """A purge takes the rows of its run only; the datasets are the experiment's."""
    home.log("r", WHOLE)
    before = rows_of(url)
    home.create_run(Run("s", "1", 7, "uri"))
    home.log("s", WHOLE)
    home.update_run("s", RunChanges(lifecycle_stage=DELETED))
    home.purge_run("s")
    assert rows_of(url) == before
    with pytest.raises(NotFound):
        home.log("s", WHOLE)


def test_latest_is_the_greatest_point(home: SQLiteBackendStore) -> None:
    """Within a batch and between batches the greatest (step, timestamp, value) is the latest."""
    for points in (
        [(2, 5, 1.0), (2, 5, math.nan), (1, 9, 9.0)],
        [(2, 5, -math.inf)],
        [(2, 4, 3.0)],
    ):
        home.log("r", Batch([Metric("m", value, ts, step) for step, ts, value in points]))
        assert home.get_run("r").metrics["m"] == Metric("m", 1.0, 5, 2)
    history = home.metric_history("r", "m", None, 9).items
    assert [repr(point.value) for point in history] == ["9.0", "3.0", "nan", "-inf", "1.0"]


def test_history_pages_meet(home: SQLiteBackendStore) -> None:
    """Pages of any size add up to the whole history, links included."""
    values = [math.nan, -math.inf, -1.0, 0.0, 1.0, math.inf]
    points = [
        Metric("m", value, ts, step, (MetricLink(f"{step}{ts}"),) if value == 1 else ())
        for step in (-(2**63), 0, 2**63 - 1)
        for ts in (0, 2**63 - 1)
        for value in values
    ]
    home.log("r", Batch(points[::-1]))
    for size in (1, 5, 36, 50):
        found, after = [], None
        while True:
            page = home.metric_history("r", "m", after, size)
            found += page.items
            if (after := page.next) is None:
                break
        assert list(map(repr, found)) == list(map(repr, points))


def test_a_group_keeps_the_order_of_its_tags(home: SQLiteBackendStore) -> None:
    """Batches that share a transaction act on tags and params as they would one by one."""
    logs = [
        Log("r", Batch(tags={"a": "1"}, params={"p": "1"})),
        Log("r", Batch(deleted_tags=["a", "b"])),
        Log("r", Batch(tags={"b": "2", "never": "x"}, params={"p": "2"})),
        Log("r", Batch(deleted_tags=["a"], tags={"b": "3"}, params={"p": "1"})),
        Log("nowhere", Batch(tags={"b": "4"})),
        lambda session, labels: writes.create_run(session, labels, Run("s", "1", 7, "uri")),
        lambda session, labels: writes.purge_run(session, "r"),
        Log("s", Batch(tags={"c": "1"})),
    ]
    answers = home._writer._commit(logs)
    assert answers[0] == Applied()
    assert answers[1] == Applied(("b",))
    assert answers[3] == Applied(("a",))
    kinds = [type(answers[place]) for place in (2, 4, 5, 6, 7)]
    assert kinds == [Conflict, NotFound, Run, InvalidState, Applied]
    run = home.get_run("r")
    assert (run.tags, run.params) == ({"mlflow.runName": "n", "b": "3"}, {"p": "1"})
    assert home.get_run("s").tags == {"c": "1"}


def test_only_the_guilty_of_a_group_fails(home: SQLiteBackendStore) -> None:
    """A value that the driver refuses fails its own call, and not those that share with it."""
    too_large = Log("r", Batch([Metric("new", 1.0, 0, 2**63)]))
    answers = home._writer._commit([Log("r", WHOLE), too_large, Log("r", Batch(tags={"z": "1"}))])
    assert [answers[0], answers[2]] == [Applied(), Applied()]
    assert isinstance(answers[1], InvalidRequest)
    run = home.get_run("r")
    assert run.tags["z"] == "1"
    assert set(run.metrics) == {"m"}
    home.log("r", Batch([Metric("new", 1.0, 0, 0)]))
    assert set(home.get_run("r").metrics) == {"m", "new"}


def test_experiment_names(store: SQLiteBackendStore) -> None:
    """A name is held by the living alone, exactly as written."""
    store.create_experiment(HOME)
    assert store.create_experiment(HOME) == HOME
    for other, field in (("2", "name"), ("1", "id")):
        with pytest.raises(AlreadyExists) as refused:
            store.create_experiment(Experiment(other, "home", "uri", 6, 6))
        assert refused.value.field == field
    for place, name in enumerate(["Home", "home ", "ho\u0301me"]):
        store.create_experiment(Experiment(f"1{place}", name, "", 0, 0))
        assert store.find_experiment(name).id == f"1{place}"
    store.update_experiment("1", ExperimentChanges(lifecycle_stage=DELETED))
    with pytest.raises(NotFound):
        store.find_experiment("home")
    with pytest.raises(InvalidState):
        store.update_experiment("1", ExperimentChanges(tags={"a": "b"}))
    store.create_experiment(Experiment("2", "home", "uri", 6, 6))
    with pytest.raises(AlreadyExists):
        store.update_experiment("1", ExperimentChanges(lifecycle_stage=ACTIVE))
    restored = ExperimentChanges("third", ACTIVE, 9, {"a": "b"}, ["x"])
    assert store.update_experiment("1", restored) == Applied(("x",))
    assert store.find_experiment("third") == Experiment("1", "third", "uri", 5, 9, tags={"a": "b"})


def test_lifecycle_is_derived(home: SQLiteBackendStore) -> None:
    """A run is active while its own stage and its experiment's both are."""
    home.create_run(Run("s", "1", 8, "uri"))
    home.update_run("s", RunChanges(lifecycle_stage=DELETED, deleted_time=4))
    stages = []
    for stage in (ACTIVE, DELETED, ACTIVE):
        home.update_experiment("1", ExperimentChanges(lifecycle_stage=stage))
        stages.append(
            [
                [run.id for run in home.scan_runs("1", wanted, None, 9).items]
                for wanted in (ACTIVE, DELETED, None)
            ]
        )
    assert stages[0] == stages[2] == [["r"], ["s"], ["s", "r"]]
    assert stages[1] == [[], ["s", "r"], ["s", "r"]]
    with pytest.raises(InvalidState):
        home.update_run("s", RunChanges(RunStatus.FAILED))
    home.update_run("s", RunChanges(RunStatus.FAILED, 9, ACTIVE, None))
    assert home.get_run("s") == Run("s", "1", 8, "uri", status=RunStatus.FAILED, end_time=9)


@pytest.mark.parametrize("odd", ["", "\0", "r\0", "\ud800", "r ", "R", "x" * 100_000, "'"])
def test_odd_ids_are_not_found(home: SQLiteBackendStore, odd: str) -> None:
    """Any text may be asked for; what was never stored is NotFound, whatever it is."""
    unknown = [
        lambda: home.get_run(odd),
        lambda: home.log(odd, WHOLE),
        lambda: home.update_run(odd, RunChanges(end_time=1)),
        lambda: home.metric_history(odd, "m", None, 1),
        lambda: home.purge_run(odd),
        lambda: home.get_experiment(odd),
        lambda: home.find_experiment(odd),
        lambda: home.update_experiment(odd, ExperimentChanges(name="x")),
        lambda: home.purge_experiment(odd),
        lambda: home.create_run(Run("new", odd, 1, "")),
    ]
    for call in unknown:
        with pytest.raises(NotFound):
            call()
    assert not home.scan_runs(odd, None, None, 5).items
    odd_list = Comparison("attribute", "run_id", "IN", (odd, "r"))
    assert len(home.search_runs(RunQuery(("1", odd), (odd_list,)), None, 5).items) == 1


def test_very_long_patterns(home: SQLiteBackendStore) -> None:
    """LIKE means the same beyond the length at which SQLite gives up."""
    long = "aB_%" * 20_000
    home.log("r", Batch(tags={"long": "aBx" * 20_000 + "\u212a"}))
    for pattern, found in (
        (long, True),
        (long + "\u212a", True),
        (long + "k", False),
        (long.lower(), False),
        ("%" * 60_000 + "\u212a", True),
    ):
        clause = Comparison("tag", "long", "LIKE", pattern)
        assert bool(home.search_runs(RunQuery(("1",), (clause,)), None, 1).items) == found
    folded = [Comparison("tag", "long", "ILIKE", text) for text in (long.lower(), long + "K")]
    hits = [len(home.search_runs(RunQuery(("1",), (clause,)), None, 1).items) for clause in folded]
    assert hits == [1, 0]


def test_closing(home: SQLiteBackendStore) -> None:
    """After close, which may be called twice, every call is refused."""
    home.close()
    home.close()
    for call in (lambda: home.get_run("r"), lambda: home.log("r", WHOLE)):
        with pytest.raises(InvalidState):
            call()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:x",
        "sqlite:///a?b=c",
        "sqlite:///file:a",
    ],
)
def test_refused_urls(url: str) -> None:
    """A URL that does not name a file is refused at once."""
    with pytest.raises(InvalidRequest):
        SQLiteBackendStore.from_url(url)


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    """Making and closing a handle touches no file."""
    SQLiteBackendStore.from_url(f"sqlite:///{tmp_path}/x.db").close()
    assert not list(tmp_path.iterdir())


def failing(tmp_path: Path) -> dict[str, tuple[str, type[TrackstoreError]]]:
    (tmp_path / "text").write_text("no database, but long enough to be read as one" * 100)
    (tmp_path / "folder").mkdir()
    with sqlite3.connect(tmp_path / "foreign.db") as connection:
        connection.execute("create table experiments (experiment_id)")
    connection.close()
    return {
        "no folder": ("missing/x.db", BackendError),
        "not a database": ("text", BackendError),
        "a folder": ("folder", BackendError),
        "another program's": ("foreign.db", TrackstoreError),
    }


@pytest.mark.parametrize("case", ["no folder", "not a database", "a folder", "another program's"])
def test_files_that_are_no_store(tmp_path: Path, case: str) -> None:
    """The first call says what is wrong, names no path, and the handle may be tried again."""
    name, kind = failing(tmp_path)[case]
    with SQLiteBackendStore.from_url(f"sqlite:///{tmp_path}/{name}") as store:
        for _ in range(2):
            with pytest.raises(kind) as refused:
                store.create_experiment(HOME)
            assert str(tmp_path) not in str(refused.value)
            assert refused.value.outcome == "none"


def test_a_schema_that_appears_amid_the_check(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that another process makes while this one looks for it is not taken for foreign."""
    SQLiteDatabase(Path(url.removeprefix("sqlite:///"))).connect(writes=True).close()
    has_table = SQLiteDatabase.has_table

    def slow(self: SQLiteDatabase, session: Session, name: str) -> bool:
        found = has_table(self, session, name)
        monkeypatch.undo()
        with SQLiteBackendStore.from_url(url) as faster:
            faster.create_experiment(HOME)
        return found

    monkeypatch.setattr(SQLiteDatabase, "has_table", slow)
    with SQLiteBackendStore.from_url(url) as store:
        assert store.get_experiment("1") == HOME


def test_a_newer_schema_is_refused(home: SQLiteBackendStore, url: str) -> None:
    """A database that a newer version has upgraded is left alone."""
    home.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("update trackstore_version set version_num = '9999'")
    connection.close()
    with SQLiteBackendStore.from_url(url) as newer, pytest.raises(TrackstoreError, match="newer"):
        newer.get_run("r")


def test_a_full_disk_loses_nothing(home: SQLiteBackendStore) -> None:
    """When the file cannot grow, the call fails with nothing written, and later ones succeed."""
    home.log("r", WHOLE)
    writer = home._connections._writer
    pages = writer.execute("pragma page_count").fetchone()[0]
    writer.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(BackendError, match="full") as refused:
        home.log("r", Batch(params={f"p{place}": "x" * 5_000 for place in range(50)}))
    assert refused.value.outcome == "none"
    assert set(home.get_run("r").params) == {"p"}
    home.log("r", Batch(params={"q": "x" * 50_000}))
    assert set(home.get_run("r").params) == {"p", "q"}


def test_read_only(home: SQLiteBackendStore) -> None:
    """A database that may not be written is PermissionDenied, and can still be read."""
    home._connections._writer.execute("pragma query_only = on")
    with pytest.raises(PermissionDenied) as refused:
        home.log("r", WHOLE)
    assert refused.value.__cause__ is not None
    assert home.get_run("r") == RUN
