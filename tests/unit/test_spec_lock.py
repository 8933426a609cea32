"""A rule is not changed in silence: its revision is raised, and a lock file holds that."""

import pytest
from msgspec.structs import replace

from sample_reports import CORE, KILL, OTHER
from trackstore_conformance.spec import RULES, Rule
from trackstore_conformance.spec.lock import locked, read, renewed


def test_the_lock_has_every_rule_as_it_is() -> None:
    """A changed sentence, level or grade, or a new rule, is written down."""
    lock = read()
    stale = [each.id for each in RULES.values() if lock.get(each.id) != locked(each)]
    assert stale == [], "raise `rev`, then: python -m trackstore_conformance.spec.lock"


@pytest.mark.parametrize(
    "changed",
    [
        replace(KILL, text="It MAY be lost."),
        replace(KILL, grade="power-loss"),
        replace(KILL, level="core", claim=None),
        replace(KILL, since="1.1"),
        replace(KILL, text="It MAY be lost.", rev=3),
        replace(KILL, rev=0),
    ],
)
def test_a_change_without_a_revision_is_refused(changed: Rule) -> None:
    """So is one that leaves out a revision or goes back; the rule is named."""
    lock = renewed({}, [KILL, CORE])
    with pytest.raises(ValueError, match=KILL.id) as raised:
        renewed(lock, [changed, CORE])
    assert CORE.id not in str(raised.value)


def test_a_revision_is_written_down() -> None:
    """Of a title or a reason there is none: they demand nothing."""
    lock = renewed({}, [KILL])
    revised = replace(KILL, text="It MAY be lost.", rev=2)
    assert renewed(lock, [revised]) == {KILL.id: locked(revised)}
    assert renewed(lock, [replace(KILL, title="T", rationale="R.")]) == lock


def test_an_id_is_never_given_again() -> None:
    """What is withdrawn stays in the lock, so that its id can mean nothing else."""
    lock = renewed({}, [KILL, OTHER])
    assert renewed(lock, [OTHER]) == lock
