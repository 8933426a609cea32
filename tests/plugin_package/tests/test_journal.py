from trackstore_conformance import BackendStoreTests


class TestJournal(BackendStoreTests):
    harness = "journal://{folder}/runs.jsonl"
