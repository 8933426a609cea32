"""Stores of trackstore for MLflow's own client, server and command line.

MLflow finds them by entry point, under one scheme before any store's URL:
`trackstore:sqlite:///runs.db`.  They translate: MLflow's entities to calls of a `Tracker`, what it
returns to entities, its errors to MLflow's.  Nothing else of trackstore imports MLflow.

MLflow calls the functions here; it imports this module while it is being imported itself.
"""

from typing import Any


def tracking_store(store_uri: str, artifact_uri: str | None = None) -> Any:
    from trackstore.mlflow_plugin.tracking import TrackingStore  # noqa: PLC0415 - see above

    return TrackingStore(store_uri, artifact_uri)


def registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    from trackstore.mlflow_plugin.registry import RegistryStore  # noqa: PLC0415 - see above

    return RegistryStore(store_uri, tracking_uri)


def artifact_repository(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> Any:
    from trackstore.mlflow_plugin.artifacts import ArtifactRepository  # noqa: PLC0415 - see above

    return ArtifactRepository(artifact_uri, tracking_uri, registry_uri)
