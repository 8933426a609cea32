"""The fault scripts find every line store that is broken on purpose, and blame the right rule."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from line_store.client import LineHarness, LineStore
from line_store.mutants import MUTANTS, Mutant
from line_store.running import running_server
from trackstore.registry import open_artifact_store, open_backend_store
from trackstore.stores import Guarantees
from trackstore_backends.memory_artifacts import MemoryArtifactStore
from trackstore_conformance.artifact import faults as file_faults
from trackstore_conformance.backend import faults
from trackstore_conformance.bench import ArtifactBench, BackendBench, Bench
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.faults.artifacts import CREATING, FILES, NEW, REPLACING
from trackstore_conformance.faults.artifacts import OPERATIONS as ALWAYS
from trackstore_conformance.faults.backend import BACKEND, OPERATIONS
from trackstore_conformance.faults.kinds import Kind, Operation, Step
from trackstore_conformance.faults.play import chosen, play_script
from trackstore_conformance.faults.scripts import SCRIPTS
from trackstore_conformance.harness import Harness
from trackstore_conformance.outcomes import Outcome
from trackstore_conformance.violations import OutOfTime, Violation

READS = {"get_experiment", "find_experiment", "get_run", "scan_runs", "metric_history"}
READS |= {"get", "get of a range", "stat", "stat of a folder", "scan"}
NOTICED = {"B-ERR-05", "A-RTY-02"}
BENCHES: dict[str, type[Bench[Any]]] = {"runs": BackendBench, "files": ArtifactBench}
KINDS: dict[str, Kind[Any, Any]] = {"runs": BACKEND, "files": FILES}
KILLS = [
    (mutant, "runs", script, rule) for mutant in MUTANTS for script, rule in mutant.killed.items()
] + [
    (mutant, "files", script, rule)
    for mutant in MUTANTS
    for script, rule in mutant.killed_by_files.items()
]
PASSES = [(mutant, "runs", script) for mutant in MUTANTS for script in mutant.survives]
PASSES += [(mutant, "files", script) for mutant in MUTANTS for script in mutant.files_survive]
EACH = [("runs", each) for each in OPERATIONS]
EACH += [("files", each) for each in (*ALWAYS, CREATING, *REPLACING, *NEW)]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_server() as port:
        yield port


def play(
    port: int, mutant: type[LineStore], kind: str, script: str, folder: Path, rule: str = ""
) -> Bench[Any]:
    """Play a script; only one that makes calls wait for their timeout gets a short one."""
    harness = LineHarness(port, mutant.from_url, 1 if SCRIPTS[script].waits else 10)
    harness.patience = 4.0 if SCRIPTS[script].waits else 30.0
    with closing(BENCHES[kind](harness, folder, Settings())) as bench:
        try:
            play_script(bench, KINDS[kind], script, noticed=rule in NOTICED)
        except pytest.skip.Exception as skipped:
            pytest.fail(str(skipped))
        return bench


@pytest.mark.parametrize(("mutant", "kind", "script", "rule"), KILLS)
def test_a_script_finds_the_mutant(
    port: int, mutant: type[Mutant], kind: str, script: str, rule: str, tmp_path: Path
) -> None:
    """It names the rule that is broken, and itself."""
    with pytest.raises(Violation) as raised:
        play(port, mutant, kind, script, tmp_path, rule)
    assert rule in raised.value.rules
    assert raised.value.witness.startswith(f"script {script} on ")


@pytest.mark.parametrize(("mutant", "kind", "script"), PASSES)
def test_a_script_accuses_nobody_else(
    port: int, mutant: type[Mutant], kind: str, script: str, tmp_path: Path
) -> None:
    """A mutant passes where its fault makes no difference."""
    assert play(port, mutant, kind, script, tmp_path).evidence.faults > 0


@pytest.mark.parametrize(("kind", "rule"), [("runs", "B-ERR-05"), ("files", "A-RTY-02")])
def test_a_server_that_looks_at_no_checksum_is_found(kind: str, rule: str, tmp_path: Path) -> None:
    """A request of which a bit has changed does what was not asked."""
    with (
        running_server("line_store.trusting") as port,
        pytest.raises(Violation, match=rule),
    ):
        play(port, LineStore, kind, "damaged-request", tmp_path, rule)


@pytest.mark.parametrize("script", ["damaged-request", "damaged-reply"])
@pytest.mark.parametrize(("kind", "rule"), [("runs", "B-ERR-05"), ("files", "A-RTY-02")])
def test_a_checksum_notices_what_is_damaged(
    port: int, kind: str, rule: str, script: str, tmp_path: Path
) -> None:
    """The line store has one, and keeps the rule that it claims."""
    assert play(port, LineStore, kind, script, tmp_path, rule).evidence.faults > 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_script_finds_a_mutant(kind: str) -> None:
    """No script is there that nothing could fail."""
    assert {script for _, each, script, _ in KILLS if each == kind} == played(kind)


def played(kind: str) -> set[str]:
    """Return the scripts that tests of the suite play, each of them by one."""
    module = {"runs": faults, "files": file_faults}[kind]
    names = re.findall(r'play_script\(bench, \w+, "(.+)"\)', Path(module.__file__).read_text())
    assert len(names) == len(set(names))
    return set(names)


def test_the_suite_plays_every_script() -> None:
    """Those about the bytes of a file are played on files, and the one about a run on runs."""
    assert played("runs") | played("files") == SCRIPTS.keys()
    of_files = {"lost-replies", "cut-upload", "cut-download"}
    assert played("runs") ^ played("files") == {"overtaken", *of_files}


@pytest.mark.parametrize(("kind", "operation"), EACH, ids=lambda each: getattr(each, "name", each))
def test_an_operation_is_of_its_class(kind: str, operation: Operation, tmp_path: Path) -> None:
    """In the model a repetition changes nothing; its answer is another where it says so."""
    player, bench = KINDS[kind], memory_bench(kind, tmp_path)
    model, case = player.model(bench), player.new_case(bench)

    def do(step: Step) -> Outcome:
        return player.on_model(model, step)

    for step in (*case.setup, *operation.prepare(case)):
        assert do(step).ways == ("ok",)
    before, first, after = case.look(do), do(operation.call(case)), case.look(do)
    second = do(operation.call(case))
    assert first.ways == ("ok",)
    assert (before == after) == (operation.name in READS)
    assert case.look(do) == after
    alike = (first.ways, first.value) == (second.ways, second.value)
    assert alike == (operation.idempotency != "none")


@pytest.mark.parametrize("kind", KINDS)
def test_calls_that_wait_are_played_on_each_class(kind: str, tmp_path: Path) -> None:
    """A few operations stand for all in `quick`; in `standard` none is left out."""
    script = SCRIPTS["black-hole"]
    claimed = KINDS[kind].operations(memory_bench(kind, tmp_path))
    for seed in range(20):
        few = chosen(claimed, script, PROFILES["quick"], Random(seed))
        assert len(few) == PROFILES["quick"].histories
        assert {each.idempotency for each in few} == {each.idempotency for each in claimed}
    assert len(chosen(claimed, script, PROFILES["standard"], Random(0))) == len(claimed)


def test_large_files_are_moved_where_it_tells_most(tmp_path: Path) -> None:
    """In `quick` by two scripts; in `standard` by all."""
    claimed = FILES.operations(memory_bench("files", tmp_path))
    for name, script in SCRIPTS.items():
        quick, all_of_it = (
            {each.name for each in chosen(claimed, script, PROFILES[profile], Random(0))}
            for profile in ("quick", "standard")
        )
        if not script.waits and not script.overtaken:
            assert (quick == all_of_it) == (name in {"lost-reply", "cut-upload"})


class WriteOnce(MemoryArtifactStore):
    guarantees: ClassVar = Guarantees(artifact_overwrite="refused", create_only="none")


def test_a_store_is_not_asked_for_what_it_does_not_claim(tmp_path: Path) -> None:
    """Nothing is put in the place of another or created only; a repetition may be refused."""
    harness = Harness("memory://{folder}", WriteOnce.from_url)
    with closing(ArtifactBench(harness, tmp_path, Settings())) as bench:
        claimed = FILES.operations(bench)
        assert claimed == [*ALWAYS, *NEW]
        harness.takes_parts = False
        assert FILES.operations(bench) == [*ALWAYS, NEW[0]]
        model, case = FILES.model(bench), FILES.new_case(bench)
        put = claimed[0].call(case)
        assert [FILES.on_model(model, put).ways for _ in range(2)] == [
            ("ok",),
            ("AlreadyExists path",),
        ]


def memory_bench(kind: str, folder: Path) -> Bench[Any]:
    opener = {"runs": open_backend_store, "files": open_artifact_store}[kind]
    return BENCHES[kind](Harness("memory://{folder}", opener), folder, Settings())


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_without_a_network_is_not_asked(kind: str, tmp_path: Path) -> None:
    """The test is skipped as N/A."""
    with pytest.raises(pytest.skip.Exception, match="N/A: no network"):
        play_script(memory_bench(kind, tmp_path), KINDS[kind], "slow")


def test_a_store_that_goes_around_the_proxy_is_not_proven(port: int, tmp_path: Path) -> None:
    """A fault that never strikes is no evidence."""
    harness = LineHarness(port)
    harness.proxied = lambda url, port: url
    with (
        closing(BackendBench(harness, tmp_path, Settings())) as bench,
        pytest.raises(pytest.skip.Exception, match="not exercised: no call of the store"),
    ):
        play_script(bench, BACKEND, "lost-reply")


def test_a_store_that_says_little_at_a_time_is_not_cut_in_the_middle(
    port: int, tmp_path: Path
) -> None:
    """Its calls did pass the proxy: there is nothing of theirs that the script could strike."""
    with (
        closing(BackendBench(LineHarness(port), tmp_path, Settings())) as bench,
        pytest.raises(pytest.skip.Exception, match="N/A: no reply of the store is longer than 100"),
    ):
        play_script(bench, BACKEND, "cut-download")


def test_a_script_that_takes_too_long_ends_as_unknown(port: int, tmp_path: Path) -> None:
    """It neither passes nor fails."""
    settings = Settings(replace(PROFILES["quick"], seconds_per_test=0))
    with (
        closing(BackendBench(LineHarness(port), tmp_path, settings)) as bench,
        pytest.raises(OutOfTime, match="script slow on create_experiment"),
    ):
        play_script(bench, BACKEND, "slow")


@pytest.mark.parametrize(
    ("url", "upstream", "proxied"),
    [
        ("db://h:5/x?y=1", ("h", 5), "db://127.0.0.1:9/x?y=1"),
        ("db+d://u:p%40@h:5", ("h", 5), "db+d://u:p%40@127.0.0.1:9"),
        ("http://[::1]:80/", ("::1", 80), "http://127.0.0.1:9/"),
    ],
)
def test_a_url_is_led_by_way_of_the_proxy(
    url: str, upstream: tuple[str, int], proxied: str
) -> None:
    """Only the host and the port of the URL are replaced."""
    harness = Harness(url, open_backend_store)
    assert harness.upstream(url) == upstream
    assert harness.proxied(url, 9) == proxied


@pytest.mark.parametrize(
    "url", ["sqlite:////x/y.db", "memory:", "memory:///x", "db://h/x", "db://h:p/x", "db://:5/x"]
)
def test_a_url_without_host_and_port_has_no_network(url: str) -> None:
    """Nothing is guessed."""
    assert Harness(url, open_backend_store).upstream(url) is None
