"""What an engine of the suite raises when it knows which rule was broken."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackstore_conformance.history import History


class Violation(AssertionError):
    """A store broke `rules`, as `witness` shows.

    A plain `AssertionError` breaks one of the rules that its test checks; this names which.
    `script` is a program that shows it again by itself, `history` what the clients saw.
    """

    def __init__(
        self,
        *rules: str,
        witness: str,
        script: str | None = None,
        history: "History | None" = None,
    ) -> None:
        super().__init__(f"{', '.join(rules)}: {witness}")
        self.rules = rules
        self.witness = witness
        self.script = script
        self.history = history


class OutOfTime(BaseException):
    """A check did not come to its end in the time it had: its rules are neither kept nor broken.

    No `except Exception` of a store, or of a library that runs the check, takes it for a failure.
    """
