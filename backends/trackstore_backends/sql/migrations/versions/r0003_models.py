"""Registered models with their versions, and logged models.

A registered model has a number, `model`, by which all else refers to it, so that renaming it
writes one row.  `last_version` is the greatest number that a version was ever given.
"""

import sqlalchemy as sa

from trackstore_backends.sql.migrations.columns import (
    big,
    clustered,
    flag,
    index,
    long_text,
    number,
    numbered,
    table,
    text,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    make_registered_models()
    make_versions()
    make_logged_models()
    index("point_links_by_model", "point_links", ["model_id"])


def make_registered_models() -> None:
    table(
        "registered_models",
        numbered("model"),
        text("name", 600),  # see experiments
        long_text("description"),
        big("creation_time"),
        big("last_update_time"),
        number("last_version"),
    )
    index("registered_models_by_name", "registered_models", ["name"], unique=True)
    clustered(
        "registered_model_tags",
        number("model", key=True),
        number("label", key=True),
        long_text("value"),
    )
    clustered(
        "registered_model_aliases",
        number("model", key=True),
        text("alias", 255, key=True),
        number("version"),
    )


def make_versions() -> None:
    clustered(
        "model_versions",
        number("model", key=True),
        number("version", key=True),
        big("creation_time"),
        big("last_update_time"),
        long_text("source"),
        long_text("storage_location"),
        text("run_id", 250),
        text("model_id", 250),
        text("user_id", 256),
        long_text("run_link"),
        long_text("description"),
        text("stage", 16),
        text("status", 32),
        long_text("status_message"),
    )
    index("model_versions_by_stage", "model_versions", ["model", "stage", "version"])
    index("model_versions_by_run", "model_versions", ["run_id"])
    clustered(
        "model_version_tags",
        number("model", key=True),
        number("version", key=True),
        number("label", key=True),
        long_text("value"),
    )


def make_logged_models() -> None:
    table(
        "logged_models",
        numbered("logged"),
        text("id", 250),
        number("exp"),
        text("name", 500),
        long_text("artifact_uri"),
        big("creation_time"),
        big("last_update_time"),
        text("source_run_id", 250),
        text("model_type", 500),
        text("status", 16),
        long_text("status_message"),
        flag("deleted"),  # its own stage, whatever its experiment's is
    )
    index("logged_models_by_id", "logged_models", ["id"], unique=True)
    newest_first = sa.text("creation_time DESC")
    index("logged_models_by_age", "logged_models", ["exp", newest_first, "id"])
    index("logged_models_by_run", "logged_models", ["exp", "source_run_id"])
    for name in ("logged_model_params", "logged_model_tags"):
        clustered(name, number("logged", key=True), number("label", key=True), long_text("value"))
