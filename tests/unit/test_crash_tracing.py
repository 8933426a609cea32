"""A worker's system calls are read from strace, and the right one is struck."""

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from trackstore.errors import NotFound
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.crash import tracing
from trackstore_conformance.crash.artifacts import ARTIFACTS
from trackstore_conformance.crash.child import close
from trackstore_conformance.crash.engine import kill_at_every_write, kill_at_random
from trackstore_conformance.crash.kinds import Step, Workload, run
from trackstore_conformance.crash.nursery import Died, Worker
from trackstore_conformance.crash.power import WITH_DATA
from trackstore_conformance.crash.replay import Disk
from trackstore_conformance.crash.tracing import Point, chosen, parsed, points, spread
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.harness import Harness
from trackstore_conformance.mutants import folder as folders
from trackstore_conformance.violations import Violation

LOG = """\
7 openat(AT_FDCWD</w>, "/s/read", O_RDONLY) = 5</s/read>
7 openat(AT_FDCWD</w>, "/s/old", O_RDWR|O_CREAT, 0600) = 6</s/old>
7 openat(AT_FDCWD</w>, "/s/new", O_RDWR|O_CREAT, 0600) = 6</s/new>
7 openat(AT_FDCWD</w>, "/s/new", O_RDWR|O_CREAT, 0600) = 9</s/new>
7 write(6</s/new>, ""..., 10) = 10
8 write(6</s/new>, ""..., 10 <unfinished ...>
7 fsync(6</s/new> <unfinished ...>
8 <... write resumed>) = 10
7 <... fsync resumed>) = 0
7 unlink("/s/none") = -1 ENOENT (No such file or directory)
7 --- SIGCHLD {si_signo=SIGCHLD} ---
7 write(6</s/new>, ""..., 10) = ?
7 +++ killed by SIGKILL +++
"""


def test_calls_are_read_in_the_order_in_which_they_began() -> None:
    """Also those that another thread's came between, and one that never ended."""
    found = list(parsed(LOG.splitlines()))
    assert [(call.thread, call.name) for call in found] == [
        *[(7, "openat")] * 4,
        *[(7, "write"), (8, "write"), (7, "fsync"), (7, "unlink"), (7, "write")],
    ]
    assert [call.result for call in found][5:7] == ["10", "0"]
    assert found[-1].result == "?"


def test_what_changes_nothing_is_no_point() -> None:
    """No open of a file that is there, and no call that failed; but all are counted."""
    assert [
        (each.name, each.when, each.about)
        for each in points(list(parsed(LOG.splitlines())), {"/s/old"})
    ] == [
        ("openat", 3, "w, new"),
        ("write", 1, "new"),
        ("fsync", 1, "new"),
    ]


def test_rare_calls_are_chosen_first() -> None:
    """However many writes there are, the one rename is struck."""
    found = [Point("write", when) for when in range(1, 101)]
    found[50:50] = [Point("rename", 1), Point("fsync", 1), Point("fsync", 2)]
    picked = chosen(found, 6, Random(0))
    assert len(picked) == len(set(picked)) == 6
    assert Point("rename", 1) in picked
    assert sum(each.name == "fsync" for each in picked) == 2
    assert chosen(found, 1_000, Random(0)) == sorted(
        found, key=chosen(found, 1_000, Random(0)).index
    )


@pytest.mark.parametrize("most", [-1, 0, 1, 3, 10, 11])
def test_choices_are_spread(most: int) -> None:
    """There are as many as asked for, all different and in their order."""
    found = spread(range(10), most, Random(1))
    assert found == sorted(set(found))
    assert len(found) == min(max(most, 0), 10)


class InTwoSteps(folders.Folder):
    """Removes an old file before the new one takes its place."""

    def publish(self, place: Path, chunks: Any) -> int:
        fresh = self.fresh()
        size = self.write(fresh, chunks)
        place.unlink(missing_ok=True)
        fresh.rename(place)
        self.sync(place.parent)
        return size


def one_put(random: Random, lead: str) -> Any:
    return [Step("put", ("a", [b"old"]))], [Step("put", ("a", [b"new"]))]


def bench_of(store: type[folders.Folder], path: Path) -> ArtifactBench:
    harness = Harness("file://{folder}/artifacts", store.from_url)
    return ArtifactBench(harness, path, Settings(PROFILES["standard"], 3))


def test_the_gap_between_two_steps_is_found(tmp_path: Path) -> None:
    """The witness names the work, the seed, the system call and its number, and what was lost."""
    with pytest.raises(Violation) as found:
        kill_at_every_write(bench_of(InTwoSteps, tmp_path), ARTIFACTS, Workload("one put", one_put))
    assert found.value.rules == ("A-PUT-06",)
    assert "work 'one put, seed 3'; SIGKILL before rename no. 1 (" in found.value.witness
    assert "it died in step 1: put('a', [1 chunks, 3 bytes])" in found.value.witness
    assert "file a: expected (3, " in found.value.witness


def test_every_point_of_a_right_store_is_struck(tmp_path: Path) -> None:
    """There are as many trials as calls that change something, and one more to learn of them."""
    bench = bench_of(folders.Folder, tmp_path)
    kill_at_every_write(bench, ARTIFACTS, Workload("one put", one_put))
    assert bench.evidence.crash_points == 6  # open, write, fsync, rename, fsync of two folders


def test_without_strace_the_sweep_is_not_exercised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why; kills at random need none."""
    monkeypatch.setattr(tracing.shutil, "which", lambda name: None)
    work = Workload("one put", one_put)
    bench = ArtifactBench(
        Harness("file://{folder}/artifacts", folders.Folder.from_url), tmp_path, Settings()
    )
    with pytest.raises(pytest.skip.Exception, match="not exercised: strace is not installed"):
        kill_at_every_write(bench, ARTIFACTS, work)
    kill_at_random(bench, ARTIFACTS, [work])
    assert bench.evidence.crash_points > 4


def test_a_strace_that_may_not_trace_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is the one that strace gives."""
    monkeypatch.setattr(tracing, "CHANGING", ("write",))
    bench = bench_of(folders.Folder, tmp_path)
    with Worker(bench.opener, bench.url) as worker:
        gone = worker.pid
    with Worker(bench.opener, bench.url) as worker:
        monkeypatch.setattr(worker, "pid", gone)
        with pytest.raises(tracing.CannotTrace, match="strace cannot trace here: strace: attach"):
            tracing.Tracer(worker, tmp_path / "log")
        monkeypatch.undo()


def odd(store: object) -> None:
    raise ZeroDivisionError("odd")


def missing(store: folders.Folder) -> None:
    store.get("missing")


def test_a_worker_answers_until_it_dies(tmp_path: Path) -> None:
    """By values, by errors of the contract, by others; and then not at all."""
    bench = bench_of(folders.Folder, tmp_path)
    with Worker(bench.opener, bench.url) as worker:
        assert worker.ask(run, Step("put", ("a", [b"1"]))).ways == ("ok",)
        assert worker.ask(missing).ways == (NotFound.__name__,)
        assert worker.ask(odd).ways == ("raised ZeroDivisionError",)
        assert worker.ask(close).ways == ("ok",)
        worker.kill()
        with pytest.raises(Died):
            worker.ask(missing)
    assert (tmp_path / "store0" / "artifacts" / "a").read_bytes() == b"1"


PROGRAM = """
import os, random, sys
random.seed(int(sys.argv[1])); os.chdir(sys.argv[2])
names = [a + b for a in ("", "f/", "g/") for b in "abc"]
opened = []
flags = [os.O_CREAT, os.O_CREAT | os.O_TRUNC, os.O_CREAT | os.O_APPEND, os.O_CREAT | os.O_EXCL]
def any_open():
    return random.choice(opened)
def one():
    kind = random.randrange(14)
    a, b = random.choice(names), random.choice(names)
    data = random.randbytes(random.choice([1, 10, 5000]))
    if kind == 0: opened.append(os.open(a, os.O_RDWR | random.choice(flags)))
    if kind == 1: os.write(any_open(), data)
    if kind == 2: os.pwrite(any_open(), data, random.randrange(6000))
    if kind == 3: os.writev(any_open(), [data, b"x"])
    if kind == 4: os.ftruncate(any_open(), random.randrange(7000))
    if kind == 5: os.rename(a, b)
    if kind == 6: os.link(a, b)
    if kind == 7: os.unlink(a)
    if kind == 8: os.mkdir(random.choice(["f", "g"]))
    if kind == 9: opened.append(os.dup(any_open()))
    if kind == 10: os.lseek(any_open(), random.randrange(3000), os.SEEK_SET)
    if kind == 11: os.read(any_open(), random.randrange(3000))
    if kind == 12: os.close(opened.pop(random.randrange(len(opened))))
    if kind == 13: os.rmdir(random.choice(["f", "g"]))
for _ in range(300):
    try: one()
    except (OSError, IndexError, ValueError): pass
"""


def traced(program: str, folder: Path, *args: str) -> Disk:
    """Run a program that works in the folder, and return the disk as it is replayed."""
    folder.mkdir()
    log = folder.parent / "log"
    options = ["-f", "-y", *WITH_DATA, "-o", str(log)]
    command = ["strace", *options, sys.executable, "-Sc", program, *args, str(folder)]
    subprocess.run(command, check=True, cwd=folder)
    disk = Disk(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for call in parsed(log.read_text().splitlines()):
            disk.replay(call)
    return disk


def real(folder: Path) -> Any:
    return {
        each.name: real(each) if each.is_dir() else each.read_bytes() for each in folder.iterdir()
    }


@pytest.mark.parametrize("seed", range(8))
def test_what_is_replayed_is_what_was_done(seed: int, tmp_path: Path) -> None:
    """Any mixture of calls leaves the same files on the disk and in its replay."""
    disk = traced(PROGRAM, tmp_path / "work", str(seed))
    found = real(tmp_path / "work")
    assert found
    assert disk.nothing_lost() == found


SYNCS = """
import os, sys
os.chdir(sys.argv[1])
def write(name, *, sync):
    file = os.open(name, os.O_RDWR | os.O_CREAT)
    os.write(file, b"old")
    if sync: os.fsync(file)
    return file
both = write("both", sync=True)
write("name", sync=False)
here = os.open(".", os.O_RDONLY)
os.fsync(here)
write("bytes", sync=True)
os.write(both, b"new")
os.rename("name", "renamed")
"""


def test_only_what_was_synced_is_kept(tmp_path: Path) -> None:
    """Bytes by a sync of the file, names by one of the folder."""
    disk = traced(SYNCS, tmp_path / "work")
    assert disk.strictly_synced() == {"both": b"old", "name": b""}
    assert disk.names_kept() == {"both": b"old", "bytes": b"old", "renamed": b""}
    assert disk.nothing_lost() == {"both": b"oldnew", "bytes": b"old", "renamed": b"old"}
