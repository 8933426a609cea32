"""The suite is run by a command, by a class, and by pytest on a URL: with one outcome."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from time import perf_counter

import pytest

from trackstore.model import Batch, Experiment, Run
from trackstore.registered import RegisteredModel
from trackstore.registry import open_artifact_store, open_backend_store, open_registry_store
from trackstore_conformance.doors import running
from trackstore_conformance.doors.by_url import installed, targets_of
from trackstore_conformance.doors.running import Effort, run_suite

TRACKSTORE = str(Path(sys.executable).with_name("trackstore"))
RULES = ("B-PAR-02", "B-EXP-01")


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRACKSTORE, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_rules(folder: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    rules = [word for each in RULES for word in ("--rule", each)]
    return command(folder, "conformance", "run", url, *rules, *more)


def test_the_command_writes_every_document(tmp_path: Path) -> None:
    """The report, the page, the cases and the badge are of one run."""
    files = {kind: tmp_path / f"r.{kind}" for kind in ("json", "html", "junit", "badge")}
    options = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    done = run_rules(tmp_path, "memory://{folder}", "--contract", "backend", *options)
    assert done.returncode == 0, done.stderr
    report = json.loads(files["json"].read_text())
    verdicts = {each["rule"]: each["verdict"] for each in report["rules"]}
    assert verdicts == dict.fromkeys(RULES, "PASS")
    for file in files.values():
        assert file.stat().st_size > 100


def test_pytest_takes_a_url(tmp_path: Path) -> None:
    """`pytest --pyargs trackstore_conformance` tests whatever opens the URL, and needs one."""
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs"]
    asked = [*pytest_, "trackstore_conformance", "--store-rule", "B-PAR-02"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "say which store to test: --store-url URL" in done.stderr
    url = ["--store-url", "memory://{folder}", "--store-rule", "A-DEL-01"]
    done = subprocess.run([*asked, *url], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "TestBackendStore: kept: B-PAR-02" in done.stdout
    assert "TestArtifactStore: kept: A-DEL-01" in done.stdout


BROKEN = """
from trackstore.errors import Conflict
from trackstore.registry import open_backend_store
from trackstore_conformance import BackendStoreTests, Harness
from trackstore_conformance.forwarding import ForwardingBackendStore


class Forgets(ForwardingBackendStore):
    def log(self, run_id, batch):
        try:
            return super().log(run_id, batch)
        except Conflict:
            return super().log(run_id, type(batch)())


class TestForgets(BackendStoreTests):
    harness = Harness("memory://{folder}", Forgets.from_url)
"""


def test_a_class_names_the_broken_rule(tmp_path: Path) -> None:
    """What a subclass finds is told by rule, at the end of what pytest prints."""
    (tmp_path / "test_mine.py").write_text(BROKEN)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "param"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "TestForgets: not conformant 1.0: " in done.stdout
    assert "B-PAR-02" in done.stdout.rpartition("TestForgets: not conformant")[2]


def test_a_live_store_keeps_what_is_in_it(tmp_path: Path) -> None:
    """All tests share the store a plain URL names, see nothing of it, and leave nothing."""
    url = f"sqlite:///{tmp_path}/live.db"
    mine = Experiment("7", "a", "a:/", 1, 1)
    with open_backend_store(url) as store:
        store.create_experiment(mine)
        store.create_run(Run("5" * 32, "7", 1, "a:/"))
        store.log("5" * 32, Batch(tags={"t": "1"}))
    report = run_suite(url, "backend", Effort(rules=("B-PAG-01", "B-EXP-02", "B-SRC-01")))
    assert {each.verdict for each in report.rules} == {"PASS"}
    with open_backend_store(url) as store:
        assert list(store.scan_experiments(None, None, 10).items) == [mine]
        assert store.get_run("5" * 32).tags == {"t": "1"}
    with sqlite3.connect(tmp_path / "live.db") as rows:
        assert rows.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    rows.close()


def test_a_live_artifact_store_keeps_what_is_in_it(tmp_path: Path) -> None:
    """Files of others are neither listed nor deleted, and no file is left."""
    url = (tmp_path / "files").as_uri()
    with open_artifact_store(url) as store:
        store.put("a", [b"mine"])
    report = run_suite(url, "artifact", Effort(rules=("A-LST-01", "A-DEL-01")))
    assert {each.verdict for each in report.rules} == {"PASS"}
    with open_artifact_store(url) as store:
        assert [info.path for info in store.scan("", None, 10, deep=True).items] == ["a"]
        assert b"".join(store.get("a")) == b"mine"


def test_a_live_registry_keeps_what_is_in_it(tmp_path: Path) -> None:
    """Models of others, registered and logged, are neither listed nor changed."""
    url = f"sqlite:///{tmp_path}/live.db"
    mine = RegisteredModel("model", 1, 1, tags={"a": "1"})
    with open_registry_store(url) as store:
        store.create_registered_model(mine)
    rules = {
        "registry": ("R-MOD-02", "R-MOD-03", "R-MOD-06", "R-PAG-01", "R-VER-02", "R-STG-02"),
        "logged-models": ("L-MOD-01", "L-MET-01", "L-PUR-01", "L-PAG-01"),
    }
    for contract, asked in rules.items():
        report = run_suite(url, contract, Effort(rules=asked))
        assert {each.rule: each.verdict for each in report.rules} == dict.fromkeys(asked, "PASS")
    with open_registry_store(url) as store:
        assert list(store.scan_registered_models(None, 10).items) == [mine]
    with sqlite3.connect(tmp_path / "live.db") as rows:
        assert rows.execute("SELECT count(*) FROM logged_models").fetchone() == (0,)
        assert rows.execute("SELECT count(*) FROM model_versions").fetchone() == (0,)
    rows.close()


def test_what_takes_a_store_of_its_own_is_not_exercised_on_a_live_one(tmp_path: Path) -> None:
    """The verdict says what to do about it."""
    report = run_suite(f"sqlite:///{tmp_path}/live.db", "backend", Effort(rules=("B-MIG-02",)))
    (verdict,) = report.rules
    assert verdict.verdict == "NOT-EXERCISED"
    assert "put {folder} or {name} into the URL" in verdict.notes[0]
    assert report.grade.exit_code == 3


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nowhere:///x", "no installed store opens URLs that start with 'nowhere'"),
        ("sqlite:////proc/none/x.db", "does not open: the folder of the SQLite file"),
        ("file://elsewhere/{folder}", "does not open"),
    ],
)
def test_a_url_that_does_not_open_is_told_at_once(url: str, said: str, tmp_path: Path) -> None:
    """It is one message, and no hundred failures."""
    done = run_rules(tmp_path, url)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def children_hear_ctrl_c() -> Generator[None]:
    """Undo what a shell does to its background jobs, which inherit that Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("children_hear_ctrl_c")
def test_a_ctrl_c_leaves_nothing_and_says_how_far_it_came(tmp_path: Path) -> None:
    """The test under way is ended, its data erased, and the report is of what was done."""
    url, told = f"sqlite:///{tmp_path}/live.db", tmp_path / "r.json"
    child = subprocess.Popen(
        [TRACKSTORE, "conformance", "run", url, "--json", str(told)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with child:
        wait_for_data(tmp_path / "live.db")
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode in {1, 3}, said  # 3 if no test of a core rule had come to its end
    assert told.exists(), said
    report = json.loads(told.read_text())
    assert report["timing"]["finished"] is False
    assert report["timing"]["stopped_by"] == "KeyboardInterrupt"
    assert 0 <= report["timing"]["tests_run"] < report["timing"]["tests_in_all"]
    with open_backend_store(url) as store:
        assert list(store.scan_experiments(None, None, 10).items) == []


def test_a_ctrl_c_that_was_not_heard_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python drops a KeyboardInterrupt that comes up in a finalizer."""
    hears_twice = (
        "import signal, sys, time; heard = []\n"
        "signal.signal(signal.SIGINT, lambda *_: heard and sys.exit(7) or heard.append(1))\n"
        "print(flush=True)\n"
        "while True: time.sleep(0.01)"
    )

    class Interrupted(subprocess.Popen[bytes]):
        waits = 0

        def wait(self, timeout: float | None = None) -> int:
            self.waits += 1
            if self.waits == 1:
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(running, "TOLD_AGAIN", 0.2)
    with Interrupted([sys.executable, "-c", hears_twice], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert running._wait(child) == 7


def wait_for_data(file: Path) -> None:
    """Return once an experiment is in the store, which a test under way has made."""
    deadline = perf_counter() + 60
    while perf_counter() < deadline:
        if file.exists() and experiments_in(file):
            return
    raise AssertionError("no test wrote anything")


def experiments_in(file: Path) -> int:
    rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(rows.execute("SELECT count(*) FROM experiments").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # the schema is being made
    finally:
        rows.close()


def test_every_installed_store_names_how_to_test_it() -> None:
    """`--all-installed` leaves none of ours out."""
    named, others = installed()
    assert {"file", "memory", "sqlite"} <= {*named}
    assert "sqlite" not in others


def test_a_scheme_alone_is_the_url_of_its_distribution() -> None:
    """`trackstore conformance run sqlite` is enough."""
    contracts = ["backend", "registry", "logged-models"]
    assert targets_of("sqlite") == [("sqlite:///{folder}/store.db", each) for each in contracts]


def test_smoke_tells_the_first_thing_that_fails(tmp_path: Path) -> None:
    """A store that answers passes; where it stops, the step and the error are shown."""
    done = command(tmp_path, "conformance", "smoke", "sqlite:///{folder}/s.db")
    assert done.returncode == 0, done.stderr
    done = command(tmp_path, "conformance", "smoke", "sqlite:////proc/none/x.db")
    assert done.returncode == 1
    assert "FAILED create an experiment" in done.stdout
    assert "make it first" in done.stderr
