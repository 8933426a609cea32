"""What a race may show, each as a function of what its workers saw; they raise AssertionError."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

Tokens = tuple[tuple[int, int], tuple[int, int], list[int], list[int]]
"""What was seen of a token in two tags, in two latest points, and in two sets of params."""


def unique_winner(ways: Sequence[str], refusal: str) -> int:
    """Return the index of the one that succeeded; all others must have had `refusal`."""
    winners = [index for index, way in enumerate(ways) if way == "ok"]
    assert len(winners) == 1, f"{len(winners)} succeeded: {ways}"
    assert all(way in {"ok", refusal} for way in ways), f"not all others had {refusal}: {ways}"
    return winners[0]


def last_writer(reads: Sequence[Sequence[str]], final: str) -> None:
    """Check a register that each worker wrote as "worker-number" and read after each write.

    A worker never reads an older write of his own, nor what nobody wrote; of any other worker
    he never reads backwards; and what stays is somebody's last write.
    """
    for index, seen in enumerate(reads):
        newest: dict[str, int] = {}
        for number, value in enumerate(seen):
            newest[str(index)] = number
            writer, _, written = value.partition("-")
            assert written.isdigit(), f"nobody wrote {value!r}"
            assert int(writer) < len(reads), f"nobody wrote {value!r}"
            assert int(written) < len(reads[int(writer)]), f"nobody wrote {value!r}"
            before = newest.get(writer, 0)
            assert int(written) >= before, f"worker {index} read {value} after {writer}-{before}"
            newest[writer] = int(written)
    last = {f"{index}-{len(seen) - 1}" for index, seen in enumerate(reads)}
    assert final in last, f"{final} was overwritten by its own writer"


def only_grows(seen: Sequence[Any]) -> None:
    for earlier, later in pairwise(seen):
        assert earlier <= later, f"{later} was read after {earlier}"


def torn(tokens: Tokens, writer_of: Callable[[int], int]) -> bool:
    """Tell if a reader saw a part of a batch that bears one token in every place.

    A tag shows the batch that came last, and the params all that came: so the tag's token is the
    newest that its writer has among the params.
    """
    tags, steps, first_params, last_params = tokens
    if tags[0] != tags[1] or steps[0] != steps[1] or first_params != last_params:
        return True
    same_writer = [each for each in first_params if writer_of(each) == writer_of(tags[0])]
    return not same_writer or tags[0] != max(same_writer) or steps[0] != max(first_params)
