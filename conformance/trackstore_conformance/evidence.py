"""How much stands behind a verdict: what was tried, in numbers."""

from msgspec import Struct
from msgspec.structs import asdict


class Evidence(Struct):
    """What one test tried; a test counts here while it runs, on its bench."""

    examples: int = 0
    """Generated programs and queries; a test that generates nothing is one example."""
    operations: int = 0
    """Calls made on the store and compared with what had to come."""
    histories: int = 0
    """Recorded runs of concurrent clients, each judged by the checkers."""
    crash_points: int = 0
    """Places at which a process was killed, or its disk failed."""
    faults: int = 0
    """Scripts of network faults that were played."""

    def __add__(self, other: "Evidence") -> "Evidence":
        mine, theirs = asdict(self), asdict(other)
        return Evidence(**{name: mine[name] + theirs[name] for name in mine})

    def __str__(self) -> str:
        said = [
            f"{count:,} {name.replace('_', ' ')}" for name, count in asdict(self).items() if count
        ]
        return ", ".join(said) or "nothing"
