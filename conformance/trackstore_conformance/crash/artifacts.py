"""Artifact stores for the crash engine: how all of one is seen, and what is compared."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, ClassVar

from msgspec.structs import replace

from trackstore.model import ArtifactInfo
from trackstore.stores import Guarantees
from trackstore_conformance.bench import all_rows
from trackstore_conformance.crash.kinds import Facts, Kind, Program, Rules, Step
from trackstore_conformance.outcomes import outcome

PAGE = 1_000
Files = dict[str, tuple[int, str]]
"""Size and digest by path."""


class ArtifactKind(Kind[Files]):
    rules: ClassVar = Rules(
        lost="A-DUR-01",
        torn="A-PUT-06",
        repair="A-DUR-03",
        power="A-DUR-02",
        disk="A-DUR-04",
        outcome="A-DUR-04",
    )

    def model(self) -> Files:
        return {}

    def apply(self, model: Files, step: Step) -> tuple[str, ...]:
        path = step.args[0]
        if step.method == "delete":
            for each in below(model, path):
                del model[each]
        elif step.options.get("if_absent") and path in model:
            return ("AlreadyExists path",)
        else:
            model[path] = digest(step.args[1])
        return ("ok",)

    def claimed(self, program: Program, guarantees: Guarantees) -> Program:
        files: Files = {}
        for step in program.prepared:
            self.apply(files, step)
        steps = []
        for step in program.steps:
            if is_claimed(step, files, guarantees):
                self.apply(files, step)
                steps.append(step)
        return replace(program, steps=tuple(steps))

    def facts(self, model: Files, program: Program) -> Facts:  # noqa: ARG002 - all is listed
        return {("file", path): file for path, file in model.items()}

    def look(self) -> Callable[[Any, Program], Facts]:
        return look

    def settle(self, model: Files, step: Step, found: Facts) -> Files | None:
        """A folder that was being deleted may be there in part, each of its files whole."""
        if step.method != "delete":
            return None
        going = below(model, step.args[0])
        left = {path: file for path, file in model.items() if found.get(("file", path)) == file}
        is_part = model.keys() - left.keys() <= set(going) and self.facts(left, EMPTY) == found
        return left if is_part else None


def is_claimed(step: Step, files: Files, guarantees: Guarantees) -> bool:
    if step.options.get("if_absent"):
        return guarantees.create_only != "none"
    replaces = step.method == "put" and step.args[0] in files
    return not (replaces and guarantees.artifact_overwrite == "refused")


EMPTY = Program("", ())


def below(files: Files, path: str) -> list[str]:
    return [each for each in files if each == path or each.startswith(f"{path}/")]


def digest(chunks: Any) -> tuple[int, str]:
    whole = b"".join(chunks)
    return len(whole), sha256(whole).hexdigest()[:16]


def look(store: Any, program: Program) -> Facts:
    """Return every file that is listed or can be read; each listing must agree with the files."""
    listed = all_rows(lambda after: store.scan("", after, PAGE, deep=True))
    found: dict[tuple[str, ...], Any] = {}
    for info in listed:
        found["file", info.path] = digest(store.get(info.path))
        if (size := found["file", info.path][0]) != info.size:
            found["size in the listing", info.path] = f"{info.size} of {size} bytes"
    paths = {step.args[0] for step in (*program.prepared, *program.steps) if step.method == "put"}
    for path in paths - {info.path for info in listed}:
        if (read := outcome(store.get, path)).ways == ("ok",):
            read.raw.close()
            found["not listed, and read", path] = read.raw.size
    return found | dict(of_levels(store, {info.path for info in listed}))


def of_levels(store: Any, paths: set[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the folders whose listing of one level is not what the paths make it."""
    folders = {""} | {"/".join(p.split("/")[:n]) for p in paths for n in range(1, p.count("/") + 1)}
    for folder in folders:
        start = f"{folder}/" if folder else ""
        inside = [path.removeprefix(start) for path in paths if path.startswith(start)]
        expected = sorted({each.split("/")[0] for each in inside})
        rows = one_level(store, folder)
        found = [info.path.rpartition("/")[2] for info in rows]
        if found != expected:
            yield ("listing of", folder), f"{found}, and not {expected}"


def one_level(store: Any, folder: str) -> list[ArtifactInfo]:
    return all_rows(lambda after: store.scan(folder, after, PAGE, deep=False))


ARTIFACTS = ArtifactKind()
