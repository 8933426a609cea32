"""How much is tried, and how a run is repeated.

Under CI the same examples are tried each time; elsewhere new ones are, and those that failed are
kept in `.conformance/` and tried again first.  `TRACKSTORE_CONFORMANCE_SEED` repeats a run.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

EXAMPLES = 60
STEPS = 30
PHASES: tuple[Phase, ...] = (Phase.reuse, Phase.generate, Phase.shrink)
"""Not the search for an explanation, which takes minutes where shrinking takes seconds."""
SEED_VARIABLE = "TRACKSTORE_CONFORMANCE_SEED"


def effort(examples: int = EXAMPLES) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        phases=PHASES,
        database=DirectoryBasedExampleDatabase(".conformance/examples"),
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def seeded(test: Any) -> Any:
    """Return the test with the seed of this run, if it has one, which is printed."""
    chosen = os.environ.get(SEED_VARIABLE, "0" if os.environ.get("CI") else "")
    if not chosen:
        return test
    print(f"{SEED_VARIABLE}={chosen}")  # pytest shows it beside a failure
    return seed(int(chosen))(test)


def run_machine(machine: type[RuleBasedStateMachine], examples: int = EXAMPLES) -> None:
    run_state_machine_as_test(seeded(machine), settings=effort(examples))


def run_property(check: Callable[..., None], examples: int = EXAMPLES) -> None:
    """Run a test that `hypothesis.given` was applied to."""
    seeded(effort(examples)(check))()
