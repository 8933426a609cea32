"""The fault scripts find every line store that is broken on purpose, and blame the right rule."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from line_store.client import LineHarness, LineStore
from line_store.mutants import MUTANTS, Mutant
from line_store.running import running_server
from trackstore.registry import open_backend_store
from trackstore_conformance.backend import faults
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.faults.judge import State
from trackstore_conformance.faults.operations import OPERATIONS, Operation, new_case, on_model
from trackstore_conformance.faults.play import chosen, play_script, state
from trackstore_conformance.faults.scripts import SCRIPTS
from trackstore_conformance.harness import Harness
from trackstore_conformance.sequential.model import Model
from trackstore_conformance.violations import OutOfTime, Violation

READS = {"get_experiment", "find_experiment", "get_run", "scan_runs", "metric_history"}
NOTICED = "B-ERR-05"
KILLS = [(mutant, script) for mutant in MUTANTS for script in mutant.killed]
PASSES = [(mutant, script) for mutant in MUTANTS for script in mutant.survives]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_server() as port:
        yield port


def play(
    port: int, mutant: type[LineStore], script: str, folder: Path, rule: str = ""
) -> BackendBench:
    """Play a script; only one that makes calls wait for their timeout gets a short one."""
    harness = LineHarness(port, mutant.from_url, 1 if SCRIPTS[script].waits else 10)
    harness.patience = 4.0 if SCRIPTS[script].waits else 30.0
    with closing(BackendBench(harness, folder, Settings())) as bench:
        play_script(bench, script, noticed=rule == NOTICED)
        return bench


@pytest.mark.parametrize(("mutant", "script"), KILLS)
def test_a_script_finds_the_mutant(
    port: int, mutant: type[Mutant], script: str, tmp_path: Path
) -> None:
    """It names the rule that is broken, and itself."""
    with pytest.raises(Violation) as raised:
        play(port, mutant, script, tmp_path, mutant.killed[script])
    assert mutant.killed[script] in raised.value.rules
    assert raised.value.witness.startswith(f"script {script} on ")


@pytest.mark.parametrize(("mutant", "script"), PASSES)
def test_a_script_accuses_nobody_else(
    port: int, mutant: type[Mutant], script: str, tmp_path: Path
) -> None:
    """A mutant passes where its fault makes no difference."""
    assert play(port, mutant, script, tmp_path).evidence.faults > 0


def test_a_server_that_looks_at_no_checksum_is_found(tmp_path: Path) -> None:
    """A request of which a bit has changed does what was not asked."""
    with (
        running_server("line_store.trusting") as port,
        pytest.raises(Violation, match=NOTICED),
    ):
        play(port, LineStore, "damaged-request", tmp_path, NOTICED)


@pytest.mark.parametrize("script", ["damaged-request", "damaged-reply"])
def test_a_checksum_notices_what_is_damaged(port: int, script: str, tmp_path: Path) -> None:
    """The line store has one, and keeps the rule that it claims."""
    assert play(port, LineStore, script, tmp_path, NOTICED).evidence.faults > 0


def test_every_script_finds_a_mutant() -> None:
    """No script is there that nothing could fail."""
    assert {script for _, script in KILLS} == SCRIPTS.keys()


def test_the_suite_plays_every_script() -> None:
    """Each is named by one test of the suite."""
    played = re.findall(r'play_script\(bench, "(.+)"\)', Path(faults.__file__).read_text())
    assert sorted(played) == sorted(SCRIPTS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_of_its_class(operation: Operation, tmp_path: Path) -> None:
    """In the model a repetition changes nothing; its answer is another where it says so."""
    bench, model = memory_bench(tmp_path), Model()
    case = new_case(bench)
    for step in (*case.setup, *operation.prepare(case)):
        assert on_model(model, step).ways == ("ok",)

    def seen() -> State:
        return state(lambda step: on_model(model, step), case)

    before, first, after = seen(), on_model(model, operation.call(case)), seen()
    second = on_model(model, operation.call(case))
    assert first.ways == ("ok",)
    assert (before == after) == (operation.name in READS)
    assert seen() == after
    alike = (first.ways, first.value) == (second.ways, second.value)
    assert alike == (operation.idempotency != "none")


def test_calls_that_wait_are_played_on_each_class(tmp_path: Path) -> None:
    """A few operations stand for all in `quick`; in `standard` none is left out."""
    script = SCRIPTS["black-hole"]
    for seed in range(20):
        few = chosen(script, PROFILES["quick"], Random(seed))
        assert len(few) == PROFILES["quick"].histories
        assert {each.idempotency for each in few} == {"natural", "keyed", "none"}
    assert len(chosen(script, PROFILES["standard"], Random(0))) == len(OPERATIONS)


def memory_bench(folder: Path) -> BackendBench:
    return BackendBench(Harness("memory://{folder}", open_backend_store), folder, Settings())


def test_a_store_without_a_network_is_not_asked(tmp_path: Path) -> None:
    """The test is skipped as N/A."""
    with pytest.raises(pytest.skip.Exception, match="N/A: no network"):
        play_script(memory_bench(tmp_path), "slow")


def test_a_store_that_goes_around_the_proxy_is_not_proven(port: int, tmp_path: Path) -> None:
    """A fault that never strikes is no evidence."""
    harness = LineHarness(port)
    harness.proxied = lambda url, port: url
    with (
        closing(BackendBench(harness, tmp_path, Settings())) as bench,
        pytest.raises(pytest.skip.Exception, match="not exercised: no call of the store"),
    ):
        play_script(bench, "lost-reply")


def test_a_script_that_takes_too_long_ends_as_unknown(port: int, tmp_path: Path) -> None:
    """It neither passes nor fails."""
    settings = Settings(replace(PROFILES["quick"], seconds_per_test=0))
    with (
        closing(BackendBench(LineHarness(port), tmp_path, settings)) as bench,
        pytest.raises(OutOfTime, match="script slow on create_experiment"),
    ):
        play_script(bench, "slow")


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
