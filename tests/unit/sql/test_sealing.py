"""Points that are sealed are read as if they had stayed loose."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sealed import EAGER, open_eagerly
from trackstore.errors import BackendError
from trackstore.history import columns_by_pages, downsample_by_pages
from trackstore.model import (
    Batch,
    Experiment,
    LifecycleStage,
    Metric,
    MetricLink,
    Run,
    RunChanges,
    RunStatus,
)
from trackstore.stores import BackendStore
from trackstore_backends.memory import MemoryBackendStore
from trackstore_backends.sql import sealing, series
from trackstore_backends.sql.chunks import Chunk
from trackstore_backends.sql.database import Session
from trackstore_backends.sqlite import SQLiteBackendStore
from trackstore_conformance.outcomes import seen

ENDED = RunChanges(status=RunStatus.FINISHED)
EVERY_STEP = -(2**63), 2**63 - 1
WHOLES = series.wholes
RUN = Run("r", "1", 0, "")


def begin(store: BackendStore) -> BackendStore:
    store.create_experiment(Experiment("1", "e", "", 0, 0))
    store.create_run(RUN)
    return store


@pytest.fixture
def eager(url: str) -> Iterator[SQLiteBackendStore]:
    with open_eagerly(url) as store:
        begin(store)
        yield store


def counts(url: str) -> tuple[int, int, int]:
    """Return how many points are loose, how many sealed, and in how many chunks."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        (loose,) = connection.execute("select count(*) from points").fetchone()
        chunks = connection.execute("select points from chunks").fetchall()
    return loose, sum(points for (points,) in chunks), len(chunks)


def points(steps: Any, value: float = 1.0, **fields: Any) -> Batch:
    return Batch([Metric("m", value, 0, step, **fields) for step in steps])


def whole(store: BackendStore) -> list[Metric]:
    return list(store.metric_history("r", "m", None, 25_000).items)


def test_a_run_that_ends_is_sealed(eager: SQLiteBackendStore, url: str) -> None:
    """All its keys are, in full chunks, and what is read stays the same."""
    eager.log("r", Batch([Metric(key, 1.0, 0, step) for key in "mn" for step in range(3)]))
    before = whole(eager)
    eager.update_run("r", ENDED)
    eager.close()
    assert counts(url) == (0, 6, 2)
    with open_eagerly(url) as store:
        assert whole(store) == before


def test_a_long_key_is_sealed_in_slices(eager: SQLiteBackendStore, url: str) -> None:
    """All of it is, a chunk in each transaction."""
    eager._sealer._sizes = eager._sizes._replace(loose=1_000)
    eager.log("r", points(range(11)))
    eager.update_run("r", ENDED)
    assert counts(url) == (7, 4, 1)
    eager.close()
    assert counts(url) == (0, 11, 3)


def test_a_run_that_goes_on_is_sealed_but_for_its_newest(
    eager: SQLiteBackendStore, url: str
) -> None:
    """A key is, once enough of its points are loose."""
    for step in range(11):
        eager.log("r", points([step]))
    loose, sealed, chunks = counts(url)
    assert (loose, sealed, chunks) == (3, 8, 2)
    assert [point.step for point in whole(eager)] == list(range(11))


def test_few_points_stay_loose(url: str) -> None:
    """A chunk for each would be larger, and take longer, than they do."""
    with SQLiteBackendStore.from_url(url) as store:
        begin(store).log("r", points(range(127)))
        store.update_run("r", ENDED)
    assert counts(url) == (127, 0, 0)


def test_late_and_repeated_points(eager: SQLiteBackendStore, url: str) -> None:
    """What is logged among sealed points, or is sealed already, is read once."""
    eager.log("r", points(range(0, 40, 2)))
    eager.update_run("r", ENDED)
    eager.log("r", points(range(0, 40, 4)))
    assert [point.step for point in whole(eager)] == list(range(0, 40, 2))
    eager.log("r", points(range(40)))
    assert [point.step for point in whole(eager)] == list(range(40))
    eager.update_run("r", ENDED)
    eager.close()
    loose, sealed, chunks = counts(url)
    assert (loose, sealed) == (0, 40)
    assert chunks <= 20


def test_small_chunks_are_filled(eager: SQLiteBackendStore, url: str) -> None:
    """A run that ends again and again does not leave a chunk each time."""
    for step in range(12):
        eager.log("r", points([step]))
        eager.update_run("r", ENDED)
    assert counts(url) == (0, 12, 3)


def test_a_purge_takes_the_chunks_too(eager: SQLiteBackendStore, url: str) -> None:
    """And a run that was purged before it was sealed is not missed."""
    eager.log("r", points(range(30)))
    eager.update_run("r", ENDED)
    eager._sealer._tasks.append(sealing.Task("r"))
    eager.update_run("r", RunChanges(lifecycle_stage=LifecycleStage.DELETED))
    eager.purge_run("r")
    eager.create_run(replace(RUN, id="s"))
    assert counts(url) == (0, 0, 0)
    assert not eager._sealer._tasks


def test_links_are_read_with_sealed_points(eager: SQLiteBackendStore) -> None:
    """They stay in a table of their own."""
    link = MetricLink("model")
    eager.log("r", points(range(9)))
    eager.log("r", points([3, 20], links=(link,)))
    eager.update_run("r", ENDED)
    linked = {point.step: point.links for point in whole(eager)}
    assert linked == dict.fromkeys(range(9), ()) | {3: (link,), 20: (link,)}


def test_what_a_killed_process_left_is_sealed_by_another(
    eager: SQLiteBackendStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handle that ends a run goes on with those that were not finished."""
    monkeypatch.setattr(eager._sealer, "ended", lambda _: None)
    eager.log("r", points(range(3)))
    eager.update_run("r", ENDED)
    assert counts(url) == (3, 0, 0)
    with open_eagerly(url) as other:
        other.create_run(replace(RUN, id="s"))
        other.log("s", points(range(3)))
        other.update_run("s", ENDED)
    assert counts(url) == (0, 6, 2)


LATER = [
    "chunks", "unsealed", "registered_models", "registered_model_tags", "registered_model_aliases",
    "model_versions", "model_version_tags", "logged_models", "logged_model_params",
    "logged_model_tags",
]  # fmt: skip
"""Tables that the first schema had not."""


def test_an_older_database_is_sealed_little_by_little(eager: SQLiteBackendStore, url: str) -> None:
    """An upgrade packs nothing itself: it notes the runs that have ended."""
    eager.log("r", points(range(3)))
    eager.close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        drops = "".join(f"drop table {table};" for table in LATER)
        connection.executescript(
            f"{drops} drop index point_links_by_model; update runs set status = 'FAILED';"
            "update trackstore_version set version_num = '0001';"
        )
    with open_eagerly(url) as store:
        store.create_run(replace(RUN, id="s"))
        store.log("s", points([0]))
        store.update_run("s", ENDED)
        assert [point.step for point in whole(store)] == [0, 1, 2]
    assert counts(url) == (0, 4, 2)


def test_a_call_that_succeeded_does_not_fail_for_its_sealing(
    eager: SQLiteBackendStore, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Points that cannot be packed stay as they are, and that is logged."""
    eager.log("r", points(range(4)))
    damage(url, "doubles")
    with caplog.at_level(logging.WARNING):
        eager.log("r", points(range(3, 9)))
        eager.update_run("r", ENDED)
    assert "damaged" in caplog.text
    assert eager.get_run("r").status is RunStatus.FINISHED


def damage(url: str, column: str) -> None:
    """Change the last bit of a column of every chunk."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for number, found in connection.execute(f"select chunk, {column} from chunks").fetchall():
            changed = found[:-1] + bytes([found[-1] ^ 1])
            connection.execute(f"update chunks set {column} = ? where chunk = ?", (changed, number))
        connection.commit()


@pytest.mark.parametrize("column", ["summary", "steps", "stamps", "doubles"])
def test_damaged_chunks_are_found(eager: SQLiteBackendStore, url: str, column: str) -> None:
    """A reader gets a typed error, and never other points."""
    eager.log("r", Batch([Metric("m", step / 7, step**2, step**3) for step in range(8)]))
    eager.update_run("r", ENDED)
    expected = eager.downsample_history("r", "m", EVERY_STEP, 5)
    damage(url, column)
    for call in (eager.metric_history, eager.metric_columns):
        with pytest.raises(BackendError, match="damaged"):
            call("r", "m", None, 10)
    try:
        assert eager.downsample_history("r", "m", EVERY_STEP, 5) == expected
    except BackendError:
        assert column == "summary"


# Any points, logged in any way, are read as the memory store reads them

steps = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
stamps = st.one_of(st.integers(0, 2), st.integers(0, 2**63 - 1))
doubles = st.one_of(st.sampled_from([nan, -inf, inf, 0.0, 1.0, -1.0]), st.floats(width=64))
metrics = st.builds(Metric, st.just("m"), doubles.map(lambda v: v + 0.0), stamps, steps)
writes = st.lists(st.one_of(st.lists(metrics, max_size=12), st.just("end")), max_size=10)


@settings(max_examples=60, deadline=None)
@given(work=writes, limit=st.integers(1, 9), most=st.integers(2, 12), span=st.tuples(steps, steps))
def test_any_points_are_read_as_they_were_logged(
    tmp_path_factory: pytest.TempPathFactory,
    work: list[Any],
    limit: int,
    most: int,
    span: tuple[int, int],
) -> None:
    """Pages of points and of columns, and charts, are those of a store that seals nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('sealed')}/store.db"
    with open_eagerly(url) as store, MemoryBackendStore.from_url("memory:") as model:
        for each in (begin(store), begin(model)):
            for batch in work:
                if batch == "end":
                    each.update_run("r", ENDED)
                else:
                    each.log("r", Batch(batch))
        after = None
        while True:
            page = model.metric_history("r", "m", after, limit)
            assert seen(store.metric_history("r", "m", after, limit)) == seen(page)
            expected = columns_by_pages(model, "r", "m", after, limit)
            assert seen(store.metric_columns("r", "m", after, limit)) == seen(expected)
            if (after := page.next) is None:
                break
        for part in (EVERY_STEP, (min(span), max(span))):
            expected = downsample_by_pages(model, "r", "m", part, most)
            assert seen(store.downsample_history("r", "m", part, most)) == seen(expected)


@pytest.mark.parametrize("most", [8, 60, 300])
def test_a_chart_takes_any_number_of_points_from_a_chunk(url: str, most: int) -> None:
    """A few are found one by one, more by decoding the chunk once."""
    with SQLiteBackendStore.from_url(url) as store:
        noisy = [Metric("m", step * 7919 % 1000, step * 5 + step % 3, step) for step in range(1000)]
        begin(store).log("r", Batch(noisy))
        store.update_run("r", ENDED)
    assert counts(url) == (0, 1000, 1)
    with SQLiteBackendStore.from_url(url) as store, MemoryBackendStore.from_url("memory:") as model:
        begin(model).log("r", Batch(noisy))
        expected = downsample_by_pages(model, "r", "m", EVERY_STEP, most)
        assert seen(store.downsample_history("r", "m", EVERY_STEP, most)) == seen(expected)


def test_a_chart_reads_many_chunks_at_once(
    eager: SQLiteBackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database far away is asked a few times, not once for each chunk that a bucket cuts."""
    asked: list[int] = []

    def counted(session: Session, numbers: Sequence[int]) -> Iterator[tuple[int, Chunk]]:
        asked.append(len(numbers))
        return WHOLES(session, numbers)

    monkeypatch.setattr(series, "wholes", counted)
    eager.log("r", Batch([Metric("m", step * 7919 % 1000, step, step) for step in range(1000)]))
    eager.update_run("r", ENDED)
    eager.downsample_history("r", "m", EVERY_STEP, 300)
    assert sum(asked) > 4 * series.PORTION
    assert len(asked) <= -(-sum(asked) // series.PORTION)


def test_the_eager_store_is_eager() -> None:
    """Its chunks are so small that a few points fill several, and each has several blocks."""
    assert EAGER.least == 1
    assert EAGER.block < EAGER.chunk <= EAGER.loose < 10
