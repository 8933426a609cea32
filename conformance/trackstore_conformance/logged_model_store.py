"""The suite of a backend store that keeps logged models: what it promises besides.

class TestMine(LoggedModelStoreTests):
    harness = "mine:///{folder}/store"
"""

from trackstore_conformance.logged.concurrency import LoggedConcurrencyTests
from trackstore_conformance.logged.models import (
    LoggedListTests,
    LoggedMetricTests,
    LoggedModelTests,
)


class LoggedModelStoreTests(
    LoggedModelTests, LoggedMetricTests, LoggedListTests, LoggedConcurrencyTests
):
    """Every rule of `docs/contract.md` for logged models."""

    __test__ = False
