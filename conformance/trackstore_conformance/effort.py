"""How much is tried, and how a run is repeated."""

import os
from collections.abc import Callable, Iterator
from random import Random
from time import monotonic
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from msgspec import Struct

PHASES: tuple[Phase, ...] = (Phase.reuse, Phase.generate, Phase.shrink)
"""Not the search for an explanation, which takes minutes where shrinking takes seconds."""

ProfileName = Literal["quick", "standard", "soak"]


class Profile(Struct, frozen=True):
    """How much each engine tries."""

    name: ProfileName
    examples: int
    """Generated programs of one client, and generated sets of runs to be searched."""
    steps: int
    """The most calls in one of those programs."""
    histories: int
    """Recorded runs of each kind of concurrent program, with threads and with processes each."""
    crash_points: int
    """The most places at which one kind of work is killed, or its disk made to fail."""
    rounds: int
    """How often a worker of a race does its work."""
    seconds: float
    """After which a test tries no more; what it has tried by then is its effort."""
    seconds_per_test: float
    """After which a test ends as unknown."""
    shrinks: bool = True
    """A program that fails is made smaller, and is kept to be tried first the next time."""


PROFILES: dict[ProfileName, Profile] = {
    "quick": Profile("quick", 40, 30, 4, 8, 8, 8, 120),
    "standard": Profile("standard", 400, 50, 40, 200, 24, 15, 300),
    "soak": Profile("soak", 8_000, 100, 1_000, 5_000, 48, 3_600, 7_200),
}


class Settings(Struct, frozen=True):
    """One run of the suite."""

    profile: Profile = PROFILES["quick"]
    seed: int = 0


def settings_of(config: pytest.Config) -> Settings:
    """Return how this run of pytest was asked to run the suite."""
    name, chosen = config.getoption("store_profile", "quick"), config.getoption("store_seed", None)
    return Settings(PROFILES[name], chosen or 0)


def effort(profile: Profile, examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=profile.steps,
        deadline=None,
        phases=PHASES if profile.shrinks else (Phase.generate,),
        database=None if os.environ.get("CI") or not profile.shrinks else KEPT,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


KEPT = DirectoryBasedExampleDatabase(".conformance/examples")
"""Programs that failed, which are tried first the next time."""
PORTION = 4
"""Examples after which it is looked whether there is time for more."""


def portions(profile: Profile, examples: int, chosen: int) -> Iterator[tuple[settings, int]]:
    """Yield settings and seeds for one run of hypothesis after another, while there is time."""
    end = monotonic() + profile.seconds
    seeds = Random(chosen)
    for done in range(0, examples, PORTION):
        yield effort(profile, min(PORTION, examples - done)), seeds.randrange(2**32)
        if monotonic() > end:
            return


def run_machine(machine: type[RuleBasedStateMachine], profile: Profile, chosen: int) -> None:
    for some, number in portions(profile, profile.examples, chosen):
        run_state_machine_as_test(seed(number)(machine), settings=some)


def run_property(
    check: Callable[[st.DataObject], None], profile: Profile, examples: int, chosen: int
) -> None:
    """Call `check` with so many examples of what it draws."""
    for some, number in portions(profile, examples, chosen):
        wrapped: Any = some(given(st.data())(check))
        seed(number)(wrapped)()
