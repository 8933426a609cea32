"""Files: to and from a local folder, and through the servers, in turns, and the memory it takes.

python benchmarks/files.py            all of it, half an hour; rewrites a table
python benchmarks/files.py --quick    a look: a tenth of the files and of the bytes
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

import file_client
import machine
from copying import copy
from interleaved import HEADER, Result, compare
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from servers import free_port, mlflow_server, running, trackstore_server
from table import write

from trackstore.artifacts import Artifacts

GIGABYTE = 1_000_000_000
SMALL = bytes(range(256)) * 16
CONNECTIONS = 8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    size, number, rounds = (GIGABYTE // 10, 1_000, 3) if quick else (GIGABYTE, 10_000, 5)
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name:
        folder = Path(name)
        head = machine.describe(folder, "local files")
        print(f"{head}\n\n{HEADER}")
        source = large_file(folder, size)
        results = [*local(folder, source, rounds), *through_servers(folder, source, number, rounds)]
        told = memory(folder, source)
    if not quick:
        write("files", f"{head}; {told}", results)


def large_file(folder: Path, size: int) -> Path:
    source = folder / "source.bin"
    block = bytes(range(256)) * 4_000
    with source.open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(block[: size - start])
    return source


def timed(move: Callable[[int], object]) -> Callable[[], float]:
    """Return what moves one file, each time under another number, and tells how many a second."""
    numbers = count()

    def once() -> float:
        begun = perf_counter()
        move(next(numbers))
        return 1 / (perf_counter() - begun)

    return once


def local(folder: Path, source: Path, rounds: int) -> Iterator[Result]:
    """A file to and from a folder; "of reference" is the fraction of `copying.py`'s rate."""
    out = folder / "out"
    out.mkdir()
    there = folder / "out-of-theirs"
    there.mkdir()
    size = f"{source.stat().st_size / GIGABYTE:g} GB"
    theirs = LocalArtifactRepository(str(folder / "theirs"))
    plain = folder / "plain"
    plain.mkdir()
    with Artifacts(f"{(folder / 'ours').as_uri()}?versions=0") as front:
        ours = front.at("mlflow-artifacts:/run")
        yield compare(
            f"{size} into a local folder",
            timed(lambda _: ours.upload(source, "file")),
            timed(lambda _: theirs.log_artifact(str(source))),
            reference=timed(lambda _: copy(source, plain / "file")),
            rounds=rounds,
            target="0.8 of reference",
        )
        yield compare(
            f"{size} from a local folder",
            timed(lambda _: ours.download("file", out / "ours")),
            timed(lambda _: theirs.download_artifacts(source.name, str(there))),
            reference=timed(lambda _: copy(plain / "file", out / "plain")),
            rounds=rounds,
            target="0.8 of reference",
        )
    begun = perf_counter()
    subprocess.run(["cp", str(source), str(out / "cp")], check=True)
    print(f"`cp`, which syncs nothing: {1 / (perf_counter() - begun):,.4g} a second", flush=True)
    for left in out.iterdir():
        left.unlink()


def through_servers(folder: Path, source: Path, number: int, rounds: int) -> Iterator[Result]:
    """Small files and a large one through each server, by the same client."""
    ours, theirs = free_port(), free_port()
    size = f"{source.stat().st_size / GIGABYTE:g} GB"
    rounds = min(rounds, 3)
    with ExitStack() as stack:
        stack.enter_context(running(trackstore_server(folder, ours), ours))
        stack.enter_context(running(mlflow_server(folder, theirs), theirs))
        for verb, small, reference in (
            ("up", file_client.send_small, saved(folder, number)),
            ("down", file_client.fetch_small, None),
        ):
            yield compare(
                f"{number:,} files of 4 KB {verb}, {CONNECTIONS} connections",
                numbered(small, ours, number),
                numbered(small, theirs, number),
                reference=reference,
                rounds=rounds,
                target="10x",
            )
        yield compare(
            f"{size} up",
            lambda: file_client.send_large(ours, "0/large", source),
            lambda: file_client.send_large(theirs, "0/large", source),
            rounds=rounds,
            target="2x",
        )
        yield compare(
            f"{size} down",
            lambda: file_client.fetch_large(ours, "0/large", source.stat().st_size),
            lambda: file_client.fetch_large(theirs, "0/large", source.stat().st_size),
            rounds=rounds,
            target="2x",
        )


def numbered(
    move: Callable[[int, str, int, bytes, int], float], port: int, number: int
) -> Callable[[], float]:
    """Return what moves a tree of its own in each round, the same for both directions."""
    rounds = count()
    return lambda: move(port, f"0/tree{next(rounds)}", number, SMALL, CONNECTIONS)


def saved(folder: Path, number: int) -> Callable[[], float]:
    """Return what writes as many small files to a folder, in as many threads, with no server."""
    source = folder / "small.bin"
    source.write_bytes(SMALL)
    rounds = count()

    def once() -> float:
        tree = folder / "saved" / str(next(rounds))
        places = [tree / str(each // 100) / f"{each}.bin" for each in range(number)]
        for parent in {each.parent for each in places}:
            parent.mkdir(parents=True)
        begun = perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(partial(copy, source), places))
        return number / (perf_counter() - begun)

    return once


def memory(folder: Path, source: Path) -> str:
    """Return how much more memory a stream takes, up and down, than the idle server."""
    port = free_port()
    with running(trackstore_server(folder, port), port):
        workers = [pid for pid in processes() if str(port) in command_of(pid)]
        idle = {pid: kilobytes(pid, "VmRSS") for pid in workers}
        file_client.send_large(port, "0/memory", source)
        file_client.fetch_large(port, "0/memory", source.stat().st_size)
        most = max(kilobytes(pid, "VmHWM") - idle[pid] for pid in workers)
    told = f"{most / 1_000:,.0f} MB above idle for a stream each way (target: 64)"
    print(told, flush=True)
    return told


def processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def command_of(pid: int) -> str:
    """Return the command of a process, or of the one that started it if it has none of its own."""
    try:
        own = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        if "multiprocessing" not in own:
            return own
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        return Path(f"/proc/{parent}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # it has ended
        return ""


def kilobytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main()
