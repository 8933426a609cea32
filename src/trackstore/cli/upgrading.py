"""Bring a store's schema up to date on purpose."""

from trackstore.abilities import Upgrades
from trackstore.cli.secrets import without_secrets
from trackstore.model import SchemaChange
from trackstore.registry import open_backend_store


def upgrade(url: str) -> str:
    """Upgrade the backend store that `url` names, and return what has happened, as a line."""
    with open_backend_store(url) as store:
        if not isinstance(store, Upgrades):
            return f"{without_secrets(url)}: {type(store).__name__} has no schema to upgrade"
        return f"{without_secrets(url)}: {_told(store.upgrade())}"


def _told(change: SchemaChange) -> str:
    if change.before is None:
        return f"made a new store, of schema {change.after}"
    if change.before == change.after:
        return f"up to date, at schema {change.after}"
    return f"upgraded from schema {change.before} to {change.after}"
