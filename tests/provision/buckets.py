"""Servers with buckets, in which each place of the suite has a folder of its own."""

import os
import shutil
import sys
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from provision.daemon import LOOPBACK, Daemon, Missing
from trackstore.registry import open_artifact_store
from trackstore.stores import ArtifactStore
from trackstore_conformance.harness import NAME, Harness

BUCKET = "suite"


class BucketServer(Daemon):
    """Serves a bucket, `BUCKET`, and others if need be."""

    compares_checksums: ClassVar[bool] = True
    """It refuses what was changed on its way."""

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @abstractmethod
    def url(self, prefix: str, bucket: str = BUCKET, **options: str) -> str:
        """Return the URL of a folder of a bucket."""


class BucketHarness(Harness[ArtifactStore]):
    """Gives each test of the suite a folder of its own in the bucket.

    The service's address is the option `endpoint` of the URLs.  Calls give up soon where a fault is
    played.
    """

    def __init__(self, server: BucketServer, bucket: str = BUCKET, **options: str) -> None:
        super().__init__(server.url(NAME, bucket, **options), open_artifact_store)

    def upstream(self, url: str) -> tuple[str, int] | None:
        return super().upstream(dict(parse_qsl(urlsplit(url).query))["endpoint"])

    def proxied(self, url: str, port: int) -> str:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        options["endpoint"] = super().proxied(options["endpoint"], port)
        options |= {"timeout": "1", "connect_timeout": "1"}
        return parts._replace(query=urlencode(options)).geturl()


def bucket_url(scheme: str, bucket: str, prefix: str, options: dict[str, str]) -> str:
    return f"{scheme}://{bucket}/{quote(prefix, safe='{}/')}?{urlencode(options)}"


def find_script(name: str, package: str) -> str:
    """Return the path of a program that a package on PyPI brings."""
    beside = Path(sys.executable).parent
    path = shutil.which(name, path=os.pathsep.join((str(beside), os.environ.get("PATH", ""))))
    if path is None:
        raise Missing(f"{name} is not installed: pip install {package}")
    return path
