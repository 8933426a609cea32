"""A backend store in one file: `journal:///path/to/runs.jsonl`."""

from trackstore_journal.store import JournalStore as JournalStore

URL_TO_TEST = "journal://{folder}/runs.jsonl"
