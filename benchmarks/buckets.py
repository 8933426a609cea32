"""Measure files in a bucket beside MLflow and boto3's own transfer manager, and write the table.

    python benchmarks/buckets.py            1,000 files of 4 KB and one of 256 MB, each way
    python benchmarks/buckets.py --quick    a tenth of it; writes nothing

The server is SeaweedFS, on this machine.  "reference" is boto3's transfer manager with its own
settings, which is given all files at once.  What arrives is compared, byte for byte.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from filecmp import cmp
from itertools import count
from pathlib import Path
from time import perf_counter

import boto3
import machine
import table
from databases import DATABASES  # which makes `provision` known
from interleaved import Result, Subject, compare
from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository
from s3transfer.manager import TransferManager

from provision.buckets import BUCKET
from provision.s3 import CREDENTIALS, REGION, SeaweedFS
from trackstore.artifacts import Artifacts

assert DATABASES
SMALL = 4_096
ROUNDS = 3
MEGABYTE = 1_000_000
TARGETS = {"small": "2 of reference", "large": "0.9 of reference"}


def main() -> None:
    arguments = table.parser(__doc__, ["sqlite"]).parse_args()
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory(prefix="trackstore-bench-") as name, SeaweedFS() as server:
        folder = Path(name)
        head = machine.describe(folder, "SeaweedFS 4.48")
        number, size = (200, 50) if arguments.quick else (1_000, 256)
        parts = {
            "small": lambda: moved(server, small_files(folder, number), "small"),
            "small-fast": lambda: moved(server, small_files(folder, number), "small", fast="yes"),
            "large": lambda: moved(server, large_file(folder, size), "large"),
            "large-fast": lambda: moved(server, large_file(folder, size), "large", fast="yes"),
        }
        results = table.measured(head, parts, arguments.only or parts)
    if table.is_written(arguments):
        table.write("buckets", head, results)


def small_files(folder: Path, number: int) -> Path:
    source = folder / "small"
    for each in range(number):
        place = source / f"{each // 100}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{each}.bin").write_bytes(os.urandom(SMALL))
    return source


def large_file(folder: Path, megabytes: int) -> Path:
    source = folder / "large"
    source.mkdir(exist_ok=True)
    with (source / "file.bin").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MEGABYTE))
    return source


class Sides:
    """The three ways to move a folder: each sends it, and fetches what it has sent."""

    def __init__(
        self, server: SeaweedFS, source: Path, name: str, options: dict[str, str], stack: ExitStack
    ) -> None:
        self.source, self.name = source, name
        self.files = sorted(each for each in source.rglob("*") if each.is_file())
        self.ours = stack.enter_context(Artifacts(server.url(f"{name}/ours", **options)))
        os.environ["MLFLOW_S3_ENDPOINT_URL"] = server.endpoint
        os.environ["AWS_DEFAULT_REGION"] = REGION
        self.mlflow = S3ArtifactRepository(
            f"s3://{BUCKET}/{name}/mlflow",
            access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        self.client = boto3.session.Session().client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def keys(self) -> Iterator[tuple[Path, str]]:
        for each in self.files:
            yield each, each.relative_to(self.source).as_posix()

    def send_ours(self, place: str) -> None:
        self.ours.at(f"mlflow-artifacts:/{place}").upload(self.source)

    def fetch_ours(self, place: str, into: Path) -> None:
        self.ours.at(f"mlflow-artifacts:/{place}").download("", into)

    def send_mlflow(self, place: str) -> None:
        self.mlflow.log_artifacts(str(self.source), place)

    def fetch_mlflow(self, place: str, into: Path) -> None:
        into.mkdir()
        self.mlflow.download_artifacts(place, str(into))

    def send_boto3(self, place: str) -> None:
        with TransferManager(self.client) as manager:
            for done in [
                manager.upload(str(path), BUCKET, f"{self.name}/boto3/{place}/{key}")
                for path, key in self.keys()
            ]:
                done.result()

    def fetch_boto3(self, place: str, into: Path) -> None:
        for path, _ in self.keys():
            (into / path.relative_to(self.source)).parent.mkdir(parents=True, exist_ok=True)
        with TransferManager(self.client) as manager:
            for done in [
                manager.download(BUCKET, f"{self.name}/boto3/{place}/{key}", str(into / key))
                for _, key in self.keys()
            ]:
                done.result()

    def check(self, folder: Path) -> None:
        """Find every file below a folder, wherever a side has put it, and compare."""
        found = {each.name: each for each in folder.rglob("*") if each.is_file()}
        assert len(found) == len(self.files), (len(found), len(self.files))
        for each in self.files:
            assert cmp(each, found[each.name], shallow=False), each


def moved(server: SeaweedFS, source: Path, name: str, **options: str) -> Iterator[Result]:
    with ExitStack() as stack:
        sides = Sides(server, source, "-".join([name, *options]), options, stack)
        size = sum(each.stat().st_size for each in sides.files)
        what = f"{len(sides.files):,} files, {size / MEGABYTE:,.0f} MB,"
        how = "".join(f", `{name}={value}`" for name, value in options.items())
        yield compare(
            f"{what} into a bucket{how}",
            sending(sides, sides.send_ours),
            sending(sides, sides.send_mlflow),
            reference=sending(sides, sides.send_boto3),
            rounds=ROUNDS,
            target=TARGETS[name],
        )
        yield compare(
            f"{what} from a bucket{how}",
            fetching(sides, sides.fetch_ours),
            fetching(sides, sides.fetch_mlflow),
            reference=fetching(sides, sides.fetch_boto3),
            rounds=ROUNDS,
            target=TARGETS[name],
        )


def sending(sides: Sides, send: Callable[[str], None]) -> Subject:
    """Return what sends all files to a new place, and tells how many a second."""
    places = count()

    def once() -> float:
        begun = perf_counter()
        send(f"t{next(places)}")
        return len(sides.files) / (perf_counter() - begun)

    return once


def fetching(sides: Sides, fetch: Callable[[str, Path], None]) -> Subject:
    """Return what fetches what was sent first, and tells how many files a second."""

    def once() -> float:
        into = sides.source.parent / f"fetched-{sides.name}"
        begun = perf_counter()
        fetch("t0", into)
        spent = perf_counter() - begun
        sides.check(into)
        shutil.rmtree(into)
        return len(sides.files) / spent

    return once


if __name__ == "__main__":
    main()
