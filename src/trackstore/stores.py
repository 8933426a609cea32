"""The contract: what a backend store and an artifact store implement.

A store owns durability, atomicity, uniqueness, and every check that needs its transaction, such
as whether a run is deleted.  It is given validated values and never fills in defaults: ids,
clocks, limits, and name and path rules are settled by `trackstore.tracker` and
`trackstore.artifacts` before a call arrives here.  `docs/contract.md` numbers the rules that the
docstrings cite; `trackstore_conformance` checks them.

Every store

* may be called from many threads at once, and opens nothing before its first call;
* is independent of any other handle on the same URL, in this process or another;
* after a fork, in the child, abandons what it inherited and opens its own (B-CON-01);
* makes a completed write visible to every later read, through every handle (B-SES-01);
* raises only `trackstore.errors`, with the driver's own exception as the cause (B-ERR-01).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import ClassVar, Literal, Self

from msgspec import Struct

from trackstore.model import (
    Applied,
    ArtifactInfo,
    Batch,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    Metric,
    MetricCursor,
    Page,
    Run,
    RunChanges,
    RunCursor,
)

CONTRACT = (1, 0)
"""The version of this contract.  A minor version only adds optional protocols and fields."""


class Guarantees(Struct, frozen=True):
    """What a store claims beyond the core rules, each a grade that the suite checks."""

    durability: Literal["none", "process-crash", "power-loss"] = "none"
    tag_reads: Literal["eventual", "linearizable"] = "linearizable"
    listing: Literal["weak", "stable-cursor", "snapshot"] = "stable-cursor"
    artifact_overwrite: Literal["refused", "atomic"] = "atomic"
    create_only: Literal["none", "one-winner"] = "one-winner"
    transfer: Literal["unchecked", "checked"] = "unchecked"


class Store(ABC):
    """A resource that is named by a URL and closed by `with`."""

    contract: ClassVar[tuple[int, int]] = CONTRACT
    """The version of the contract that the class implements."""
    guarantees: ClassVar[Guarantees] = Guarantees()
    ephemeral: ClassVar[bool] = False
    """Nothing outlives the handle, so that rules on crashes and processes do not apply."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: str) -> Self:
        """Return a handle on the store that `url` names, without touching it yet.

        Raises `InvalidRequest` if the URL is malformed.
        """

    @abstractmethod
    def close(self) -> None:
        """Wait for calls under way and release everything; later calls raise `InvalidState`.

        Idempotent.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class BackendStore(Store):
    """Experiments and runs with their params, tags, metrics, and inputs and outputs.

    A write happens whole or not at all, whatever fails (B-BAT-01, B-BAT-03), and no reader ever
    sees a part of it (B-BAT-02).  The first call makes the schema if there is none, also when
    many processes do so at once (B-MIG-02).  An unknown id raises `NotFound`, however odd it is
    (B-RUN-06).
    """

    @abstractmethod
    def create_experiment(self, experiment: Experiment) -> Experiment:
        """Store an experiment and return it as stored.

        If the id is known and name and creation time are equal, return the stored experiment
        unchanged, so that a repeated call is harmless (B-EXP-09).

        Raises `AlreadyExists` with `field` "id" if the id is known otherwise, or "name" if a
        living experiment has the name, also when many processes race for it (B-EXP-02).
        """

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, active or deleted."""

    @abstractmethod
    def find_experiment(self, name: str) -> Experiment:
        """Return the living experiment of exactly this name, else raise `NotFound` (B-EXP-03)."""

    @abstractmethod
    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        """Change the given fields in one step and report the deleted tags that were absent.

        Raises `InvalidState`, and changes nothing, if a name or tags are given and the experiment
        is deleted both before and after (B-EXP-05).  Raises `AlreadyExists` if a rename or a
        restore meets a living experiment of that name (B-EXP-06, B-EXP-07).  Deleting frees the
        name, and deleting or restoring twice is harmless.
        """

    @abstractmethod
    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        """Return a page of experiments, newest first, ties by id (B-PAG-01).

        `stage` None means both stages.  `after` is the `next` of the page before, and `limit`
        the most to return.
        """

    @abstractmethod
    def create_run(self, run: Run) -> Run:
        """Store a run with its tags and return it as stored; `run` carries no other data yet.

        If the id is known and experiment, start time, user and name are equal, return the stored
        run unchanged (B-RUN-04).

        Raises `AlreadyExists` with `field` "id" if the id is known otherwise, `NotFound` if there
        is no such experiment, `InvalidState` if the experiment is deleted.
        """

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """Return the run, active or deleted, as it was at one instant."""

    @abstractmethod
    def update_run(self, run_id: str, changes: RunChanges) -> None:
        """Change the given fields and set the given tags, in one step.

        Raises `InvalidState`, and changes nothing, if anything but the stage and the time of
        deletion is given and the run is deleted both before and after (B-RUN-02).  Deleting or
        restoring twice is harmless.  Any status may follow any other.
        """

    @abstractmethod
    def scan_runs(
        self,
        experiment_id: str,
        stage: LifecycleStage | None,
        after: RunCursor | None,
        limit: int,
    ) -> Page[Run, RunCursor]:
        """Return a page of an experiment's runs, newest first by start time, ties by id.

        An unknown experiment has no runs.  `stage` None means both stages.
        """

    @abstractmethod
    def log(self, run_id: str, batch: Batch) -> Applied:
        """Apply the batch to the run and report the deleted tags that were absent.

        A param is written once: the same value again changes nothing, another raises `Conflict`
        (B-PAR-02), also in a race (B-PAR-03).  Points are only ever added: an identical point,
        by (key, step, timestamp, value), is stored once, and its links are the union of all that
        were logged with it (B-MET-01).  A tag takes the last value written.  An input that is
        logged again has its tags merged; of a known dataset, by (experiment, name, digest), the
        fields first stored stay.  Model inputs and outputs are sets.

        Raises `InvalidState` if the run is deleted (B-RUN-02).  Whatever is raised, nothing of
        the batch is stored.
        """

    @abstractmethod
    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        """Return a page of the points of `key`, by (step, timestamp, value), NaN first (B-MET-06).

        Each point carries its links, sorted.  A key that was never logged has no points.
        """

    @abstractmethod
    def purge_run(self, run_id: str) -> None:
        """Erase a deleted run and all its data for good.

        Raises `InvalidState` if the run is active.  Every later call on it raises `NotFound`.
        """

    @abstractmethod
    def purge_experiment(self, experiment_id: str) -> None:
        """Erase a deleted experiment and all its runs for good.

        Raises `InvalidState` if the experiment is active.
        """


class ArtifactReader(Iterator[bytes]):
    """The bytes of one version of a file, as chunks (A-GET-02).

    `size` is that of the whole version, in bytes, whatever range of it is read.  A reader that is
    not read to its end is closed; `chunks` is closed with it, if it can be.
    """

    def __init__(self, chunks: Iterator[bytes], size: int) -> None:
        self._chunks = chunks
        self.size = size

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Release what the reader holds.  Idempotent."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class ArtifactStore(Store):
    """Files under `/`-separated relative paths.

    A reader or a listing sees nothing of a file or all of it, at the first write and at an
    overwrite (A-PUT-02); a write that fails, is cut or is killed leaves nothing visible
    (A-PUT-06).  Paths arrive checked by `trackstore.paths`; a store still never follows a
    symbolic link out of its root (A-PTH-02).
    """

    @abstractmethod
    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        """Write the file, or replace it, once `chunks` has ended without an exception.

        An exception raised by `chunks` passes through, and nothing is published.

        Raises `AlreadyExists` with `field` "path" if `if_absent` is set and the file is there:
        of many that race, one wins (A-PUT-04).  Raises `Conflict` if the store cannot hold the
        file because a folder has the path, or a file has the path of one of its parents.
        """

    @abstractmethod
    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        """Return the bytes from `start`, at most `length` of them, as chunks (A-GET-01).

        A start at or beyond the end gives none.  All chunks are of one version of the file
        (A-GET-02).

        Raises `NotFound` at once if there is no such file.
        """

    @abstractmethod
    def stat(self, path: str) -> ArtifactInfo:
        """Return what `path` is, a file or a folder, or raise `NotFound`."""

    @abstractmethod
    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        """Return a page of what is in the folder `prefix`, sorted by path, code point order.

        `prefix` "" is the root, and `a` never matches `ab/x`.  `deep` gives all files below it;
        otherwise one level, files and folders.  A missing folder is an empty one (A-LST-01).
        `after` is the path that ended the page before.
        """

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; a missing one is no error."""
