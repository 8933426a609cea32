"""Ids and names that the front makes.  They need no store, so that making them cannot race."""

import secrets
import time

from uuid_utils import uuid7

_FIRST = (
    "amber bold brisk calm clear cosmic crisp daring deft eager fair fleet gentle golden keen "
    "lively lucid mellow nimble noble patient plucky quiet rapid serene sharp steady sunny "
    "swift tidy vivid wise"
).split()
_SECOND = (
    "badger bison condor crane dolphin egret falcon ferret finch gecko gibbon heron ibex "
    "jackal kestrel lemur lynx marten newt ocelot osprey otter panda petrel plover puffin "
    "raven robin seal stoat tapir wren"
).split()


def new_run_id() -> str:
    """Return 32 hex digits: a UUIDv7, so that ids made one after another lie close together."""
    return uuid7().hex


def new_experiment_id() -> str:
    """Return decimal digits that fit an int64: the second in 32 bits, then 31 random bits.

    The order in time is a hint for locality and nothing relies on it.
    """
    return str((int(time.time()) & 0xFFFF_FFFF) << 31 | secrets.randbits(31))


def new_model_id() -> str:
    """Return the id of a logged model: `m-` and 32 hex digits, as of a run."""
    return f"m-{uuid7().hex}"


def new_run_name() -> str:
    """Return a name that is easy to say, for a run that was given none."""
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{secrets.randbelow(1000)}"
