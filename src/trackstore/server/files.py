"""Files by what they belong to, as MLflow's UI asks for them: a run, a version or a model."""

from trackstore.artifacts import ArtifactFolder
from trackstore.tracker import Tracker
from trackstore.wire import model_requests, requests

Place = tuple[ArtifactFolder, str]
"""A folder, and the path of a file in it."""


def of_run(tracker: Tracker, asked: requests.RunFile) -> Place:
    return tracker.artifacts.at(tracker.get_run(asked.run).artifact_uri), asked.path


def of_version(tracker: Tracker, asked: model_requests.ModelVersionFile) -> Place:
    location = tracker.registry.download_location(asked.name, asked.version)
    return tracker.artifacts.at(location), asked.path


def of_logged_model(tracker: Tracker, asked: model_requests.LoggedModelFile) -> Place:
    model = tracker.get_logged_model(asked.model_id)
    return tracker.artifacts.at(model.artifact_uri), asked.artifact_file_path
