"""The server's application in this process, and a client that speaks JSON to it."""

import json
from typing import Any

from falcon import testing

import trackstore
from trackstore.server.app import create_app

TRACKING = "/api/2.0/mlflow/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
JSON = {"content-type": "application/json"}


class Api:
    """Calls the application as a client would; a reply must be JSON."""

    def __init__(self, tracker: trackstore.Tracker, **options: Any) -> None:
        self.tracker = tracker
        self.client = testing.TestClient(
            create_app(tracker, **options), headers={"host": "localhost:5000"}
        )

    def post(self, path: str, body: object = None, /, **fields: object) -> testing.Result:
        sent = fields if body is None else body
        raw = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        return self.client.simulate_post(TRACKING + path, body=raw, headers=JSON)

    def get(self, path: str, /, **query: object) -> testing.Result:
        return self.client.simulate_get(TRACKING + path, params=query)

    def ok(self, result: testing.Result) -> Any:
        assert result.status_code == 200, result.text
        assert result.headers["content-type"] == "application/json"
        return result.json

    def experiment(self, name: str = "e") -> str:
        return self.ok(self.post("experiments/create", name=name))["experiment_id"]

    def run(self, experiment_id: str = "0", **fields: object) -> str:
        made = self.ok(self.post("runs/create", experiment_id=experiment_id, **fields))
        return made["run"]["info"]["run_id"]

    def run_data(self, run_id: str) -> dict[str, Any]:
        return self.ok(self.get("runs/get", run_id=run_id))["run"]["data"]

    def everything(self) -> object:
        """Return all that is stored, to tell whether a refused request wrote anything."""
        experiments = self.tracker.search_experiments(stage=None).items
        ids = [experiment.id for experiment in experiments]
        runs = self.tracker.search_runs(ids, stage=None).items
        histories = [
            list(self.tracker.iter_metric_history(run.id, key))
            for run in runs
            for key in run.metrics
        ]
        return repr((experiments, runs, histories))
