"""snowflake.yml against names.py, the handlers and the real snow CLI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from caves_cli.snow import ENVIRONMENT
from caves_snowpark import names

ROOT = Path(__file__).parents[2]
DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "snowflake.yml").read_text(encoding="utf-8"))
ENTITIES: dict[str, Any] = {
    name: entity for name, entity in DEFINITION["entities"].items() if entity["type"] == "procedure"
}


def test_it_defines_the_procedures_of_names() -> None:
    found = [
        f"{entity['identifier']['schema']}.{entity['identifier']['name']}" for entity in ENTITIES.values()
    ]
    assert sorted(found) == sorted(names.PROCEDURES)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_procedure_is_the_main_of_the_file_of_its_name(entity: str) -> None:
    assert ENTITIES[entity]["handler"] == f"{entity}.main"
    assert "def main(session: Session" in (ROOT / "procedures" / f"{entity}.py").read_text(encoding="utf-8")


def test_every_handler_is_deployed() -> None:
    assert sorted(path.stem for path in (ROOT / "procedures").glob("*.py")) == sorted(ENTITIES)


def test_the_defaults_are_those_of_names() -> None:
    assert {
        "CAVES_DATABASE": names.DEFAULT_DATABASE,
        "CAVES_WAREHOUSE": names.DEFAULT_WAREHOUSE,
        "CAVES_ROLES": names.DEFAULT_ROLES,
    }.items() <= DEFINITION["env"].items()


def test_every_variable_is_a_text_since_a_template_can_hold_nothing_else() -> None:
    assert {type(value) for value in DEFINITION["env"].values()} == {str}


def test_snowpark_is_among_the_packages() -> None:
    packages = (ROOT / "requirements.snowflake.txt").read_text(encoding="utf-8").split()
    assert packages == ["snowflake-snowpark-python"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clean clone has of the things that a build looks at."""
    for name in ("snowflake.yml", "pyproject.toml", "requirements.txt", "requirements.snowflake.txt"):
        shutil.copy(ROOT / name, tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "*.zip")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignore)
    shutil.copytree(ROOT / "procedures", tmp_path / "procedures", ignore=ignore)
    (tmp_path / "config.toml").write_text('[connections.local]\naccount = "none"\n')
    (tmp_path / "config.toml").chmod(0o600)
    return tmp_path


def test_a_build_packs_the_library_and_the_handlers_and_leaves_the_sources_alone(checkout: Path) -> None:
    before = {path for path in checkout.rglob("*") if path.is_file()}
    subprocess.run(
        [
            *(Path(sys.executable).parent / "snow", "--config-file", checkout / "config.toml"),
            *("snowpark", "build", "--ignore-anaconda", "-c", "local"),
        ],
        cwd=checkout,
        env={**os.environ, **ENVIRONMENT},
        check=True,
        capture_output=True,
    )
    bundle = checkout / "output" / "bundle" / "snowpark" / "lib"
    library = sorted(path.name for path in (ROOT / "src" / "caves_snowpark").glob("*.py"))
    assert sorted(ZipFile(bundle / "caves_snowpark.zip").namelist()) == [
        f"caves_snowpark/{n}" for n in library
    ]
    assert sorted(ZipFile(bundle / "procedures.zip").namelist()) == sorted(
        f"{entity}.py" for entity in ENTITIES
    )
    added = {path for path in checkout.rglob("*") if path.is_file()} - before
    assert {path.relative_to(checkout).parts[0] for path in added} <= {"output", "logs"}
