"""The suite cannot be thinned out in silence, and says what it did not ask."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from trackstore_conformance import BackendStoreTests
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.effort import Settings
from trackstore_conformance.rules import check_of, rule
from trackstore_conformance.suites import prepared

NAME = "test_a_param_is_written_once"


def subclass(**members: object) -> type[BackendStoreTests]:
    return type("TestMine", (BackendStoreTests,), members)


def test_a_subclass_may_add_tests() -> None:
    """What is added is run beside the suite's own tests, all of which are there."""

    @rule("B-PAR-01")
    def test_of_mine(self: BackendStoreTests, bench: BackendBench) -> None: ...

    mine = subclass(test_of_mine=test_of_mine)
    assert mine.__test__ is True
    assert mine.tests.keys() == BackendStoreTests.tests.keys() | {"test_of_mine"}


@pytest.mark.parametrize("override", [None, lambda self, bench: None, BackendStoreTests.make_bench])
def test_a_test_of_the_suite_cannot_be_replaced_or_removed(override: object) -> None:
    """Doing so is an error at once, and names the test and its rule."""
    with pytest.raises(TypeError, match=f"{NAME}, which checks B-PAR-02"):
        subclass(**{NAME: override})


def test_a_mixin_cannot_replace_a_test_either() -> None:
    """The order of base classes is no way round."""
    mixin = type("Mixin", (), {NAME: lambda self, bench: None})
    with pytest.raises(TypeError, match=NAME):
        type("TestMine", (mixin, BackendStoreTests), {})


def test_a_test_removed_later_is_missed(tmp_path: Path) -> None:
    """Each test looks before it begins whether another was taken away since."""
    mine = subclass(harness="memory://{folder}")
    setattr(mine, NAME, None)
    request = SimpleNamespace(node=SimpleNamespace(stash={}), function=None)
    with closing(mine().make_bench(tmp_path, Settings())) as bench:
        beginning = prepared(bench, mine(), request)
        with pytest.raises(TypeError, match=NAME):
            beginning.__enter__()


def test_an_expected_failure_is_no_way_round_either() -> None:
    """What is known to be broken is waived in a file, where its reason and its end stand."""

    @pytest.mark.xfail(reason="no transactions")
    def gap(self: BackendStoreTests, bench: BackendBench) -> None: ...

    with pytest.raises(TypeError, match=r"waived in conformance-waivers\.toml"):
        subclass(**{NAME: gap})


def test_every_test_names_its_rule() -> None:
    """No test of the suite is without one."""
    tests = [name for name in dir(BackendStoreTests) if name.startswith("test_")]
    assert sorted(tests) == sorted(BackendStoreTests.tests)
    for name in tests:
        check = check_of(getattr(BackendStoreTests, name))
        assert check is not None
        assert check.rules, name


MODULE = """
from trackstore_conformance import ArtifactStoreTests, BackendStoreTests

class TestMine(BackendStoreTests):
    harness = "memory://{folder}"
"""


def pytest_run(folder: Path, *options: str) -> str:
    (folder / "test_mine.py").write_text(MODULE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *options]
    done = subprocess.run(
        [*command, "test_mine.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout


def test_only_the_subclass_is_collected(tmp_path: Path) -> None:
    """The classes of the suite are not tests of the module that imports them."""
    listed = pytest_run(tmp_path, "--collect-only", "-q")
    names = {line.split("::")[1] for line in listed.splitlines() if "::" in line}
    assert names == {"TestMine"}


def test_what_is_not_asked_is_said(tmp_path: Path) -> None:
    """Rules on processes are skipped for an ephemeral store, with the reason."""
    shown = pytest_run(tmp_path, "-k", "fork or killed_put or survives_a_kill")
    assert "N/A: ephemeral" in shown
    assert "2 skipped" in shown
