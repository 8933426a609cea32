"""What pytest passes over, and the servers that tests may ask for."""

from provision.fixtures import (
    azurite,
    fake_gcs,
    mariadb,
    mariadb_url,
    moto,
    postgres,
    postgres15,
    postgres_url,
    s3_credentials,
    seaweedfs,
)

__all__ = [
    "azurite",
    "fake_gcs",
    "mariadb",
    "mariadb_url",
    "moto",
    "postgres",
    "postgres15",
    "postgres_url",
    "s3_credentials",
    "seaweedfs",
]

collect_ignore = ["plugin_package"]  # a third party's, run by `unit/test_plugin_package.py`
