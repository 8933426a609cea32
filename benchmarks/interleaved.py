"""Subjects measured in turns, so that a noisy moment meets all of them."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Subject = Callable[[], float]
"""Works for a while and returns its rate per second."""


@dataclass(frozen=True)
class Result:
    """Rates per second, the median over rounds, and the ratios within each round."""

    work: str
    ours: float
    mlflow: float
    ratios: list[float]
    fractions: list[float]
    target: str

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def row(self) -> str:
        spread = f"{told(min(self.ratios))} to {told(max(self.ratios))}"
        fraction = f"{statistics.median(self.fractions):.2f}" if self.fractions else ""
        return (
            f"| {self.work} | {self.ours:,.4g} | {self.mlflow:,.4g} | "
            f"**{told(self.ratio)}x** | {spread} | {fraction} | {self.target} |"
        )


def told(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


HEADER = (
    "| work | trackstore, per s | MLflow, per s | ratio | over the rounds "
    "| of reference | target |\n"
    "|---|---|---|---|---|---|---|"
)


def compare(
    work: str,
    ours: Subject,
    mlflow: Subject,
    *,
    reference: Subject | None = None,
    rounds: int,
    target: str,
) -> Result:
    """Let the subjects take turns; `reference` is a third, such as a driver with no library."""
    subjects = [ours, mlflow, *([reference] if reference else [])]
    for subject in subjects:
        subject()
    measured = [[subject() for subject in subjects] for _ in range(rounds)]
    result = Result(
        work,
        statistics.median(rates[0] for rates in measured),
        statistics.median(rates[1] for rates in measured),
        [rates[0] / rates[1] for rates in measured],
        [rates[0] / rates[2] for rates in measured if len(rates) > 2],
        target,
    )
    print(result.row(), flush=True)
    return result


def rate(call: Callable[[int], object], seconds: float, *, least: int = 1) -> float:
    """Return how often a second `call` returns; it is given 0, 1, 2..."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds or done < least:
        call(done)
        done += 1
    return done / spent
