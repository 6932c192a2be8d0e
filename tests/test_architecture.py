"""Arrows that must never exist. They are read from the source, so an import inside a function counts too."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from caves_snowpark import names

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "caves_snowpark": ROOT / "src" / "caves_snowpark",
    "snowcellar": ROOT / "src" / "snowcellar",
    "caves_cli": ROOT / "src" / "caves_cli",
    "ingest": ROOT / "ingest",
    "procedures": ROOT / "procedures",
    "dashboard": ROOT / "dashboard",
}
# Which of our own packages each may use, besides itself.
ARROWS = {
    "caves_snowpark": set[str](),
    "snowcellar": set[str](),
    "procedures": {"caves_snowpark"},
    "ingest": {"caves_snowpark"},
    "caves_cli": {"caves_snowpark", "ingest", "dashboard"},
    "dashboard": {"caves_snowpark"},
}
# What is uploaded into Snowflake finds only these there.
UPLOADED = ("caves_snowpark", "procedures")


def imported_modules(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def wrong_arrows(package: str, source: str) -> list[str]:
    ours = FOLDERS.keys() - {package} - ARROWS[package]
    return [module for module in imported_modules(source) if module.partition(".")[0] in ours]


def foreign_imports(package: str, source: str) -> list[str]:
    known = {*sys.stdlib_module_names, package, *ARROWS[package]}
    return [
        module
        for module in imported_modules(source)
        if module.partition(".")[0] not in known and not f"{module}.".startswith("snowflake.snowpark.")
    ]


# Watchers know the ingestor; it knows only `ingest.observer`, so that no watcher can steer or break it.
WATCHERS = {"metrics", "health", "endpoints", "logs", "event_log"}


def watchers_known_to(source: str) -> list[str]:
    return [
        module
        for module in imported_modules(source)
        if module.partition(".")[0] == "prometheus_client"
        or (module.startswith("ingest.") and module.split(".")[1] in WATCHERS)
    ]


def sources(package: str) -> list[Path]:
    return sorted(FOLDERS[package].rglob("*.py"))


@pytest.mark.parametrize("package", FOLDERS)
def test_every_package_has_files_to_look_at(package: str) -> None:
    assert sources(package)


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_point_one_way(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): arrows
        for path in sources(package)
        if (arrows := wrong_arrows(package, path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize("package", UPLOADED)
def test_what_is_uploaded_imports_only_snowpark_and_the_standard_library(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): foreign
        for path in sources(package)
        if (foreign := foreign_imports(package, path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_ingestor_knows_nothing_of_who_watches_it() -> None:
    names = {path.stem for path in sources("ingest")}
    assert names >= WATCHERS
    found = {
        path.name: known
        for path in sources("ingest")
        if path.stem not in WATCHERS and (known := watchers_known_to(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source", ["from ingest.metrics import IngestMetrics", "import prometheus_client", "import ingest.logs"]
)
def test_an_arrow_to_a_watcher_is_seen(source: str) -> None:
    assert watchers_known_to(source)


def names_of_ours(source: str) -> set[str]:
    """The words of a source that name this project, or what it keeps in a database."""
    values = [value for value in vars(names).values() if isinstance(value, str)]
    # A new account of Snowflake's has that warehouse.
    ours = {part for value in values for part in value.split(".") if "_" in part} - {"COMPUTE_WH"}
    words = set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", source))
    return (words & ours) | set(re.findall(r"\b\w*caves\w*\b", source, re.IGNORECASE))


def test_the_local_warehouse_knows_nothing_of_ours() -> None:
    """Other teams use it for other projects."""
    found = {
        str(path.relative_to(ROOT)): known
        for path in sources("snowcellar")
        if (known := names_of_ours(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize("source", ["SELECT * FROM INVENTORY_HISTORY", "user = 'CAVES'", "caves_db"])
def test_a_name_of_ours_is_seen(source: str) -> None:
    assert names_of_ours(source)


def test_procedures_and_library_do_not_ask_where_they_run() -> None:
    """One code for all engines: no `if local` in the transforms."""
    words = ("snowcellar", "duckdb", "fakesnow", "local_testing")
    for package in UPLOADED:
        for path in sources(package):
            names = {
                node.id.lower()
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Name)
            }
            assert not names.intersection(words), path


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("snowcellar", "from caves_snowpark import names"),
        ("caves_snowpark", "def f():\n    import ingest.settings"),
        ("ingest", "import caves_cli"),
        ("procedures", "from ingest.truth import Truth"),
    ],
)
def test_a_wrong_arrow_is_seen(package: str, source: str) -> None:
    assert wrong_arrows(package, source)


@pytest.mark.parametrize(
    "source",
    ["import pandas", "import snowflake.connector", "from snowflake.cli import api", "import snowflake"],
)
def test_a_foreign_import_is_seen(source: str) -> None:
    assert foreign_imports("caves_snowpark", source)
