"""Why a rule was not checked, said so that a report can tell the reasons apart."""

from typing import NoReturn

import pytest

NOT_APPLICABLE, NOT_EXERCISED = "N/A: ", "not exercised: "


def not_applicable(why: str) -> NoReturn:
    """End the test: the rule asks for what the store says that it has not."""
    pytest.skip(NOT_APPLICABLE + why)


def not_exercised(why: str) -> NoReturn:
    """End the test: the suite lacks something that it needs to check the rule, here and now."""
    pytest.skip(NOT_EXERCISED + why)
