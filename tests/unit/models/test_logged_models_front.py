"""The front's calls on logged models, on a store in memory."""

import math

import pytest

from trackstore import (
    Conflict,
    DatasetFilter,
    InvalidRequest,
    InvalidState,
    LoggedModelOrder,
    LoggedModelStatus,
    Metric,
    MetricLink,
    NotFound,
    Run,
    Tracker,
)


def log(
    tracker: Tracker, run: Run, model_id: str, value: float, dataset: str = "", time: int = 1
) -> None:
    link = MetricLink(model_id, dataset, "1" if dataset else "")
    tracker.log(run.id, metrics=[Metric("acc", value, time, links=(link,))])


def test_a_model_is_made_finished_and_deleted(tracker: Tracker, run: Run) -> None:
    """It has an id and files of its own; what is deleted is found only if that is asked for."""
    made = tracker.create_logged_model(
        run.experiment_id, name="m", source_run_id=run.id, params={"a": 1}, tags={"t": "1"}
    )
    assert made.artifact_uri.endswith(f"/{run.experiment_id}/models/{made.id}/artifacts")
    assert (made.status, made.params, made.tags) == ("PENDING", {"a": "1"}, {"t": "1"})
    assert tracker.finalize_logged_model(made.id).status is LoggedModelStatus.READY
    tracker.set_logged_model_tags(made.id, {"t": "2", "u": ""})
    tracker.delete_logged_model_tag(made.id, "u")
    with pytest.raises(NotFound):
        tracker.delete_logged_model_tag(made.id, "u")
    tracker.log_logged_model_params(made.id, {"a": "1", "b": "2"})
    with pytest.raises(Conflict):
        tracker.log_logged_model_params(made.id, {"b": "3"})
    found = tracker.get_logged_model(made.id)
    assert (found.params, found.tags) == ({"a": "1", "b": "2"}, {"t": "2"})
    tracker.delete_logged_model(made.id)
    with pytest.raises(NotFound):
        tracker.get_logged_model(made.id)
    with pytest.raises(InvalidState):
        tracker.set_logged_model_tags(made.id, {"t": "3"})
    assert tracker.get_logged_model(made.id, allow_deleted=True).tags == {"t": "2"}
    tracker.restore_logged_model(made.id)
    with pytest.raises(InvalidState):
        tracker.purge_logged_model(made.id)
    tracker.delete_logged_model(made.id)
    tracker.purge_logged_model(made.id)
    with pytest.raises(NotFound):
        tracker.get_logged_model(made.id, allow_deleted=True)


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "a\0", 1])
def test_bad_names_are_refused(tracker: Tracker, run: Run, name: str) -> None:
    """A name is not empty and has none of / : . % and quotes."""
    with pytest.raises(InvalidRequest):
        tracker.create_logged_model(run.experiment_id, name=name)


def test_a_name_is_made_up(tracker: Tracker, run: Run) -> None:
    """If none is given."""
    assert tracker.create_logged_model(run.experiment_id).name


def test_a_model_has_the_latest_metrics_about_it(tracker: Tracker, run: Run) -> None:
    """Of each run, key and dataset the latest one, by step and time."""
    model = tracker.create_logged_model(run.experiment_id).id
    other = tracker.create_run(run.experiment_id)
    log(tracker, run, model, 0.1, time=2)
    log(tracker, run, model, 0.2, time=1)
    log(tracker, run, model, 0.3, "train")
    log(tracker, other, model, math.nan)
    found = tracker.get_logged_model(model).metrics
    told = [(each.run_id, each.point.value, each.dataset_name) for each in found]
    assert told[:2] == [(run.id, 0.1, ""), (run.id, 0.3, "train")]
    assert told[2][0] == other.id
    assert math.isnan(told[2][1])


def test_models_are_searched(tracker: Tracker, run: Run) -> None:
    """By metrics, params, tags and attributes; newest first, or by a metric."""
    home = run.experiment_id
    ids = [
        tracker.create_logged_model(
            home, name=f"m{n}", source_run_id=run.id if n else "", params={"n": str(n)}
        ).id
        for n in range(4)
    ]
    for number, value in enumerate([0.5, 0.9, math.nan]):
        log(tracker, run, ids[number], value, "train")
    log(tracker, run, ids[0], 0.7, "test", time=2)
    tracker.finalize_logged_model(ids[1])

    def found(where: str = "", **options: object) -> list[int]:
        page = tracker.search_logged_models([home], where, **options)
        return [ids.index(each.id) for each in page.items]

    assert found() == [3, 2, 1, 0]
    assert found("metrics.acc > 0.6") == [1, 0]
    assert found("metrics.acc > 0.6", datasets=[DatasetFilter("train")]) == [1]
    assert found("metrics.acc != 0.5") == [2, 1, 0]
    assert found(datasets=[DatasetFilter("test", "1")]) == [0]
    assert found(datasets=[DatasetFilter("test", "2")]) == []
    assert found("params.n IN ('1', '3') AND name != 'm3'") == [1]
    assert found("status = 'READY'") == [1]
    assert found(f"source_run_id = '{run.id}' AND model_id != '{ids[2]}'") == [3, 1]
    assert found("creation_timestamp > 0 AND attributes.name LIKE 'm%'") == [3, 2, 1, 0]
    by_metric = [LoggedModelOrder("metrics.acc", descending=True)]
    assert found(order_by=by_metric) == [1, 0, 2, 3]
    on_train = [LoggedModelOrder("metrics.acc", dataset=DatasetFilter("train"))]
    assert found(order_by=on_train) == [0, 1, 2, 3]
    assert found(order_by=[LoggedModelOrder("name")]) == [0, 1, 2, 3]
    page, seen = tracker.search_logged_models([home], order_by=by_metric, limit=1), []
    while page.next:
        seen += page.items
        page = tracker.search_logged_models(
            [home], order_by=by_metric, limit=1, page_token=page.next
        )
    assert [ids.index(each.id) for each in [*seen, *page.items]] == [1, 0, 2, 3]
    tracker.delete_logged_model(ids[3])
    assert found() == [2, 1, 0]


@pytest.mark.parametrize(
    ("where", "order"),
    [
        ("metrics.acc = 'a'", "name"),
        ("params.n IS NULL", "name"),
        ("nothing = 'a'", "name"),
        ("", "params.n"),
        ("", "tags.n"),
        ("", "nothing"),
        ("", ""),
        ("", "name DESC, name"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    tracker: Tracker, run: Run, where: str, order: str
) -> None:
    """With a pointer to the place."""
    with pytest.raises(InvalidRequest):
        tracker.search_logged_models([run.experiment_id], where, order_by=[LoggedModelOrder(order)])
    with pytest.raises(InvalidRequest, match="twice"):
        tracker.search_logged_models([], order_by=[LoggedModelOrder("name")] * 2)
    with pytest.raises(InvalidRequest, match="dataset_name"):
        tracker.search_logged_models([], datasets=[DatasetFilter("", "1")])
