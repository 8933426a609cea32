"""Azurite, the emulator of Azure Blob Storage, of npm's package."""

import os
import shutil
from pathlib import Path
from typing import ClassVar

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import ContainerClient

from provision.buckets import BUCKET, BucketServer, bucket_url
from provision.daemon import LOOPBACK, Missing

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Public, and the same for every Azurite."""
HINT = "npm install --prefix .azurite azurite@3.37.0"
FOLDER = Path(__file__).parents[2] / ".azurite"
"""Where it is looked for first; TRACKSTORE_AZURITE names another folder."""


class Azurite(BucketServer):
    """It keeps all in memory, and checks keys and signatures as Azure does."""

    refuses_root: ClassVar = False

    def __init__(self) -> None:
        self._program = _find()
        super().__init__()

    @property
    def endpoint(self) -> str:
        return f"{super().endpoint}/{ACCOUNT}"

    def prepare(self) -> None:
        """Tell the key: processes that the suite starts need it too."""
        os.environ["AZURE_STORAGE_ACCESS_KEY"] = KEY

    def command(self) -> list[str]:
        where = ["--blobHost", LOOPBACK, "--blobPort", str(self.port)]
        how = "--silent --skipApiVersionCheck --disableTelemetry --inMemoryPersistence".split()
        return [self._program, *where, *how]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PATH": os.environ["PATH"]}  # where node is

    def answers(self) -> bool:
        """Make the container; making it again is no error."""
        with ContainerClient(
            self.endpoint, BUCKET, credential=KEY, retry_total=0, connection_timeout=1
        ) as client:
            try:
                client.create_container()
            except ResourceExistsError:
                return True
            except AzureError:
                return False
        return True

    def url(self, prefix: str, bucket: str = BUCKET, **options: str) -> str:
        known = {"endpoint": self.endpoint, "account": ACCOUNT}
        return bucket_url("az", bucket, prefix, {**known, **options})


def _find() -> str:
    folder = Path(os.environ.get("TRACKSTORE_AZURITE") or FOLDER)
    beside = folder / "node_modules" / ".bin" / "azurite-blob"
    path = str(beside) if beside.exists() else shutil.which("azurite-blob")
    if path is None or shutil.which("node") is None:
        raise Missing(f"azurite is not installed: {HINT}")
    return path
