"""What the names, aliases, stages and tags of models may be.

As in `trackstore.validation`, what comes out is what a store may keep.
"""

import re

from trackstore import limits
from trackstore.errors import InvalidRequest, NotFound
from trackstore.limits import check_text, shown
from trackstore.registered import VersionStage
from trackstore.validation import Pairs, check_key, pairs

_ALIAS = re.compile(r"[\w\-]+")
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)
_NOT_IN_LOGGED = frozenset("/:.%\"'")
_STAGES = {stage.lower(): stage for stage in VersionStage}


def check_model_name(name: object) -> str:
    """Return the name of a registered model: not blank, without `/` and `:`, at most 256 long."""
    text = check_text("the name of a registered model", name, limits.MODEL_NAME)
    if not text.strip():
        raise InvalidRequest("the name of a registered model must not be empty")
    if "/" in text or ":" in text:
        raise InvalidRequest(f"Invalid model name {shown(text)}. Names cannot contain '/' or ':'.")
    if text in {".", ".."}:
        raise InvalidRequest("a registered model cannot be named '.' or '..'")
    return text


def check_logged_model_name(name: object) -> str:
    """Return the name of a logged model: not empty, and without / : . % and quotes."""
    text = check_text("the name of a logged model", name, limits.LOGGED_MODEL_NAME)
    if not text or not _NOT_IN_LOGGED.isdisjoint(text):
        raise InvalidRequest(
            f"Invalid model name ({shown(text)}) provided. Model name must be a non-empty string "
            "and cannot contain the following characters: / : . % \" '"
        )
    return text


def check_alias(alias: object) -> str:
    """Return an alias that may be asked for: letters, digits, `_` and `-`, at most 255 long."""
    text = check_text("the alias of a registered model", alias, limits.MODEL_ALIAS)
    if not text:
        raise InvalidRequest("Registered model alias name cannot be empty.")
    if not _ALIAS.fullmatch(text):
        raise InvalidRequest(
            f"Invalid alias name: {shown(text)}. Names may only contain alphanumerics, "
            "underscores (_), and dashes (-)."
        )
    return text


def check_new_alias(alias: object) -> str:
    """Return an alias that may be given: not `latest`, nor what looks like a version."""
    text = check_alias(alias)
    if _RESERVED.fullmatch(text):
        raise InvalidRequest(f"the alias name {shown(text)} is reserved")
    return text


def check_version(version: object) -> int:
    """Return the number of a version; text of digits is one too.

    Raises `NotFound` for a number that no version has.
    """
    if isinstance(version, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", version):
        version = int(version)
    if type(version) is not int:
        raise InvalidRequest(f"Model version must be an integer, got {shown(version)}.")
    if not 0 < version <= limits.VERSION_NUMBER:
        raise NotFound(f"there is no version {shown(version)} of the registered model")
    return version


def check_version_stage(stage: object) -> VersionStage:
    """Return a stage, whose case does not matter."""
    found = _STAGES.get(stage.lower()) if isinstance(stage, str) else None
    if found is None:
        raise InvalidRequest(
            f"Invalid Model Version stage: {shown(stage)}. "
            f"Value must be one of {', '.join(VersionStage)}."
        )
    return found


def check_description(description: object) -> str:
    return check_text("the description of a model", description, limits.MODEL_DESCRIPTION)


def check_registry_tags(tags: Pairs[str], limit: int = limits.REGISTRY_TAG_VALUE) -> dict[str, str]:
    """Return tags by key, of a repeated one the last."""
    return {
        check_key(key): check_text(f"the value of tag {key!r}", value, limit)
        for key, value in pairs("tag", tags)
    }
