"""The same rows written by a database's driver alone: as fast as the database could be.

The tables are clustered and indexed as trackstore's are; nothing is checked, looked up or
validated, and every transaction is committed as safely as trackstore's.  There is one module for
each database, `driver_sqlite` and the like.
"""

from collections.abc import Sequence
from typing import Protocol

Point = tuple[int, int, int]
"""The number of a key, the step, and the image of the value."""


class Driver(Protocol):
    """A connection that writes."""

    def add_point(self, run: int, step: int) -> None: ...

    def add_points(self, points: Sequence[Point]) -> None:
        """Add points of one run, in one transaction."""

    def add_params_and_tags(self, run: int, values: Sequence[str]) -> None: ...

    def create_and_finish(self, number: int) -> None: ...

    def close(self) -> None: ...
