"""The front over a backend store: what users and servers call.

It makes ids and times, fills in defaults, checks every value against `trackstore.validation` and
`trackstore.limits`, reads filter text, and turns a store's cursors into page tokens.  Whatever
it raises is of `trackstore.errors`, and then nothing was written, unless `outcome` says
"unknown".
"""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from msgspec import UNSET

from trackstore import filters, ids, limits, paging, search, validation
from trackstore.artifacts import Artifacts
from trackstore.errors import (
    AlreadyExists,
    InvalidRequest,
    InvalidState,
    NotFound,
    Unsupported,
)
from trackstore.histories import Histories
from trackstore.limits import check_int64, check_page, check_text
from trackstore.logged_models import LoggedModels
from trackstore.model import (
    RUN_NAME,
    Applied,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    ModelOutput,
    OrderBy,
    Page,
    Run,
    RunChanges,
    RunQuery,
    RunStatus,
    SearchCursor,
)
from trackstore.model_registry import ModelRegistry
from trackstore.model_stores import RegistryStore
from trackstore.stores import BackendStore
from trackstore.validation import Pairs, check_id

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED

DEFAULT_EXPERIMENT_ID = "0"

_MOST_ATTEMPTS = 20
"""How often a new id is drawn, or a name looked up again, before something else is wrong."""

_REMEMBERED = 10_000
"""How many experiments' artifact locations are kept at hand."""


def now_ms() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


class Tracker(Histories, LoggedModels):
    """Experiments, runs, logged models and what is logged to them, over any backend store.

    `artifacts` is the front over their files, and `registry` the one over registered models, which
    are kept in `registry_store`, or else in the backend store.  Thread-safe; closes its stores
    when closed.
    """

    def __init__(
        self,
        store: BackendStore,
        artifacts: Artifacts,
        *,
        registry_store: RegistryStore | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.store = store
        self.artifacts = artifacts
        self._clock = clock
        self._locations: dict[str, str] = {}
        self._noting = Lock()
        keeps = store if isinstance(store, RegistryStore) else None
        self.registry_store = registry_store or keeps

    @property
    def registry(self) -> ModelRegistry:
        """The front over registered models; `Unsupported` if no store keeps them."""
        if self.registry_store is None:
            raise Unsupported("the backend store keeps no registered models")
        return ModelRegistry(self.registry_store, self.store, self.artifacts, clock=self._clock)

    def close(self) -> None:
        """Close the stores, after the calls under way."""
        self.store.close()
        if self.registry_store is not None:
            self.registry_store.close()
        self.artifacts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Experiments

    def create_experiment(
        self, name: str, *, artifact_location: str | None = None, tags: Pairs[str] = ()
    ) -> Experiment:
        """Create an experiment under a name that no living one has (rule B-EXP-02).

        `artifact_location` must lie under the configured artifact roots; by default it is a
        folder of the experiment's id under the root.

        Raises `AlreadyExists` if the name is taken.
        """
        validation.check_experiment_name(name)
        checked = validation.check_tags(tags)
        location = artifact_location and self.artifacts.check_location(artifact_location)
        now = self._clock()
        for _ in range(_MOST_ATTEMPTS):
            ident = ids.new_experiment_id()
            place = location or self.artifacts.location(ident)
            try:
                return self.store.create_experiment(
                    Experiment(ident, name, place, now, now, tags=checked)
                )
            except AlreadyExists as error:
                if error.field != "id":
                    raise
                taken = error
        raise taken

    def get_or_create_experiment(self, name: str, *, tags: Pairs[str] = ()) -> Experiment:
        """Return the living experiment of this name, making it if there is none.

        All callers that race for a name get the same experiment (rule B-EXP-04); `tags` are
        given to it only by the one that makes it.
        """
        for _ in range(_MOST_ATTEMPTS):
            try:
                return self.find_experiment(name)
            except NotFound:
                pass
            try:
                return self.create_experiment(name, tags=tags)
            except AlreadyExists as error:
                taken = error
        raise taken

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment, active or deleted."""
        return self.store.get_experiment(check_id("experiment", experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        """Return the living experiment of exactly this name, or raise `NotFound`.

        Deleted ones are found by `search_experiments` with `stage` "deleted".
        """
        return self.store.find_experiment(validation.check_experiment_name(name))

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an active experiment another name; `AlreadyExists` if a living one has it."""
        self._change_experiment(experiment_id, name=validation.check_experiment_name(name))

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an experiment, and with it its runs, as deleted; its name is free again."""
        self._change_experiment(experiment_id, lifecycle_stage=DELETED)

    def restore_experiment(self, experiment_id: str) -> None:
        """Undo a deletion; `AlreadyExists` if a living experiment has taken the name."""
        self._change_experiment(experiment_id, lifecycle_stage=ACTIVE)

    def set_experiment_tags(self, experiment_id: str, tags: Pairs[str]) -> None:
        """Set tags of an active experiment, in one step."""
        self._change_experiment(experiment_id, tags=validation.check_tags(tags))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Delete a tag of an active experiment; `NotFound` if it has no such tag."""
        keys = (validation.check_key(key),)
        _check_present(self._change_experiment(experiment_id, deleted_tags=keys))

    def purge_experiment(self, experiment_id: str) -> None:
        """Erase a deleted experiment and its runs for good, but for the default experiment."""
        if experiment_id == DEFAULT_EXPERIMENT_ID:
            raise InvalidState("the default experiment can be deleted but not purged")
        self.store.purge_experiment(check_id("experiment", experiment_id))

    def search_experiments(
        self,
        filter: str = "",  # noqa: A002 - MLflow's users know it by this name
        *,
        order_by: Sequence[str] = (),
        stage: LifecycleStage | str | None = ACTIVE,
        limit: int = 1_000,
        page_token: str | None = None,
    ) -> Page[Experiment, str]:
        """Return a page of experiments, by default newest first.

        `filter` compares name, experiment_id, creation_time, last_update_time and tags, as in
        "name LIKE 'vision%' AND tags.team = 'a'"; `stage` None means both stages; `limit` is at
        most 50,000.  A page's `next` is the `page_token` of the page after it.
        """
        query = ExperimentQuery(
            filters.parse_experiment_filter(filter),
            filters.parse_experiment_order(order_by),
            validation.check_stage(stage),
        )
        after = paging.decode_token(page_token, query, _cursor_check(query.order_by))
        page = search.search_experiments(self.store, query, after, check_page(limit, limits.PAGE))
        return paging.tokened(page, query)

    # Runs

    def create_run(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        user_id: str = "",
        start_time: int | None = None,
        tags: Pairs[str] = (),
    ) -> Run:
        """Create a run in an active experiment; `start_time` is in ms, by default now.

        The name is kept as the tag `mlflow.runName`, and one is made up if neither is given.

        Raises `InvalidRequest` if `name` and that tag differ.
        """
        all_tags = validation.check_tags(tags)
        given = all_tags.get(RUN_NAME)
        if name and given and name != given:
            raise InvalidRequest(f"the run's name and its tag {RUN_NAME!r} differ: give one")
        all_tags |= validation.check_tags({RUN_NAME: name or given or ids.new_run_name()})
        check_text("the user id of a run", user_id, limits.USER_ID)
        begun = self._clock() if start_time is None else start_time
        check_int64("the start time of a run", begun, least=0)
        ident = ids.new_run_id()
        uri = self.artifacts.run_uri(self._artifact_location(experiment_id), ident)
        return self.store.create_run(
            Run(ident, experiment_id, begun, uri, user_id=user_id, tags=all_tags)
        )

    def get_run(self, run_id: str) -> Run:
        """Return a run, active or deleted, as it was at one instant."""
        return self.store.get_run(check_id("run", run_id))

    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | str | None = None,
        end_time: int | None = None,
        name: str | None = None,
    ) -> None:
        """Change what is given, in one step; any status may follow any other."""
        self.store.update_run(
            check_id("run", run_id),
            RunChanges(
                status=UNSET if status is None else validation.check_status(status),
                end_time=UNSET
                if end_time is None
                else check_int64("the end time of a run", end_time, least=0),
                tags=validation.check_tags({RUN_NAME: name}) if name else {},
            ),
        )

    def end_run(self, run_id: str, status: RunStatus | str = RunStatus.FINISHED) -> None:
        """Set a run's last status, and its end time to now."""
        self.update_run(run_id, status=status, end_time=self._clock())

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted; it keeps all its data."""
        changes = RunChanges(lifecycle_stage=DELETED, deleted_time=self._clock())
        self.store.update_run(check_id("run", run_id), changes)

    def restore_run(self, run_id: str) -> None:
        """Undo a deletion; in a deleted experiment the run stays deleted with it."""
        changes = RunChanges(lifecycle_stage=ACTIVE, deleted_time=None)
        self.store.update_run(check_id("run", run_id), changes)

    def purge_run(self, run_id: str) -> None:
        """Erase a deleted run for good; its artifacts are left alone."""
        self.store.purge_run(check_id("run", run_id))

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter: str = "",  # noqa: A002 - MLflow's users know it by this name
        *,
        order_by: Sequence[str] = (),
        stage: LifecycleStage | str | None = ACTIVE,
        limit: int = 1_000,
        page_token: str | None = None,
    ) -> Page[Run, str]:
        """Return a page of runs, by default newest first.

        `filter` is MLflow's: "metrics.loss < 0.3 AND params.model = 'tree'"; so is `order_by`:
        ["metrics.loss DESC", "start_time"].  What lacks the sort field comes last, NaN before
        it; equal runs go by start time, newest first, then by id.  `stage` None means both
        stages; `limit` is at most 50,000.

        A run that matches throughout, and whose sort fields stay, is on exactly one page,
        whatever is written meanwhile (rule B-SRC-04).
        """
        query = RunQuery(
            validation.check_ids(experiment_ids),
            filters.parse_run_filter(filter),
            filters.parse_run_order(order_by),
            validation.check_stage(stage),
        )
        after = paging.decode_token(page_token, query, _cursor_check(query.order_by))
        page = search.search_runs(self.store, query, after, check_page(limit, limits.PAGE))
        return paging.tokened(page, query)

    # Logging

    def log(
        self,
        run_id: str,
        *,
        metrics: Iterable[Metric] = (),
        params: Pairs[str | float] = (),
        tags: Pairs[str] = (),
        deleted_tags: Iterable[str] = (),
        inputs: Iterable[DatasetInput] = (),
        model_inputs: Iterable[str] = (),
        outputs: Iterable[ModelOutput] = (),
    ) -> Applied:
        """Apply all that is given to an active run, whole or not at all (rule B-BAT-01).

        Repeating a call changes nothing.  Of a repeated tag the last value wins.

        Raises `Conflict` if a param already has another value, `InvalidRequest` for a repeated
        param or a tag that is both set and deleted, `LimitExceeded` over 16,000,000 code points.
        """
        batch = validation.checked_batch(
            metrics=metrics,
            params=params,
            tags=tags,
            deleted_tags=deleted_tags,
            inputs=inputs,
            model_inputs=model_inputs,
            outputs=outputs,
        )
        return self.store.log(check_id("run", run_id), batch)

    def log_metric(
        self, run_id: str, key: str, value: float, *, step: int = 0, timestamp: int | None = None
    ) -> None:
        """Add one point; `timestamp` is in ms, by default now."""
        self.log(
            run_id,
            metrics=[Metric(key, value, self._clock() if timestamp is None else timestamp, step)],
        )

    def log_param(self, run_id: str, key: str, value: str | float) -> None:
        """Write a param, which can be done once; the same value again is fine."""
        self.log(run_id, params=[(key, value)])

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Set a tag, replacing its value."""
        self.log(run_id, tags=[(key, value)])

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag; `NotFound` if the run has no such tag."""
        _check_present(self.log(run_id, deleted_tags=[key]))

    def _artifact_location(self, experiment_id: str) -> str:
        """Return an experiment's artifact location, which never changes once it is known."""
        known = self._locations.get(check_id("experiment", experiment_id))
        if known is None:
            if len(self._locations) >= _REMEMBERED:
                self._locations.clear()
            known = self.get_experiment(experiment_id).artifact_location
            self._locations[experiment_id] = known
        return known

    def _change_experiment(self, experiment_id: str, **changes: object) -> Applied:
        changed = ExperimentChanges(last_update_time=self._clock(), **changes)  # type: ignore[arg-type]
        return self.store.update_experiment(check_id("experiment", experiment_id), changed)


def _check_present(applied: Applied) -> None:
    if applied.absent_tags:
        raise NotFound(f"there is no tag {limits.shown(applied.absent_tags[0])}")


def _cursor_check(order_by: Sequence[OrderBy]) -> Callable[[SearchCursor], bool]:
    return lambda cursor: search.is_cursor(cursor, order_by)
