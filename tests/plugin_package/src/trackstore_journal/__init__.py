"""A backend store in one file: `journal:///path/to/runs.jsonl`."""

from trackstore_journal.store import JournalStore

__all__ = ["JournalStore"]
