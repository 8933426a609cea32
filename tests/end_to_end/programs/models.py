"""Logs, registers, finds and loads a model, as users of MLflow do; prints what it saw as JSON."""

import json
import warnings

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
ROWS, LABELS = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
seen: dict[str, object] = {}


def log() -> tuple[str, str]:
    """Return a run and the model that it logged, with metrics about it on a dataset."""
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            LogisticRegression().fit(ROWS, LABELS), name="net", registered_model_name="wine"
        )
        mlflow.log_metric("acc", 0.5, step=1, model_id=info.model_id)
        mlflow.log_metric("acc", 0.75, step=2, model_id=info.model_id)
    return run.info.run_id, info.model_id


def predictions(uri: str) -> list[int]:
    return [int(each) for each in mlflow.pyfunc.load_model(uri).predict(ROWS)]


def error_of(call: object, *args: object) -> str:
    try:
        call(*args)  # type: ignore[operator]
    except MlflowException as error:
        return error.error_code
    return "none"


mlflow.set_experiment("models")
client = MlflowClient()
run_id, model_id = log()
second = mlflow.register_model(f"runs:/{run_id}/net", "wine")
third = mlflow.register_model(f"models:/{model_id}", "wine", tags={"from": "id"})
client.set_registered_model_alias("wine", "champion", "2")
seen["versions"] = [second.version, third.version]
seen["loaded"] = {
    name: predictions(uri)
    for name, uri in {
        "run": f"runs:/{run_id}/net",
        "model": f"models:/{model_id}",
        "version": "models:/wine/1",
        "alias": "models:/wine@champion",
        "latest": "models:/wine/latest",
    }.items()
}

model = mlflow.get_logged_model(model_id)
seen["logged"] = {
    "status": str(model.status),
    "run": model.source_run_id == run_id,
    "metrics": [each.value for each in model.metrics or []],
    "versions": [int(each["version"]) for each in json.loads(model.tags["mlflow.modelVersions"])],
}
found = mlflow.search_logged_models(filter_string="metrics.acc > 0.6", output_format="list")
seen["found"] = [each.model_id == model_id for each in found]
mlflow.set_logged_model_tags(model_id, {"a b": "1"})
mlflow.delete_logged_model_tag(model_id, "a b")

client.update_registered_model("wine", "of grapes")
client.set_registered_model_tag("wine", "team", "a")
client.set_model_version_tag("wine", "1", "checked", "yes")
client.update_model_version("wine", "1", "the first")
for version in ("1", "2"):
    client.transition_model_version_stage(
        "wine", version, "Production", archive_existing_versions=True
    )
seen["stages"] = {
    each.version: each.current_stage for each in client.search_model_versions("name = 'wine'")
}
seen["latest"] = [each.version for each in client.get_latest_versions("wine", ["Production"])]
seen["by run"] = len(client.search_model_versions(f"run_id = '{run_id}'"))
seen["models"] = [
    (each.name, each.description, each.tags, each.aliases)
    for each in client.search_registered_models("tags.team = 'a'")
]
seen["uri"] = client.get_model_version_download_uri("wine", "1").rpartition("/models/")[2]
copied = client.copy_model_version("models:/wine/1", "wine copy")
seen["copied"] = [copied.name, copied.version, predictions("models:/wine copy/1")]
client.rename_registered_model("wine copy", "cellar")
client.delete_model_version("cellar", "1")
seen["deleted"] = error_of(client.get_model_version, "cellar", "1")
client.delete_registered_model("cellar")
seen["gone"] = error_of(client.get_registered_model, "cellar")
seen["refused"] = error_of(client.create_model_version, "wine", "file:///etc")
client.delete_registered_model_alias("wine", "champion")
seen["no alias"] = error_of(client.get_model_version_by_alias, "wine", "champion")
client.delete_logged_model(model_id)
seen["no model"] = error_of(client.get_logged_model, model_id)
print(json.dumps({**seen, "model_id": model_id}))
