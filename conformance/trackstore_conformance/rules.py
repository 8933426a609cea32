"""Which rules of the spec each test checks, and how the tests are kept whole.

A test of the suite is a method marked by `@rule("B-PAR-02")`.  A subclass adds what tests it
likes; it cannot replace or remove one of the suite's.  What a store does not hold is said in its
claims, or waived for a while in a file that has the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, ClassVar, Literal, TypeVar

from msgspec import Struct

from trackstore_conformance.spec import Kind, find_rule

F = TypeVar("F", bound=Callable[..., None])

Need = Literal["processes", "untouched", "overwrite"]
"""What a test asks of a store: that other processes see its data; that nothing was in it yet; that
it claims to replace files."""


class Check(Struct, frozen=True):
    """One test of the suite: the rules that it checks, and what it needs."""

    rules: tuple[str, ...]
    kind: Kind
    needs: tuple[Need, ...] = ()


def rule(*ids: str, kind: Kind = "seq", needs: Sequence[Need] = ()) -> Callable[[F], F]:
    """Mark a test as the check of the rules `ids`, which the spec must have."""
    for ident in ids:
        find_rule(ident)

    def mark(test: F) -> F:
        test.__check__ = Check(ids, kind, tuple(needs))  # type: ignore[attr-defined]
        return test

    return mark


def check_of(test: object) -> Check | None:
    """Return what `@rule` said of a test, or None for any other object."""
    return getattr(test, "__check__", None)


class Suite:
    """A set of tests that stays whole when it is subclassed."""

    __test__ = False
    tests: ClassVar[Mapping[str, FunctionType]] = {}
    """The suite's tests by name, as they were written."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = {n: t for base in reversed(cls.__mro__[1:]) for n, t in _tests(base).items()}
        cls.tests = {**_own_tests(cls), **inherited}
        if "__test__" not in vars(cls):
            cls.__test__ = True
        check_whole(cls)


def _tests(base: type) -> Mapping[str, FunctionType]:
    return base.tests if issubclass(base, Suite) else {}


def _own_tests(cls: type) -> dict[str, FunctionType]:
    return {name: test for name, test in vars(cls).items() if check_of(test) is not None}


def check_whole(cls: type[Suite]) -> None:
    """Raise `TypeError` if a test of the suite was replaced or removed."""
    for name, test in cls.tests.items():
        if getattr(cls, name, None) is not test:
            raise TypeError(
                f"{cls.__name__} replaces or removes {name}, which checks "
                f"{', '.join(test.__check__.rules)}: "  # type: ignore[attr-defined]
                f"a rule that is known to be broken is waived in conformance-waivers.toml"
            )
