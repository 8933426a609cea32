"""What every rule demanded when it was last revised: `python -m trackstore_conformance.spec.lock`.

`spec/spec.lock` has a line for every rule there ever was, with its revision and a digest of what it
demands.  A report names rules by id; who reads it later must be able to trust that the id means
the same.  So a rule that is changed is revised, and the id of one that is withdrawn stays its own.
"""

import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, json

from trackstore_conformance.spec import RULES, Rule

FILE = Path(__file__).with_name("spec.lock")


class Locked(Struct, frozen=True):
    """A rule as of one revision."""

    rev: int
    demands: str
    """A digest of all that decides whether a store keeps the rule."""


Lock = Mapping[str, Locked]


def locked(rule: Rule) -> Locked:
    demands = [rule.text, rule.level, rule.claim, rule.grade, rule.since]
    return Locked(rule.rev, sha256(json.encode(demands)).hexdigest()[:16])


def read() -> Lock:
    return json.decode(FILE.read_bytes(), type=dict[str, Locked])


def renewed(lock: Lock, rules: Iterable[Rule]) -> Lock:
    """Return the lock with the rules as they are now.

    Raises `ValueError`, which names each rule that demands something else under the same
    revision, or has gone back to an older one.
    """
    now = {rule.id: locked(rule) for rule in rules}
    silent = [
        ident for ident, new in now.items() if ident in lock and not follows(new, lock[ident])
    ]
    if silent:
        raise ValueError(
            f"changed without a new revision (raise `rev` by one): {', '.join(silent)}"
        )
    return dict(sorted({**lock, **now}.items()))


def follows(new: Locked, old: Locked) -> bool:
    return new == old or new.rev == old.rev + 1


def main() -> None:
    """Rewrite the lock, or say what forbids it."""
    try:
        lines = [
            f"{json.encode(i).decode()}: {json.encode(each).decode()}"
            for i, each in renewed(read(), RULES.values()).items()
        ]
    except ValueError as error:
        sys.exit(f"error: {error}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
