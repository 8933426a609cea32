from collections.abc import Callable
from typing import Any

from trackstore_conformance.artifact import work
from trackstore_conformance.checkers import unique_winner
from trackstore_conformance.crash import kill_after
from trackstore_conformance.harness import ArtifactBench, ArtifactSuite
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.processes import in_a_child, open_descriptors
from trackstore_conformance.races import race_processes, race_threads
from trackstore_conformance.rules import rule

Race = Callable[..., list[Any]]
ROUNDS = 10


def threads(bench: ArtifactBench) -> Race:
    return lambda job, *args: race_threads([bench.store, bench.second], job, *args)


def processes(bench: ArtifactBench) -> Race:
    return lambda job, *args: race_processes(bench.opener, bench.url, job, *args)


class ArtifactRaceTests(ArtifactSuite):
    """Each race is run by eight threads, and by eight processes unless the store is ephemeral."""

    __test__ = False

    @rule("A-PUT-02", "A-PUT-03", "A-LST-02", needs=["artifact_overwrite"])
    def test_threads_that_replace_and_read_a_file(self, bench: ArtifactBench) -> None:
        """Every read gives one whole version, and the last one is one of those put."""
        self.replace(bench, threads(bench))

    @rule("A-PUT-02", "A-PUT-03", "A-LST-02", needs=["processes", "artifact_overwrite"])
    def test_processes_that_replace_and_read_a_file(self, bench: ArtifactBench) -> None:
        """Every read gives one whole version, and the last one is one of those put."""
        self.replace(bench, processes(bench))

    def replace(self, bench: ArtifactBench, race: Race) -> None:
        bench.store.put("a", work.payload(0, 0))
        for wrong in race(work.put_and_get, "a", ROUNDS):
            assert wrong == []
        last = [b"".join(work.payload(worker, ROUNDS - 1)) for worker in range(1, 8, 2)]
        assert bench.read("a") in last
        assert bench.paths() == ["a"]

    @rule("A-PUT-04", needs=["create_only"])
    def test_threads_that_create_a_file(self, bench: ArtifactBench) -> None:
        """Of all that put it if it is absent, one wins, and its bytes are there."""
        self.create(bench, threads(bench))

    @rule("A-PUT-04", needs=["processes", "create_only"])
    def test_processes_that_create_a_file(self, bench: ArtifactBench) -> None:
        """Of all that put it if it is absent, one wins, and its bytes are there."""
        self.create(bench, processes(bench))

    def create(self, bench: ArtifactBench, race: Race) -> None:
        paths = [f"f{number}/a" for number in range(ROUNDS)]
        results = race(work.put_if_absent, paths)
        for path in paths:
            winner = unique_winner([each[path] for each in results], "AlreadyExists path")
            assert bench.read(path) == b"".join(work.payload(winner, 0))

    @rule("A-DEL-01", "A-GET-02")
    def test_threads_that_put_and_delete_a_file(self, bench: ArtifactBench) -> None:
        """A put beside a delete succeeds, and a reader finds a whole file or none."""
        self.delete(bench, threads(bench))

    @rule("A-DEL-01", "A-GET-02", needs=["processes"])
    def test_processes_that_put_and_delete_a_file(self, bench: ArtifactBench) -> None:
        """A put beside a delete succeeds, and a reader finds a whole file or none."""
        self.delete(bench, processes(bench))

    def delete(self, bench: ArtifactBench, race: Race) -> None:
        for wrong in race(work.put_or_delete, ROUNDS):
            assert wrong == []
        bench.store.put("folder/b", [b"1"])
        bench.store.delete("folder/a")
        assert bench.paths() == ["folder/b"]

    @rule("A-PUT-06", needs=["durability"])
    def test_a_killed_put_leaves_nothing(self, bench: ArtifactBench) -> None:
        """Neither a new file nor a part of a replaced one is seen, and both can be put again."""
        bench.store.put("old", [b"old"])
        for path in ("new/a", "old"):
            kill_after(20, work.put_without_end, bench.opener, bench.url, path)
        assert bench.paths() == ["old"]
        assert bench.paths(deep=False) == ["old"]
        assert bench.read("old") == b"old"
        assert outcome(bench.store.get, "new/a").ways == ("NotFound",)
        for path in ("new/a", "old"):
            bench.second.put(path, [b"again"])
            assert bench.read(path) == b"again"

    @rule("A-DUR-01", needs=["durability"])
    def test_files_that_were_acknowledged_survive_a_kill(self, bench: ArtifactBench) -> None:
        """Every acknowledged file is there after kill -9, and all there are, are whole."""
        told = kill_after(20, work.put_and_tell, bench.opener, bench.url, "f")
        names = [f"f/{number:06}" for number in range(len(told))]
        found = bench.paths("f")
        assert found[: len(told)] == names
        assert len(found) <= len(told) + 2
        for path in found:
            assert work.is_whole(bench.read(path)), path

    @rule("A-CON-01")
    def test_a_closed_artifact_store_refuses_every_call(self, bench: ArtifactBench) -> None:
        """Closing twice is harmless, each method then raises `InvalidState`, others stay open."""
        bench.store.put("a", [b"1"])
        bench.second.stat("a")
        bench.second.close()
        bench.second.close()
        calls: list[Callable[[], Any]] = [
            lambda: bench.second.put("b", [b"1"]),
            lambda: bench.second.get("a"),
            lambda: bench.second.stat("a"),
            lambda: bench.second.scan("", None, 1, deep=True),
            lambda: bench.second.delete("a"),
        ]
        assert [outcome(call).ways for call in calls] == [("InvalidState",)] * len(calls)
        with bench.open() as store:
            assert b"".join(store.get("a")) == b"1"
        assert outcome(store.get, "a").ways == ("InvalidState",)
        assert bench.read("a") == b"1"

    @rule("A-CON-01")
    def test_an_artifact_store_is_opened_by_its_first_call(self, bench: ArtifactBench) -> None:
        """Opening leaves no trace; reading and listing an untouched store find nothing."""
        bench.open()
        assert list(bench.folder.iterdir()) == []
        assert bench.paths() == bench.paths(deep=False) == []
        assert outcome(bench.store.get, "a").ways == ("NotFound",)
        bench.store.delete("a")

    @rule("A-CON-01", needs=["processes"])
    def test_an_artifact_store_survives_a_fork(self, bench: ArtifactBench) -> None:
        """Parent and child both go on with the handle, and see what the other wrote."""
        bench.store.put("parent", [b"1"])

        def use_in_child() -> None:
            assert bench.read("parent") == b"1"
            bench.store.put("child", [b"2"])

        assert in_a_child(use_in_child) == b"ok"
        assert bench.read("child") == b"2"
        assert bench.paths() == ["child", "parent"]

    @rule("A-CON-01")
    def test_closing_an_artifact_store_gives_back_every_descriptor(
        self, bench: ArtifactBench
    ) -> None:
        """Handles that are used and closed, one after another, leave no file or socket open."""
        bench.store.put("f/a", work.payload(0, 0))
        before = open_descriptors()
        for _ in range(30):
            with bench.opener(bench.url) as store:
                store.put("f/a", work.payload(0, 0))
                assert work.is_whole(b"".join(store.get("f/a")))
                store.scan("", None, 5, deep=True)
        assert open_descriptors() <= before
