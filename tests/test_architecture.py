"""The tree keeps its floors: a module imports only what lies below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (
    ("errors",),
    ("model",),
    ("stores", "limits", "registered"),
    ("abilities", "model_stores", "filters", "paths", "ids", "parallel", "purge_log"),
    ("registry", "model_filters"),
    ("search", "history", "remote", "validation", "paging", "locations", "local"),
    ("folders",),
    ("artifacts", "histories", "model_names", "model_search"),
    ("sources", "logged_models"),
    ("model_registry",),
    ("tracker",),
    ("opening", "purging", "datasets"),
    ("wire",),
    ("server", "mlflow_plugin", "copying"),
    ("cli",),
)
"""The modules of `trackstore`, lowest floor first; those of one floor don't know each other."""

CONTRACT = {
    f"trackstore.{name}"
    for name in ("errors", "model", "registered", "stores", "model_stores", "abilities", "remote")
}
SUITE_MAY_USE = CONTRACT | {
    f"trackstore.{name}" for name in ("registry", "filters", "search", "history")
}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(module: str) -> int | None:
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if package != "trackstore":
        return None
    return next((number for number, floor in enumerate(FLOORS) if name in floor), None)


def is_one_of(module: str, allowed: set[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in allowed)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", files("src/trackstore"), ids=str)
def test_a_module_imports_only_from_lower_floors(file: Path) -> None:
    """The front is layered, and knows the stores and the suite only by entry point."""
    name = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
    here = floor_of(name)
    assert here is not None or name == "trackstore.__init__", f"{name} has no floor: give it one"
    for used in imports(file):
        assert not is_one_of(used, {"trackstore_backends", "trackstore_conformance"}), used
        floor = floor_of(used)
        same_package = used.split(".")[1:2] == name.split(".")[1:2]
        if here is not None and floor is not None and not same_package:
            assert floor < here, f"{name} imports {used}"


@pytest.mark.parametrize("file", files("backends"), ids=str)
def test_a_backend_has_a_third_partys_rights(file: Path) -> None:
    """A built-in store imports the contract and nothing else of trackstore."""
    for used in imports(file):
        assert not is_one_of(used, {"trackstore_conformance"}), used
        if used.startswith("trackstore."):
            assert is_one_of(used, CONTRACT), used


@pytest.mark.parametrize("file", files("conformance"), ids=str)
def test_the_suite_knows_no_store(file: Path) -> None:
    """The suite reaches stores by URL, so that it treats all alike."""
    for used in imports(file):
        assert not is_one_of(used, {"trackstore_backends"}), used
        if used.startswith("trackstore."):
            assert is_one_of(used, SUITE_MAY_USE), used
