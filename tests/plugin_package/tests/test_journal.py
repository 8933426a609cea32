from pathlib import Path

from trackstore_conformance import BackendStoreTests


class TestJournal(BackendStoreTests):
    def url(self, folder: Path) -> str:
        return f"journal://{folder}/runs.jsonl"
