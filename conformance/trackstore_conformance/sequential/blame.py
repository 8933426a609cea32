"""Which rule a store breaks, told from the call, from what it followed, and from what differs."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct

from trackstore.model import ExperimentChanges, LifecycleStage, Metric, Run
from trackstore_conformance.outcomes import Outcome, seen
from trackstore_conformance.sequential.differences import Difference, source
from trackstore_conformance.sequential.model import Model
from trackstore_conformance.sequential.program import Step

DELETED = LifecycleStage.DELETED
NOT_SAID = ("BackendError", "Unavailable", "Unsupported", "PermissionDenied", "LimitExceeded")
"""Errors that say nothing of what was asked: where the model has none, there is no reason."""

REFUSALS: Mapping[tuple[str, str], str] = {
    ("create_experiment", "AlreadyExists name"): "B-EXP-02",
    ("create_experiment", "AlreadyExists id"): "B-EXP-09",
    ("find_experiment", "NotFound"): "B-EXP-05",
    ("update_experiment", "InvalidState"): "B-EXP-05",
    ("update_experiment", "AlreadyExists name"): "B-EXP-06",
    ("purge_experiment", "InvalidState"): "B-EXP-08",
    ("create_run", "AlreadyExists id"): "B-RUN-04",
    ("create_run", "InvalidState"): "B-RUN-03",
    ("update_run", "InvalidState"): "B-RUN-02",
    ("purge_run", "InvalidState"): "B-RUN-07",
    ("log", "InvalidState"): "B-RUN-02",
    ("log", "Conflict"): "B-PAR-02",
}
"""What is broken if a call is not refused in this way when it must be, or when it must not."""

READ: Mapping[str, str] = {
    "create_experiment": "B-EXP-01",
    "get_experiment": "B-EXP-01",
    "find_experiment": "B-EXP-01",
    "update_experiment": "B-EXP-01",
    "scan_experiments": "B-PAG-01",
    "create_run": "B-RUN-01",
    "get_run": "B-RUN-01",
    "update_run": "B-RUN-01",
    "scan_runs": "B-PAG-01",
    "log": "B-TAG-01",  # all it returns is which tags were absent
    "metric_history": "B-MET-01",
    "search_runs": "B-SRC-01",
    "purge_run": "B-RUN-07",
    "purge_experiment": "B-EXP-08",
}
"""What is broken if a call does not give what it must, and nothing below says more."""

RETURNS = frozenset(READ) - {
    each for each in READ if each.startswith(("get_", "find_", "scan_", "search_", "metric_"))
}
"""The calls that write."""

FIELDS: Mapping[str, str] = {
    ".lifecycle_stage": "B-RUN-03",
    ".params": "B-PAR-01",
    ".tags": "B-TAG-01",
    ".metrics": "B-MET-03",
    ".inputs": "B-INP-01",
    ".model_inputs": "B-INP-02",
    ".outputs": "B-INP-02",
}
"""What is broken if this field of a run is not what it must be."""

LEFT: Mapping[tuple[str, str], str] = {
    ("log", "Conflict"): "B-BAT-01",
    ("update_experiment", "AlreadyExists name"): "B-EXP-07",
    **{key: rule for key, rule in REFUSALS.items() if key[1] == "InvalidState"},
    ("create_experiment", "AlreadyExists name"): "B-EXP-02",
    ("create_experiment", "AlreadyExists id"): "B-EXP-09",
    ("create_run", "AlreadyExists id"): "B-RUN-04",
}
"""What is broken if a call that was refused in this way has changed something all the same."""


class Broken(Struct, frozen=True):
    """A call that came out wrong, and all by which its rule is told."""

    step: Step
    expected: Outcome
    found: Outcome
    difference: Difference | None
    write: Step | None
    """The write that came last before it."""
    written: Outcome | None
    """How that had to come out."""
    before: Model
    """The model as it was before that write."""
    model: Model


def rule_of(broken: Broken) -> str:
    """Return the rule that is broken."""
    if any(", outcome" in way for way in broken.found.ways):
        return "B-ERR-01"
    if broken.difference is None:
        return of_ways(broken)
    return of_value(broken, broken.difference)


def of_ways(broken: Broken) -> str:
    """The call was refused and should not have been, or the reverse, or in another way."""
    call, found = broken.step.call, broken.found.ways[0]
    if found in NOT_SAID or (found == "InvalidRequest" and broken.expected.ways == ("ok",)):
        return "B-ERR-01"
    way = broken.expected.ways[0] if found == "ok" or broken.expected.ways != ("ok",) else found
    if call in {"create_experiment", "update_experiment"} and way == "AlreadyExists name":
        return of_name(broken)
    if call == "find_experiment" and found == "ok" and broken.found.raw.name != broken.step.args[0]:
        return "B-EXP-03"
    if way == "NotFound" and found == "ok":
        return of_ghost(broken)
    return REFUSALS.get((call, way), READ[call])


def of_name(broken: Broken) -> str:
    """A name was taken by two, or was refused though nobody has it."""
    _, given = broken.step.args[0], broken.step.args[-1]
    changed = isinstance(given, ExperimentChanges)
    if broken.found.ways == ("ok",):
        return "B-EXP-02" if not changed else "B-EXP-06" if given.name is UNSET else "B-EXP-07"
    held_by_deleted = any(
        each.name == given.name and each.lifecycle_stage == DELETED
        for each in broken.model.experiments.values()
    )
    return "B-EXP-06" if held_by_deleted or given.name is UNSET else "B-EXP-03"


def of_ghost(broken: Broken) -> str:
    """Something was found that is not there: because it was purged, or was never there."""
    write = broken.write
    if write is not None and write.call.startswith("purge_") and write.args == broken.step.args[:1]:
        return READ[write.call]
    return REFUSALS.get((broken.step.call, "NotFound"), "B-RUN-06")


def of_value(broken: Broken, wrong: Difference) -> str:
    """The call succeeded as it had to, and gave something else."""
    call = broken.step.call
    if call == "metric_history" and not left_by_refused(broken):
        return of_history(broken, wrong)
    if call == "search_runs":
        return of_search(broken, wrong)
    if call.startswith("scan_") and is_of_page(wrong):
        return of_scan(broken)
    if call in RETURNS:
        return of_return(broken, wrong)
    if rule := left_by_refused(broken):
        return rule
    if "experiment" in call:
        return of_experiment(broken, wrong)
    return of_run(broken, wrong)


def of_return(broken: Broken, wrong: Difference) -> str:
    """A write returned something else than it has to."""
    call, given = broken.step.call, broken.step.args[0]
    if call == "create_run":
        return "B-RUN-04" if given.id in broken.before.known else of_text(wrong, READ[call])
    if call == "create_experiment":
        return "B-EXP-09" if given.id in broken.before.experiments else of_text(wrong, READ[call])
    return READ[call]


def of_run(broken: Broken, wrong: Difference) -> str:
    write = broken.write
    field = next((way for way in wrong.path if way in FIELDS), "")
    if write is not None and write.call == "create_run" and field in {"", ".tags"}:
        return of_text(wrong, "B-RUN-01")
    if field == ".params":
        return of_param(broken, wrong)
    if field == ".tags":
        return of_tag(broken, wrong)
    if field == ".metrics":
        return of_latest(broken, wrong)
    return FIELDS.get(field, READ["get_run"])


def is_of_page(wrong: Difference) -> bool:
    """Tell if a page has other rows than it must, and not a row with other data."""
    return wrong.path[-1] in {".items", ".next", ".id"} or ".next" in wrong.path


def left_by_refused(broken: Broken) -> str | None:
    if broken.write is None or broken.written is None or broken.written.ways == ("ok",):
        return None
    if subject(broken.write) != subject(broken.step):
        return None
    return LEFT.get((broken.write.call, broken.written.ways[0]))


def subject(step: Step) -> Any:
    """Return the id of what a call is about."""
    return getattr(step.args[0], "id", step.args[0])


def of_experiment(broken: Broken, wrong: Difference) -> str:
    write = broken.write
    if write is not None and write.call == "update_experiment":
        if write.args[1].name is not UNSET:
            return of_text(wrong, "B-EXP-07")
        if write.args[1].lifecycle_stage is not UNSET:
            return "B-EXP-05"
    return of_text(wrong, "B-EXP-01")


def of_text(wrong: Difference, otherwise: str) -> str:
    """A text that came back as another was changed on the way."""
    texts = type(wrong.expected) is str and type(wrong.found) is str
    return "B-TXT-01" if texts and wrong.found else otherwise


def of_param(broken: Broken, wrong: Difference) -> str:
    run = broken.write.args[0] if broken.write is not None else None
    held = broken.before.known.get(run) if isinstance(run, str) else None
    known = {} if held is None else held.params
    changed = isinstance(wrong.expected, str) and any(
        wrong.path[-1] == f"[{source(key)}]" for key in known
    )
    return "B-PAR-02" if changed else "B-PAR-01"


def of_tag(broken: Broken, wrong: Difference) -> str:
    """A tag has a value that it had before, or one that nobody wrote."""
    write = broken.write
    held = broken.before.known.get(subject(write)) if write is not None else None
    stale = held is not None and wrong.found in held.tags.values()
    return "B-TAG-01" if stale else of_text(wrong, "B-TAG-01")


def of_latest(broken: Broken, wrong: Difference) -> str:
    if ".links" in wrong.path:
        return "B-MET-08"
    if not isinstance(wrong.expected, int | float):
        return "B-MET-03" if isinstance(wrong.found, Mapping) else "B-MET-01"
    run = broken.found.raw if isinstance(broken.found.raw, Run) else None
    held = broken.model.known.get(run.id) if run else None
    logged = [seen(p) for points in held.points.values() for p in points.values()] if held else []
    for point in run.metrics.values() if run else ():
        if seen(point) not in [{**each, "links": []} for each in logged]:
            return of_point(wrong)
    return "B-MET-03"


def of_point(wrong: Difference) -> str:
    """A point that nobody logged: its value was changed, or its step or time was."""
    return "B-MET-04" if wrong.path[-1] == ".value" else "B-MET-05"


def of_history(broken: Broken, wrong: Difference) -> str:
    if ".links" in wrong.path:
        return "B-MET-08"
    expected, found = broken.expected.raw, broken.found.raw
    if broken.step.args[2] is not None or wrong.path[:1] == (".next",):
        return "B-MET-06"
    if without_links(expected.items) == without_links(found.items):
        return "B-MET-06"
    if len(expected.items) != len(found.items):
        more = len(found.items) > broken.step.args[3]
        return "B-MET-06" if more else "B-MET-01"
    return "B-MET-06" if wrong.path[-1] == ".key" else of_point(wrong)


def without_links(points: Sequence[Metric]) -> list[str]:
    return sorted(repr(seen((p.key, p.step, p.timestamp, p.value))) for p in points)


def of_scan(broken: Broken) -> str:
    *_, stage, after, limit = broken.step.args
    expected, found = ids(broken.expected.raw), ids(broken.found.raw)
    if after is not None:
        return "B-PAG-02"
    if stage is not None and len(found) <= limit and set(found) != set(expected):
        return "B-RUN-03" if broken.step.call == "scan_runs" else "B-EXP-05"
    if set(found) > set(expected) and broken.write and broken.write.call.startswith("purge_"):
        return READ[broken.write.call]
    return "B-PAG-01"


def ids(page: Any) -> list[str]:
    return [row.id for row in page.items]


def of_search(broken: Broken, wrong: Difference) -> str:
    _, after, limit = broken.step.args
    expected, found = ids(broken.expected.raw), ids(broken.found.raw)
    if not is_of_page(wrong):
        return "B-SRC-01"
    if sorted(expected) == sorted(found) and expected != found:
        return "B-SRC-02"
    if after is not None:
        return "B-SRC-03"
    return "B-SRC-02" if len(expected) == len(found) == limit else "B-SRC-01"
