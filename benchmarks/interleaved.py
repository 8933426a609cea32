"""Two subjects measured in turns, so that a noisy moment meets both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Rates per second of both subjects, the median over rounds, and the ratio of each round."""

    work: str
    ours: float
    mlflow: float
    ratios: list[float]
    target: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def row(self) -> str:
        spread = f"{min(self.ratios):,.0f} to {max(self.ratios):,.0f}"
        return (
            f"| {self.work} | {self.ours:,.4g} | {self.mlflow:,.4g} | "
            f"**{self.ratio:,.0f}x** | {spread} | {self.target:,.0f}x |"
        )


HEADER = (
    "| work | trackstore, per s | MLflow, per s | ratio | over the rounds | target |\n"
    "|---|---|---|---|---|---|"
)


def compare(
    work: str,
    ours: Callable[[], float],
    mlflow: Callable[[], float],
    *,
    rounds: int,
    target: float,
) -> Result:
    """Call the two in turns; each returns its rate per second."""
    ours(), mlflow()
    pairs = [(ours(), mlflow()) for _ in range(rounds)]
    result = Result(
        work,
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        [one / other for one, other in pairs],
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
