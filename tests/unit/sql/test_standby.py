"""A standby of PostgreSQL is no place to write, and says so."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from provision.fixtures import started
from provision.postgres import PostgreSQL, Standby
from provision.processes import wait_for
from trackstore.errors import NotFound, PermissionDenied
from trackstore.model import Experiment
from trackstore.registry import open_backend_store

EXPERIMENT = Experiment("1", "e", "x:/", 1, 1)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[PostgreSQL, Standby]]:
    for primary in started(PostgreSQL, durable=True):
        assert isinstance(primary, PostgreSQL)
        with ExitStack() as stack:
            yield primary, stack.enter_context(Standby(primary))


def test_a_standby_answers_reads_and_refuses_writes(pair: tuple[PostgreSQL, Standby]) -> None:
    """With an error that names the reason; nothing is written, and reads go on."""
    primary, standby = pair
    url = primary.fresh()
    with open_backend_store(url) as store:
        store.create_experiment(EXPERIMENT)
    copy = f"{standby.url('')}{url.rpartition('/')[2]}"

    def has_arrived() -> bool:
        try:
            with open_backend_store(copy) as store:
                return store.get_experiment("1") == EXPERIMENT
        except (NotFound, PermissionDenied):  # not yet; a schema that is not there cannot be made
            return False

    wait_for(has_arrived, 30, standby.log)
    with open_backend_store(copy) as store:
        with pytest.raises(PermissionDenied, match="or it is a standby") as refusal:
            store.create_experiment(Experiment("2", "f", "x:/", 1, 1))
        assert refusal.value.outcome == "none"
        assert store.get_experiment("1") == EXPERIMENT
