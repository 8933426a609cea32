"""A third party's distribution is installed, found by its entry point, and passes the suite."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "plugin_package"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with its wheel unpacked in `installed`, as pip does it."""
    project = tmp_path_factory.mktemp("plugin") / "project"
    shutil.copytree(PACKAGE, project)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", "installed"]
    subprocess.run([*pip, *options, "."], cwd=project, check=True, timeout=120)
    return project


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": "installed"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_its_store_is_opened_by_url(project: Path) -> None:
    """Installing is all it takes: the registry finds the scheme, and the data is kept."""
    program = """if True:
        import trackstore
        from trackstore.registry import open_backend_store
        from trackstore.model import Experiment
        import sys
        with open_backend_store("journal:///" + sys.argv[1]) as store:
            store.create_experiment(Experiment("7", "iris", "a:/", 1, 1))
        with open_backend_store("journal:///" + sys.argv[1]) as store:
            print(store.find_experiment("iris").id)
    """
    done = run(project, "-c", program, str(project / "runs.jsonl"))
    assert (done.stdout, done.stderr) == ("7\n", "")


def test_its_suite_passes(project: Path) -> None:
    """Every rule holds, those on processes and kills too, and none is skipped."""
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def test_the_suite_names_the_rule_that_a_broken_release_breaks(project: Path) -> None:
    """A params check that was lost fails the test of write-once params."""
    broken = project.with_name("broken")
    shutil.copytree(project, broken)
    state = broken / "installed" / "trackstore_journal" / "state.py"
    guard = "if stored.params.get(key, value) != value:"
    assert guard in state.read_text()
    state.write_text(state.read_text().replace(guard, "if key not in batch.params:"))
    done = run(broken, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", "-k", "param")
    assert done.returncode == 1, done.stdout
    assert "test_a_param_is_written_once" in done.stdout
