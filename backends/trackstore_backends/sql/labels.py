"""Labels: the numbers that stand for the keys of metrics, params and tags."""

from collections.abc import Iterable, Mapping

from trackstore_backends.sql.database import Session
from trackstore_backends.sql.fragments import among, packed

REMEMBERED = 100_000


class Labels:
    """Remembers committed labels, which never change, and those of the write under way.

    `known` is replaced and never shrinks in place, so that readers need no lock.
    """

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._new: dict[str, int] = {}

    @property
    def known(self) -> Mapping[str, int]:
        return self._known

    def find(self, session: Session, names: Iterable[str]) -> dict[str, int]:
        """Return the labels of those names that have one, as a reader sees them."""
        known = self._known
        wanted = set(names)
        missing = wanted.difference(known)
        stored = _read(session, missing) if missing else {}
        self._remember(stored)
        return {name: known[name] for name in wanted - missing} | stored

    def assign(self, session: Session, names: Iterable[str]) -> dict[str, int]:
        """Return the labels of all names, made if need be.  For the writer alone."""
        known = self._known
        wanted = set(names)
        missing = wanted.difference(known, self._new)
        if missing:
            session.run_many(
                "insert into labels (name) values (?) on conflict do nothing",
                [(name,) for name in sorted(missing)],
            )
            self._new |= _read(session, missing)
        return {name: known[name] if name in known else self._new[name] for name in wanted}

    def end(self, *, committed: bool) -> None:
        """Keep the new labels if their transaction was committed, else forget them."""
        if committed:
            self._remember(self._new)
        self._new = {}

    def _remember(self, stored: dict[str, int]) -> None:
        if stored:
            kept = self._known if len(self._known) < REMEMBERED else {}
            self._known = kept | stored


def _read(session: Session, names: set[str]) -> dict[str, int]:
    return dict(
        session.rows(f"select name, label from labels where {among('name')}", (packed(names),))
    )
