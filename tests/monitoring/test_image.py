"""The image's description, as far as it can be checked where no container runs."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from tests.monitoring import stack
from tests.monitoring.stack import DOCKERFILE, INGEST, ROOT

PYPROJECT: Final = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT: Final[dict[str, Any]] = tomllib.loads(PYPROJECT)["project"]
FINAL: Final = stack.instructions()[[word for word, _ in stack.instructions()].index("FROM", 1) :]


def final(word: str) -> str:
    """The one such instruction of the final stage."""
    (rest,) = (rest for found, rest in FINAL if found == word)
    return rest


def copied() -> list[str]:
    """What is copied from the repository, not from another stage."""
    copies = [rest.split() for word, rest in stack.instructions() if word == "COPY" and "--from" not in rest]
    return [source for *sources, _ in copies for source in sources]


def names(requirements: str) -> set[str]:
    lines = (line.strip() for line in requirements.splitlines())
    return {re.split(r"[\[<>=]", line)[0] for line in lines if line and not line.startswith("#")}


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.prefix) / "bin/hadolint"
    done = subprocess.run(
        [str(hadolint), "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_both_stages_stand_on_one_pinned_python() -> None:
    # A virtual environment works only on the interpreter that it was made with.
    bases = [rest.split()[0] for word, rest in stack.instructions() if word == "FROM"]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])


def test_it_runs_caves_as_nobody_in_particular() -> None:
    user, _, group = final("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert json.loads(final("ENTRYPOINT")) == ["caves"]
    assert json.loads(final("CMD")) == ["ingest"]
    # After USER nothing can be installed any more.
    words = [word for word, _ in FINAL]
    assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :])


def test_the_final_stage_installs_nothing() -> None:
    runs = [json.loads(rest) for word, rest in FINAL if word == "RUN"]
    assert [run[:4] for run in runs] == [["python", "-m", "pip", "uninstall"]]


def test_what_is_copied_is_there_and_sent_to_the_builder() -> None:
    # PITFALLS 34.
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [pattern for pattern in patterns if pattern and not pattern.startswith("#")]
    # First nothing, so that a new file with a password in it stays out.
    assert patterns[0] == "*"
    sent = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    for source in copied():
        assert (ROOT / source).exists()
        assert source in sent or source.split("/")[0] in sent
    assert sent == {source.split("/")[0] for source in copied()}


def test_what_the_build_backend_asks_for_is_copied() -> None:
    asked = {PROJECT["readme"], "pyproject.toml", "LICENSE", "src", "ingest"}
    assert asked <= set(copied())


def test_requirements_are_those_of_the_project_and_pinned() -> None:
    needed = names((INGEST / "requirements.txt").read_text(encoding="utf-8"))
    assert needed <= names("\n".join(PROJECT["dependencies"]))
    assert needed <= names((ROOT / "constraints.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("service", ["producer", "ingestor"])
def test_version_and_place_are_the_same_wherever_they_are_named(service: str) -> None:
    described = stack.services()[service]
    assert described["image"] == f"caves-ingest:{PROJECT['version']}"
    assert f'org.opencontainers.image.version="{PROJECT["version"]}"' in final("LABEL")
    assert f'licenses="{PROJECT["license"]}"' in final("LABEL")
    context = (INGEST / described["build"]["context"]).resolve()
    assert context == ROOT
    assert context / described["build"]["dockerfile"] == DOCKERFILE


def test_the_port_is_the_one_that_is_served() -> None:
    assert final("EXPOSE") == stack.image_environment()["CAVES_METRICS_PORT"]
    assert "'/healthz'" in final("HEALTHCHECK")
