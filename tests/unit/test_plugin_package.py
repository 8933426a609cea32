"""A third party's distribution is installed, found by its entry point, and passes the suite."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "plugin_package"
LINES = 350
"""The most that a whole store may need, as docs/writing-a-backend.md says."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with its wheel unpacked in `installed`, as pip does it."""
    project = tmp_path_factory.mktemp("plugin") / "project"
    shutil.copytree(PACKAGE, project)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", "installed"]
    subprocess.run([*pip, *options, "."], cwd=project, check=True, timeout=120)
    return project


COMMAND = ("-c", "from trackstore.cli import main; main()", "conformance", "run")
SUITE = (*COMMAND, "journal", "--seed", "7")
"""The package names the URL to test it by."""


def run(project: Path, *command: str, patience: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": "installed"},
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def test_it_is_small() -> None:
    """A third party writes one store in an afternoon: all its source files together are short."""
    written = [file.read_text().splitlines() for file in (PACKAGE / "src").rglob("*.py")]
    assert 0 < sum(map(len, written)) <= LINES


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
    """What its own CI runs: every rule holds, those on processes and kills too."""
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", "-k", "param")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_it_passes_standard_by_the_command(project: Path) -> None:
    """All that it claims is held, with the effort of the profile that is meant for a release."""
    done = run(project, *SUITE, "--profile", "standard", "--json", "report.json", patience=1_200)
    report = json.loads((project / "report.json").read_text())
    assert done.returncode == 0, done.stdout
    assert report["grade"]["text"].startswith("conformant")
    assert report["profile"] == "standard"
    verdicts = {each["rule"]: each["verdict"] for each in report["rules"]}
    assert {verdicts[rule] for rule in ("B-PAR-03", "B-BAT-02", "B-BAT-03", "B-DUR-03")} == {"PASS"}


BROKEN = {
    "B-PAR-02": (
        "store.py",
        "if run.params.get(key, value) != value:",
        "if key not in batch.params:",
    ),
    "B-EXP-02": ("store.py", "and holder and holder.id != wanted.id:", "and holder is wanted:"),
    "B-RUN-02": ("store.py", "if self._stage(run) is DELETED:", "if run_id == '':"),
}
"""By rule: where a release that breaks it differs, and how."""


@pytest.mark.parametrize("rule", BROKEN)
def test_the_suite_names_the_rule_that_a_broken_release_breaks(project: Path, rule: str) -> None:
    """A guarantee that was lost on the way is found by the rule that states it."""
    module, was, is_now = BROKEN[rule]
    broken = project.with_name(f"broken-{rule}")
    shutil.copytree(project, broken)
    file = broken / "installed" / "trackstore_journal" / module
    assert file.read_text().count(was) == 1
    file.write_text(file.read_text().replace(was, is_now))
    done = run(broken, *SUITE, "--rule", rule, "--json", "report.json")
    report = json.loads((broken / "report.json").read_text())
    assert done.returncode == 1, done.stdout
    assert {each["rule"]: each["verdict"] for each in report["rules"]}[rule] == "FAIL"
    assert rule in done.stdout
