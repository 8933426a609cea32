"""Answers that HTTP itself calls for; everything else is in `trackstore.errors`."""

from collections.abc import Mapping


class Refusal(Exception):
    """A request that is answered with an error status before, or instead of, a call."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "INVALID_PARAMETER_VALUE",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


def no_such_endpoint() -> Refusal:
    return Refusal(404, "there is no such endpoint", code="ENDPOINT_NOT_FOUND")


def not_implemented() -> Refusal:
    return Refusal(501, "this part of MLflow's API is not served", code="NOT_IMPLEMENTED")
