"""How a store of ours becomes one of MLflow's: its errors, and the calls that it does not have.

What is not served raises an MlflowException that the server turns into a 501.  MLflow's own
default, NotImplementedError, becomes a 500, which clients repeat for minutes.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import NOT_IMPLEMENTED, ErrorCode
from mlflow.store.entities.paged_list import PagedList

from trackstore.errors import TrackstoreError
from trackstore.wire.failures import status_of

Kind = TypeVar("Kind", bound=type)
Call = Callable[..., Any]


def mlflow_error(error: TrackstoreError) -> MlflowException:
    _, code = status_of(error)
    return MlflowException(str(error), error_code=ErrorCode.Value(code))


def translating(call: Call) -> Call:
    """Return the same call with MLflow's errors."""

    @wraps(call)
    def translated(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except TrackstoreError as error:
            raise mlflow_error(error) from error

    return translated


def store_of(
    base: type, *, inherits: Iterable[str], empty: Iterable[str] = ()
) -> Callable[[Kind], Kind]:
    """Complete a class that implements some of `base`, one of MLflow's abstract stores.

    Its own methods, and those of its mixins, raise MLflow's errors.  Those in `inherits` stay as
    MLflow has them, those in `empty` find nothing, and all others are refused.
    """
    inherited, without_rows = frozenset(inherits), frozenset(empty)

    def complete(kind: Kind) -> Kind:
        own = [each for each in kind.__mro__ if each not in base.__mro__]
        for each in own:
            for name, value in vars(each).copy().items():
                if callable(value):
                    setattr(each, name, translating(value))
        for name in _calls_of(base).difference(inherited, *map(vars, own)):
            setattr(kind, name, _finding_nothing if name in without_rows else _refusing(name))
        return kind

    return complete


def _calls_of(base: type) -> set[str]:
    names = (name for name in dir(base) if not name.startswith("_"))
    return {name for name in names if callable(getattr(base, name))}


def _finding_nothing(*_args: Any, **_kwargs: Any) -> PagedList[Any]:
    return PagedList([], None)


def _refusing(name: str) -> Call:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise MlflowException(f"trackstore has no {name}", error_code=NOT_IMPLEMENTED)

    refuse.__name__ = name
    return refuse
