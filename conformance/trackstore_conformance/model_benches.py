"""What a test of models has in hand."""

from itertools import count
from typing import Any, ClassVar

from trackstore.model import Batch, Experiment, LifecycleStage, Metric, MetricLink
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import LoggedModel, ModelVersion, RegisteredModel
from trackstore_conformance.bench import BackendBench, Bench, all_rows
from trackstore_conformance.spec import Contract


class RegistryBench(Bench[RegistryStore]):
    """A bench for a store of registered models."""

    contract = "registry"

    def model(self, name: str = "model", **fields: Any) -> RegisteredModel:
        """Create a model that has `fields`, and return it as it was given."""
        given = RegisteredModel(
            name, **{"creation_time": 1_000, "last_update_time": 1_000, **fields}
        )
        self.store.create_registered_model(given)
        return given

    def version(self, name: str = "model", **fields: Any) -> ModelVersion:
        """Create a version that has `fields`, and return it as it was stored."""
        return self.store.create_model_version(new_version(name, **fields))

    def models(self, limit: int = 1_000) -> list[RegisteredModel]:
        return all_rows(lambda after: self.store.scan_registered_models(after, limit))

    def versions(
        self, name: str | None = None, run_id: str | None = None, limit: int = 1_000
    ) -> list[ModelVersion]:
        return all_rows(lambda after: self.store.scan_model_versions(name, run_id, after, limit))


def new_version(name: str = "model", **fields: Any) -> ModelVersion:
    """Return a version that is not stored yet, and not numbered."""
    given: dict[str, Any] = {
        "version": 0,
        "creation_time": 2_000,
        "last_update_time": 2_000,
        "source": "artifacts:/1/m",
        "storage_location": "artifacts:/1/m",
        **fields,
    }
    return ModelVersion(name, **given)


class LoggedModelBench(BackendBench):
    """A bench for a backend store that keeps logged models."""

    contract: ClassVar[Contract] = "logged-models"
    store: LoggedModelStore
    second: LoggedModelStore

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._models = count(1)

    def new_model(self, experiment_id: str, **fields: Any) -> LoggedModel:
        """Return a model that is not stored yet."""
        ident = f"m-{int(self.place.name, 16):012x}{next(self._models):020x}"
        given: dict[str, Any] = {
            "id": ident,
            "experiment_id": experiment_id,
            "name": "a model",
            "creation_time": 1_000,
            "last_update_time": 1_000,
            "artifact_uri": f"artifacts:/{experiment_id}/models/{ident}",
            **fields,
        }
        return LoggedModel(**given)

    def model(self, experiment: Experiment | None = None, **fields: Any) -> LoggedModel:
        """Create a model that has `fields`, and return it as it was given."""
        home = self.experiment() if experiment is None else experiment
        model = self.new_model(home.id, **fields)
        self.store.create_logged_model(model)
        return model

    def models(
        self,
        experiment_id: str,
        run_id: str | None = None,
        stage: LifecycleStage | None = None,
        limit: int = 1_000,
    ) -> list[LoggedModel]:
        return all_rows(
            lambda after: self.store.scan_logged_models(experiment_id, run_id, stage, after, limit)
        )


def about(
    model_id: str, value: float, *, key: str = "acc", dataset: str = "", step: int = 0
) -> Batch:
    """Return a batch with one point that is about a model, on a dataset or on none."""
    link = MetricLink(model_id, dataset, f"digest of {dataset}" if dataset else "")
    return Batch(metrics=[Metric(key, value, 7, step, (link,))])
