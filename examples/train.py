"""Train with the stock MLflow client against a trackstore server.

    pip install mlflow==3.17.2 scikit-learn
    trackstore server                                   # in another terminal
    python examples/train.py                            # or: --tracking-uri http://host:5000

Nothing here knows of trackstore: it is MLflow's own client, told one URL.
"""

import argparse
import tempfile
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler

EPOCHS = 20
RATES = (0.001, 0.01, 0.1)


def train_by_hand(x_train, x_test, y_train, y_test):
    """One run for each learning rate, nested in one parent, with a metric for every epoch."""
    scaler = StandardScaler().fit(x_train)
    x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
    with mlflow.start_run(run_name="learning rates") as parent:
        mlflow.log_params({"epochs": EPOCHS, "features": x_train.shape[1]})
        mlflow.log_text("three learning rates, one model", "notes/readme.txt")
        for rate in RATES:
            with mlflow.start_run(run_name=f"rate {rate}", nested=True):
                train_one(rate, x_train, x_test, y_train, y_test)
        mlflow.set_tag("stage", "explored")
    return parent.info.run_id


def train_one(rate, x_train, x_test, y_train, y_test):
    """Log params, a tag, and two metrics for every epoch."""
    mlflow.log_param("rate", rate)
    mlflow.log_params({"loss": "log_loss", "seed": 0})
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=rate, random_state=0)
    for epoch in range(EPOCHS):
        model.partial_fit(x_train, y_train, classes=[0, 1, 2])
        mlflow.log_metric("train loss", log_loss(y_train, model.predict_proba(x_train)), step=epoch)
        accuracy = accuracy_score(y_test, model.predict(x_test))
        mlflow.log_metrics({"accuracy": accuracy, "epoch": epoch}, step=epoch)
    mlflow.set_tags({"model": "SGD", "data": "wine"})
    mlflow.log_dict({"coefficients": model.coef_.tolist()}, "model/coefficients.json")


def train_by_autolog(x_train, x_test, y_train, y_test):
    """Let MLflow log a grid search: a parent run, and a child run for each candidate."""
    mlflow.autolog(log_models=False, log_datasets=False, silent=True)
    with mlflow.start_run(run_name="grid search") as run:
        grid = {"n_estimators": [5, 20], "max_depth": [2, None]}
        search = GridSearchCV(RandomForestClassifier(random_state=0), grid, cv=3)
        search.fit(x_train, y_train)
        mlflow.log_metric("test accuracy", search.score(x_test, y_test))
    mlflow.autolog(disable=True)
    return run.info.run_id


def look_back(experiment_id, parent_id):
    """Find the best run, read one metric's history, and fetch its artifacts."""
    client = MlflowClient()
    best = client.search_runs(
        [experiment_id],
        filter_string=f"tags.`mlflow.parentRunId` = '{parent_id}' AND metrics.accuracy > 0.5",
        order_by=["metrics.accuracy DESC", "metrics.`train loss` ASC"],
        max_results=1,
    )[0]
    history = client.get_metric_history(best.info.run_id, "train loss")
    files = [file.path for file in client.list_artifacts(best.info.run_id, "model")]
    with tempfile.TemporaryDirectory() as folder:
        local = mlflow.artifacts.download_artifacts(
            run_id=best.info.run_id, artifact_path="model", dst_path=folder
        )
        size = sum(path.stat().st_size for path in Path(local).rglob("*") if path.is_file())
    print(f"best run   {best.info.run_name}, accuracy {best.data.metrics['accuracy']:.3f}")
    print(f"history    {len(history)} points, last {history[-1].value:.4f}")
    print(f"artifacts  {', '.join(files)}, {size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracking-uri", default="http://127.0.0.1:5000")
    parser.add_argument("--experiment", default="wine")
    arguments = parser.parse_args()

    mlflow.set_tracking_uri(arguments.tracking_uri)
    experiment = mlflow.set_experiment(arguments.experiment)
    mlflow.set_experiment_tags({"task": "classification", "owner": "examples"})
    data = train_test_split(*load_wine(return_X_y=True), random_state=0)
    parent_id = train_by_hand(*data)
    grid_id = train_by_autolog(*data)
    look_back(experiment.experiment_id, parent_id)
    runs = mlflow.search_runs(experiment_names=[arguments.experiment])
    print(f"stored     {len(runs)} runs in experiment {experiment.experiment_id}")
    print(f"parents    {parent_id} {grid_id}")


if __name__ == "__main__":
    main()
