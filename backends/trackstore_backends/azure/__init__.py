"""`az://container/prefix` and `wasbs://`: artifacts in Azure Blob Storage."""

from trackstore_backends.azure.store import AzureArtifactStore

__all__ = ["AzureArtifactStore"]
