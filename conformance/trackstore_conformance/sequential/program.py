"""A sequence of calls, and the program that makes them by itself."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trackstore import errors, model
from trackstore_conformance.harness import FOLDER, NAME
from trackstore_conformance.outcomes import Outcome
from trackstore_conformance.report.redact import redacted
from trackstore_conformance.sequential.differences import Difference, InNoOrder, source
from trackstore_conformance.spec import RULES

OPEN, REOPEN = "open", "reopen"
"""Steps that are no calls: open one handle again, and close all, so that each is opened again."""

MODULES: Mapping[str, frozenset[str]] = {
    "contextlib": frozenset({"suppress"}),
    "math": frozenset({"inf", "isnan", "nan"}),
    "tempfile": frozenset({"mkdtemp"}),
    "uuid": frozenset({"uuid4"}),
    "trackstore.errors": frozenset(name for name in vars(errors) if name[0].isupper()),
    "trackstore.model": frozenset(name for name in vars(model) if name[0].isupper()) | {"UNSET"},
    "trackstore.search": frozenset({"search_runs"}),
}
"""Where the names that a program may use come from."""


class Step(Struct, frozen=True):
    """One call on one handle."""

    call: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = {}
    handle: str = "store"

    def __str__(self) -> str:
        if self.call == OPEN:
            return f"{self.handle}.close()\n{self.handle} = open_store(URL)"
        given = [source(each) for each in self.args]
        given += [f"{name}={source(value)}" for name, value in self.options.items()]
        if self.call == "search_runs":
            return f"search_runs({', '.join([self.handle, *given])})"
        if self.call == "read":
            return f'b"".join({self.handle}.get({", ".join(given)}))'
        return f"{self.handle}.{self.call}({', '.join(given)})"


class Mismatch(Struct, frozen=True):
    """The last call of a program did not come out as it had to."""

    expected: Outcome
    found: Outcome | None = None
    """None if it raised what no store may raise."""
    difference: Difference | None = None
    """Where what it returned differs, if it ended as it had to."""


def script(
    rule: str,
    witness: str,
    steps: Sequence[tuple[Step, Outcome]],
    end: Mismatch,
    place: Sequence[str],
) -> str:
    """Return a program that makes the calls, each with its expected outcome, and fails at the last.

    `place` is the lines that define `open_store` and `URL`, the first of which is an import.
    """
    handles = list(dict.fromkeys(step.handle for step, _ in steps if step.call != REOPEN))
    lines = [f"{name} = open_store(URL)" for name in handles]
    for step, expected in steps[:-1]:
        lines += reopened(handles) if step.call == REOPEN else [made(step, expected)]
    lines += last(steps[-1][0], end)
    title = f'"""{rule}: {RULES[rule].title}.\n\n{plain(witness)}\n"""'
    body = "\n".join([*place[1:], *lines])
    return "\n".join([title, "", *imported(body), place[0], "", body, ""])


def reopened(handles: Sequence[str]) -> list[str]:
    return [line for name in handles for line in str(Step(OPEN, handle=name)).splitlines()]


def made(step: Step, expected: Outcome) -> str:
    refusals = ", ".join(names(expected))
    return str(step) if not refusals else f"with suppress({refusals}):\n    {step}"


def names(expected: Outcome) -> list[str]:
    """Return the errors that the call may raise; none if it must succeed."""
    return list(dict.fromkeys(way.split()[0] for way in expected.ways if way != "ok"))


def last(step: Step, end: Mismatch) -> Iterator[str]:
    """Yield the last call, with what had to come of it."""
    refusals = names(end.expected)
    if refusals:
        yield f"try:\n    {step}"
        caught = refusals[0] if len(refusals) == 1 else f"({', '.join(refusals)})"
        yield f"except {caught} as error:"
        field = end.expected.ways[0].partition(" ")[2]
        yield (
            f"    assert error.field == {field!r}"
            if field
            else '    assert error.outcome == "none"'
        )
        yield f'else:\n    raise AssertionError("it had to be {" or ".join(refusals)}")'
    elif end.difference is None:
        yield f"{step}  # had to succeed"
    else:
        yield f"found = {step}"
        yield claim("found" + "".join(end.difference.path), end.difference)


def claim(found: str, wrong: Difference) -> str:
    """Return the assertion that fails."""
    expected = wrong.expected
    if isinstance(expected, InNoOrder):
        wanted = f"sorted(map(repr, {source(list(expected))}))"
        return f"assert sorted(map(repr, {found})) == {wanted}, {found}"
    if isinstance(expected, float) and expected != expected:
        return f"assert isnan({found}), {found}"
    if isinstance(expected, Mapping) and isinstance(wrong.found, Mapping):
        return f"assert sorted({found}) == {source(sorted(expected))}, {found}"
    rows = isinstance(expected, list | tuple) and isinstance(wrong.found, list | tuple)
    if rows and len(expected) != len(wrong.found):
        return f"assert len({found}) == {len(expected)}, {found}"
    if expected == wrong.found or "nan" in repr(expected):
        return f"assert repr({found}) == repr({source(expected)}), {found}"
    return f"assert {found} == {source(expected)}, {found}"


def imported(body: str) -> Iterator[str]:
    """Yield the imports of what the program uses."""
    code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", body)
    used = set(re.findall(r"\b[A-Za-z_]+\b", code))
    for module, known in MODULES.items():
        if found := sorted(used & known):
            yield f"from {module} import {', '.join(found)}"


def plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def place_of(url: str, opener: Callable[[str], Any]) -> list[str]:
    """Return the lines that open a store as `opener` does, at a URL without its secrets."""
    owner = getattr(opener, "__self__", opener)
    name = owner.__qualname__
    called = name if owner is opener else f"{name}.{opener.__name__}"
    where = ""
    if FOLDER in url:
        where += f'.replace("{FOLDER}", mkdtemp())'
    if NAME in url:
        where += f'.replace("{NAME}", uuid4().hex)'
    return [
        f"from {owner.__module__} import {name.partition('.')[0]}",
        f"open_store = {called}",
        f"URL = {source(redacted(url))}{where}",
    ]
