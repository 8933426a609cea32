"""What a version may be made from: the resolver refuses all that `security.md` lists."""

import pytest

from trackstore import (
    InvalidRequest,
    LimitExceeded,
    ModelRegistry,
    NotFound,
    PermissionDenied,
    Run,
    Tracker,
    TrackstoreError,
)


def lies(registry: ModelRegistry, source: str) -> str:
    return registry.create_version("m", source).storage_location


def test_every_kind_of_source_is_resolved_to_a_location(
    tracker: Tracker, registry: ModelRegistry, run: Run
) -> None:
    """A run's folder, a logged model, another version by number or alias, and a plain location."""
    registry.create_model("m")
    logged = tracker.create_logged_model(run.experiment_id, source_run_id=run.id)
    root = f"mlflow-artifacts:/{run.experiment_id}"
    assert lies(registry, f"runs:/{run.id}/a/model") == f"{root}/{run.id}/artifacts/a/model"
    assert lies(registry, f"models:/{logged.id}") == f"{root}/models/{logged.id}/artifacts"
    assert lies(registry, "models:/m/1") == f"{root}/{run.id}/artifacts/a/model"
    registry.set_alias("m", "champion", 2)
    assert lies(registry, "models:/m@champion") == logged.artifact_uri
    assert lies(registry, f"{root}/{run.id}/artifacts/x/") == f"{root}/{run.id}/artifacts/x"
    assert [each.version for each in registry.search_versions().items] == [5, 4, 3, 2, 1]


def test_run_and_logged_model_of_a_source_are_kept(
    tracker: Tracker, registry: ModelRegistry, run: Run
) -> None:
    """They are those that the source tells, unless the caller says otherwise."""
    registry.create_model("m")
    logged = tracker.create_logged_model(run.experiment_id, source_run_id=run.id)
    made = registry.create_version("m", f"models:/{logged.id}")
    assert (made.run_id, made.model_id, made.source) == (run.id, logged.id, f"models:/{logged.id}")
    copied = registry.create_version("m", "models:/m/1", run_id="other")
    assert (copied.run_id, copied.model_id) == ("other", logged.id)
    plain = registry.create_version("m", logged.artifact_uri, model_id=logged.id)
    assert plain.run_id == run.id


BAD = """
/etc
//proc/self/root
../../../etc
etc
~/x
.
C:/
C:\\Windows
\\\\host\\share
file:///etc/
file://HOST/../../../../../../../
file://./etc
file:/etc/passwd
file:///etc/../../
http://attacker/api/2.0/mlflow-artifacts/artifacts/
https://attacker/
http:///?/../../../../etc/
http:///#/../../../etc/
http:\\/\\/\\/#\\/..\\/..\\/etc\\/
ftp://host/x
dbfs:/RUN/artifacts/a%3f/../../../../
dbfs:/
s3://bucket/key
s3://user:password@bucket/key
unknown://x
mlflow-artifacts:/../etc
mlflow-artifacts:/1/%2e%2e/etc
mlflow-artifacts:/1/%252e%252e/etc
mlflow-artifacts:/1/a?/a
mlflow-artifacts:/1/a%3f
mlflow-artifacts:/1/a#b
mlflow-artifacts:/1/a;b
mlflow-artifacts:/1//etc
mlflow-artifacts:/1/./a
mlflow-artifacts:/1/a\\b
mlflow-artifacts://host/1/a
mlflow-artifacts://user@host:80/1/a
runs:/
runs:/RUN
runs:/RUN/
runs:/RUN/../../etc
runs:/RUN/%2e%2e/etc
runs:/RUN/%252e%252e/etc
runs:/RUN/%25252e%25252e/etc
runs:/RUN//etc/passwd
runs:/RUN/a/./b
runs:/RUN/a?b
runs:/RUN/a%3fb
runs:/RUN/a#b
runs:/RUN/a;b
runs:/RUN/a\\b
runs:/RUN/C:/x
runs:/RUN/file:/etc
runs:/RUN/~/x
runs://RUN/a
runs:///RUN/a
runs:/../RUN/a
runs:RUN/a
runs:/unknown/a
RUNS:/RUN/../a
models:/
models:/m
models:/m/0
models:/m/2
models:/m/1/../../../etc
models:/m/1?x
models:/m/-1
models:/m/Production
models:/m@
models:/m@unknown
models:/m@a@b
models:/..
models:/../m/1
models:///m/1
models:/m-00000000000000000000000000000000
models:m/1
""".strip("\n").split("\n")


ODD = ["", " ", "a\0b", "\ud800"]
ODD += [
    f"{place}/a{mark}b" for place in ("runs:/RUN", "mlflow-artifacts:/1") for mark in "\n\0\x01"
]


@pytest.mark.parametrize("bad", [*BAD, *ODD])
def test_every_bad_source_is_refused_and_leaves_nothing(
    registry: ModelRegistry, run: Run, bad: str
) -> None:
    """Nothing outside the roots is ever stored, in whatever way it is written."""
    registry.create_model("m")
    registry.create_version("m", f"runs:/{run.id}/model")
    with pytest.raises((InvalidRequest, NotFound, PermissionDenied)):
        registry.create_version("m", bad.replace("RUN", run.id))
    assert [each.version for each in registry.search_versions().items] == [1]


@pytest.mark.parametrize("bad", ["file:///etc/", "../../../etc", "prompt-template/../x"])
def test_the_tag_of_a_prompt_opens_no_way(registry: ModelRegistry, bad: str) -> None:
    """Of all sources only the placeholder of prompts is taken for one, and it leads nowhere."""
    registry.create_model("m")
    tags = {"mlflow.prompt.is_prompt": "true"}
    with pytest.raises(TrackstoreError):
        registry.create_version("m", bad, tags=tags)
    with pytest.raises(InvalidRequest):
        registry.create_version("m", "prompt-template")
    assert registry.create_version("m", "prompt-template", tags=tags).storage_location == ""
    with pytest.raises(InvalidRequest):
        registry.create_version("m", "models:/m/1")


def test_a_source_of_any_length_is_refused(registry: ModelRegistry) -> None:
    """Over 2,048 code points nothing is looked at."""
    registry.create_model("m")
    with pytest.raises(LimitExceeded):
        registry.create_version("m", "mlflow-artifacts:/" + "a" * 3_000)
