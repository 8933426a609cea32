"""A test that would not end is ended, and counts as neither kept nor broken."""

import gc
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from trackstore.model import Experiment
from trackstore.registry import open_backend_store
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.doors.timing import at_most
from trackstore_conformance.effort import Settings
from trackstore_conformance.harness import Harness
from trackstore_conformance.sequential.backend_trial import BackendTrial
from trackstore_conformance.sequential.trial import run_trials
from trackstore_conformance.violations import OutOfTime, Violation


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_what_ends_in_time_is_left_alone() -> None:
    """And no alarm rings afterwards."""
    with at_most(0.05):
        pass
    spin(0.1)


def test_what_hangs_is_ended() -> None:
    """Also in a library that catches every exception."""
    taken_for_errors = []
    with pytest.raises(OutOfTime, match=r"it took over 0\.05 s"), at_most(0.05):  # noqa: PT012
        try:
            spin(30)
        except Exception as error:
            taken_for_errors.append(error)
    assert taken_for_errors == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_nobody_could_hear_rings_again() -> None:
    """A callback of the garbage collector can raise nothing."""

    def slow(phase: str, _info: object) -> None:
        if phase == "start":
            spin(0.2)

    gc.callbacks.append(slow)
    try:
        with pytest.raises(OutOfTime), at_most(0.05):
            gc.collect()
    finally:
        gc.callbacks.remove(slow)


def test_a_sooner_alarm_of_somebody_else_goes_off_as_it_would_have() -> None:
    """Their time is neither lengthened nor lost."""
    rang = []
    usual = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    before = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with at_most(30):
            spin(0.4)
        assert rang
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(OutOfTime), at_most(0.05):
            spin(30)
        spin(0.4)
        assert len(rang) == 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, usual)


def test_what_was_found_before_the_time_was_over_is_a_violation(tmp_path: Path) -> None:
    """Though its program was still being made smaller."""
    failed: list[BackendTrial] = []
    harness = Harness("memory://{folder}", open_backend_store)
    with closing(BackendBench(harness, tmp_path, Settings())) as bench:

        def run() -> None:
            failed.append(BackendTrial(bench))
            bench.store.create_experiment(Experiment("2", "iris", "", 0, 0))
            with suppress(Violation):
                failed[-1].do("create_experiment", Experiment("1", "iris", "", 0, 0))
            raise OutOfTime("it took over 60 s")

        with pytest.raises(Violation, match="had to be ok, and was AlreadyExists") as found:
            run_trials(run, failed)
        assert found.value.script is not None
        with pytest.raises(OutOfTime):
            run_trials(run, [])
