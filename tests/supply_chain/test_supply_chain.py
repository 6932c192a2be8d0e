"""What we depend on: pinned, hashed, with a reason and a licence; and the workflows that rely on it."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.supply_chain import licences

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"


def pins(file: str) -> list[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+==[^\s\\]+)", text, re.MULTILINE)


def direct() -> set[str]:
    listed = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    return {Requirement(text).name for text in listed}


def test_every_direct_dependency_is_pinned() -> None:
    assert direct() <= {pin.partition("==")[0] for pin in pins("constraints.txt")}


def test_the_hashed_versions_are_the_pinned_ones() -> None:
    # uv is installed before anything else, to install; it is no part of the environment.
    assert set(pins("constraints-hashed.txt")) == {
        pin for pin in pins("constraints.txt") if not pin.startswith("uv==")
    }, "make lock"
    text = (ROOT / "constraints-hashed.txt").read_text(encoding="utf-8")
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\w)", text.strip()))


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-hashed.txt", ".ci/audit-tools.txt"])
def test_no_list_of_versions_names_a_place_to_get_them_from(file: str) -> None:
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", (ROOT / file).read_text("utf-8"))


def test_every_direct_dependency_has_its_reason_and_no_other() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][\w., -]*) \| (.+) \|$", page, re.MULTILINE)
    told = {name for names, reason in rows if reason.strip() != "why" for name in names.split(", ")}
    assert told == direct()


def test_the_licence_page_is_what_is_installed_and_all_of_it_may_be_used() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "make licences"
    assert [package.name for package in licences.packages() if not package.allowed] == []


def test_a_licence_that_does_not_go_with_ours_is_refused_for_what_runs_and_not_for_a_tool() -> None:
    assert not licences.Package("a", "1", "GPL-3.0", runs_with_us=True).allowed
    assert not licences.Package("a", "1", "", runs_with_us=False).allowed
    assert licences.Package("a", "1", "GPL-3.0", runs_with_us=False).allowed
    assert licences.Package("a", "1", "BSD License", runs_with_us=True).allowed


def test_the_workflows_keep_to_githubs_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_are_sound() -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("actionlint is run by Go, which is not on this machine")
    done = subprocess.run(
        [go, "run", ACTIONLINT, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False
    )
    if "dial tcp" in done.stderr or "module lookup disabled" in done.stderr:
        pytest.skip("actionlint cannot be fetched: the Go proxy is not reached")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_workflows_run_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    targets = set(re.findall(r"make ([a-z-]+)", text))
    assert targets >= {"install-locked", "audit", "licences", "sbom"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "password" not in text.lower().replace("no password exists", "")
