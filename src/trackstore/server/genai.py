"""What MLflow's pages and clients read of its parts for language models, which are not served.

Nothing of these can have been written, so what lists them finds nothing; the rest is answered
with 501, which clients take at once.
"""

from trackstore.server.refusals import not_implemented
from trackstore.server.routing import EDIT, READ, JSONRoute, Route
from trackstore.tracker import Tracker
from trackstore.wire.replies import EMPTY
from trackstore.wire.requests import Nothing

_LISTS = """
    GET  2.0 traces
    GET  2.0 webhooks
    GET  3.0 datasets/search
    POST 3.0 datasets/search
    GET  3.0 gateway/budgets/list
    GET  3.0 gateway/budgets/windows
    GET  3.0 gateway/endpoints/bindings/list
    GET  3.0 gateway/endpoints/list
    GET  3.0 gateway/guardrails/list
    GET  3.0 gateway/guardrails/list-for-endpoint
    GET  3.0 gateway/model-definitions/list
    GET  3.0 gateway/secrets/list
    POST 3.0 issues/search
    GET  3.0 label-schemas/list
    GET  3.0 prompt-optimization/jobs/search
    POST 3.0 prompt-optimization/jobs/search
    GET  3.0 review-queues/items/list
    GET  3.0 review-queues/list
    GET  3.0 scorers/list
    GET  3.0 scorers/online-configs
    GET  3.0 scorers/versions
    GET  3.0 traces/batchGet
    POST 3.0 traces/batchGetInfos
    POST 3.0 traces/metrics
    POST 3.0 traces/search
"""


def nothing(_tracker: Tracker, _asked: Nothing) -> bytes:
    """Return the reply of a list without entries: MLflow's JSON leaves those out."""
    return EMPTY


def refused(_tracker: Tracker, _asked: Nothing) -> bytes:
    """Refuse to write what would only be read as nothing."""
    raise not_implemented()


def _route(method: str, version: str, path: str) -> Route:
    return JSONRoute(method, f"/api/{version}/mlflow/{path}", Nothing, nothing, READ)


ROUTES: tuple[Route, ...] = tuple(_route(*line.split()) for line in _LISTS.strip().splitlines())

WRITES: tuple[Route, ...] = tuple(
    JSONRoute("POST", f"/api/2.0/mlflow/{path}", Nothing, refused, EDIT)
    for path in ("traces", "webhooks")
)
"""What has the path of a list."""
