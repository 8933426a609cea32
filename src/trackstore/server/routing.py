"""What a route is, and how the tables of routes are written."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from falcon import Request, Response
from msgspec import Struct

from trackstore.server.about import Site
from trackstore.server.files import Place
from trackstore.tracker import Tracker

Answer = Callable[[Tracker, Any], bytes]
"""What answers a JSON request: it gets the decoded request, and returns the encoded reply."""
FolderAnswer = Callable[[Tracker, str, Any], bytes]
"""What answers a JSON request about one folder of the destination, whose path it gets too."""
StoreAnswer = Callable[[Tracker, Request, Response], None]
"""What answers a call of a contract."""
SiteAnswer = Callable[[Site], bytes]
"""What answers about the server as a whole."""
Transfer = Callable[[Tracker, Request, Response, str], None]
"""What moves a file; it gets the artifact's path."""

Find = Callable[[Tracker, Any], Place]
"""What finds the file that a request is about."""


class Permission(StrEnum):
    """What a caller must be allowed to do; a route without an entry is not served."""

    PUBLIC = "public"
    """Anybody, under any Host: for probes."""
    READ = "read"
    EDIT = "edit"
    MANAGE = "manage"
    """To delete and restore."""


class JSONRoute(Struct, frozen=True):
    """A call with a JSON body, or for GET a query, and a JSON reply.

    What the path has in braces are fields of the request.
    """

    method: str
    path: str
    kind: type[Struct]
    answer: Answer
    permission: Permission


class SiteRoute(Struct, frozen=True):
    """A call about the server as a whole."""

    method: str
    path: str
    answer: SiteAnswer
    media_type: str
    permission: Permission


class TransferRoute(Struct, frozen=True):
    """A call whose body, or whose reply's body, is a file."""

    method: str
    path: str
    answer: Transfer
    permission: Permission


class FolderRoute(Struct, frozen=True):
    """A call about a folder, whose path is in the URL, with a JSON body and a JSON reply."""

    method: str
    path: str
    kind: type[Struct]
    answer: FolderAnswer
    permission: Permission


class StoreRoute(Struct, frozen=True):
    """A call of a store's contract, in its own encoding."""

    path: str
    answer: StoreAnswer
    permission: Permission
    method: str = "POST"


class FileRoute(Struct, frozen=True):
    """A call whose body, or whose reply's body, is a file, which the query names."""

    method: str
    path: str
    kind: type[Struct]
    find: Find
    permission: Permission


Route = JSONRoute | SiteRoute | TransferRoute | FolderRoute | StoreRoute | FileRoute

PUBLIC, READ, EDIT, MANAGE = Permission

TRACKING = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts"
PROXY = f"{FILES}/artifacts"


def get(path: str, kind: type[Struct], answer: Answer) -> JSONRoute:
    return JSONRoute("GET", f"{TRACKING}/{path}", kind, answer, READ)


def post(path: str, permission: Permission, kind: type[Struct], answer: Answer) -> JSONRoute:
    return JSONRoute("POST", f"{TRACKING}/{path}", kind, answer, permission)


def call(
    method: str, path: str, permission: Permission, kind: type[Struct], answer: Answer
) -> JSONRoute:
    return JSONRoute(method, f"{TRACKING}/{path}", kind, answer, permission)


def transfer(method: str, permission: Permission, answer: Transfer) -> TransferRoute:
    return TransferRoute(method, f"{PROXY}/{{path}}", answer, permission)


def parts(path: str, kind: type[Struct], answer: FolderAnswer) -> FolderRoute:
    return FolderRoute("POST", f"{FILES}/mpu/{path}/{{path}}", kind, answer, EDIT)
