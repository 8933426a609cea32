"""A cluster of MariaDB servers, for the tests of what runs past one machine."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from provision.daemon import Missing
from provision.galera import ClusterHarness, Node, cluster
from provision.processes import listening_addresses, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(cluster())
        except Missing as error:
            pytest.skip(str(error))


def ask(node: Node, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements, of which reads wait for what other nodes have committed."""
    with node.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set session wsrep_sync_wait = 1")
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def test_a_row_written_on_one_node_is_read_on_another(nodes: list[Node]) -> None:
    """By the next read, every time."""
    first, _, third = nodes
    assert [node.status("wsrep_cluster_size") for node in nodes] == ["3"] * 3
    ask(first, "create database fresh", "create table fresh.t (a int primary key)")
    for number in range(50):
        ask(first, f"insert into fresh.t values ({number})")
        assert ask(third, "select max(a) from fresh.t") == [(number,)]


def test_two_nodes_that_write_one_row_never_lose_a_write(nodes: list[Node]) -> None:
    """The later of two that met is refused as in a deadlock, so that it is seen, and done again."""
    ask(nodes[0], "create database met", "create table met.t (a int primary key, b int)")
    ask(nodes[0], "insert into met.t values (1, 0)")
    nodes[1].catch_up()
    with nodes[0].connect() as one, nodes[1].connect() as other:
        for connection in (one, other):
            connection.begin()
            connection.cursor().execute("update met.t set b = b + 1 where a = 1")
        one.commit()
        with pytest.raises(Exception, match="1213"):
            other.commit()
    assert ask(nodes[2], "select b from met.t") == [(1,)]


def test_writes_go_on_when_a_node_is_killed_and_it_can_rejoin(nodes: list[Node]) -> None:
    """After the others have voted it out; it then gets what it missed."""
    first, second, third = nodes
    ask(first, "create database killed", "create table killed.t (a int primary key)")
    second.kill()
    ask(first, "insert into killed.t values (1)")
    ask(third, "insert into killed.t values (2)")
    assert first.status("wsrep_cluster_size") == "2"
    second.rejoin()
    assert ask(second, "select a from killed.t order by a") == [(1,), (2,)]
    ask(second, "insert into killed.t values (3)")
    assert len(ask(third, "select a from killed.t")) == 3


def test_only_this_machine_can_reach_the_nodes(nodes: list[Node]) -> None:
    """Neither as clients nor as members of the group."""
    for node in nodes:
        assert {host for host, _ in listening_addresses(node.pid)} == {"127.0.0.1"}


def test_each_place_of_the_suite_is_known_to_all_nodes(nodes: list[Node], tmp_path: Path) -> None:
    """So that a test may open its store on any of them."""
    places = ClusterHarness(nodes).places(tmp_path)
    for _ in range(10):
        place = next(places)
        for node in nodes:
            assert ask(node, f"use `{place.name}`", "show tables") == []
        place.clear()
        wait_for(
            lambda name=place.name: (name,) not in ask(nodes[2], "show databases"),  # type: ignore[misc]
            10,
            lambda: "the database is still there",
        )
