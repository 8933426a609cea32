"""The verdicts on races: what they let pass and what they find."""

from itertools import permutations, product

import pytest

from trackstore_conformance.checkers import last_writer, only_grows, torn, unique_winner


def fails(check: object, *args: object) -> bool:
    try:
        check(*args)  # type: ignore[operator]
    except AssertionError:
        return True
    return False


def test_a_unique_winner_is_one_ok_among_refusals() -> None:
    """Of all outcomes of three calls, only those with one "ok" and two refusals pass."""
    for ways in product(("ok", "Conflict", "BackendError"), repeat=3):
        right = sorted(ways) == ["Conflict", "Conflict", "ok"]
        assert fails(unique_winner, ways, "Conflict") is not right, ways
    assert unique_winner(["Conflict", "ok"], "Conflict") == 1


def test_every_serial_history_of_a_register_passes() -> None:
    """Two writers of two writes each, in every order in which a correct store may do them."""
    events = [("0", 0, "w"), ("0", 0, "r"), ("0", 1, "w"), ("0", 1, "r")]
    events += [("1", *event[1:]) for event in events]
    for places in {tuple(sorted(p[:4])) for p in permutations(range(8), 4)}:
        mine, theirs = iter(events[:4]), iter(events[4:])
        order = [next(mine) if place in places else next(theirs) for place in range(8)]
        value = ""
        reads: list[list[str]] = [[], []]
        for worker, number, kind in order:
            if kind == "w":
                value = f"{worker}-{number}"
            else:
                reads[int(worker)].append(value)
        last_writer(reads, value)


@pytest.mark.parametrize(
    ("reads", "final"),
    [
        ([["0-0", "0-0"]], "0-1"),  # an own write was read as it was before
        ([["0-0", ""]], "0-1"),  # torn
        ([["0-0", "1-7"], ["1-0"]], "0-1"),  # nobody wrote it
        ([["1-1", "1-0"], ["1-0", "1-1"]], "0-1"),  # backwards
        ([["0-0", "0-1"]], "0-0"),  # the last write was lost
    ],
)
def test_a_broken_register_is_found(reads: list[list[str]], final: str) -> None:
    """Each of the ways in which a register fails."""
    assert fails(last_writer, reads, final)


def test_what_grows_may_stand_still_and_not_fall() -> None:
    """Equal reads are fine, a lesser one is not."""
    only_grows([1, 1, 2])
    assert fails(only_grows, [1, 2, 1])


def test_a_part_of_a_batch_is_found_in_any_place() -> None:
    """A whole batch passes; a token that lags in any one place does not."""

    def seen(tag: int, last_tag: int, step: int, last_step: int, params: int) -> bool:
        held = list(range(params + 1))
        return torn(((tag, last_tag), (step, last_step), held, held), lambda token: token % 2)

    assert not seen(4, 4, 4, 4, 4)
    assert not seen(3, 3, 4, 4, 4)  # the other writer's tag came last
    assert seen(2, 2, 4, 4, 4)
    assert seen(4, 3, 4, 4, 4)
    assert seen(4, 4, 3, 4, 4)
    assert seen(4, 4, 3, 3, 4)
    assert seen(4, 4, 4, 4, 3)
    assert torn(((1, 1), (1, 1), [0, 1], [0]), lambda token: token % 2)
