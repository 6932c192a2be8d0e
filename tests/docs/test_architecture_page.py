"""The diagrams of docs/architecture.md against deploy/ and procedures/."""

import re
from typing import Final

import pytest

from caves_snowpark import names
from caves_snowpark.staging import PLACES
from tests import test_architecture
from tests.docs import sql
from tests.docs.pages import ROOT, blocks, table_rows

PAGE: Final = ROOT / "docs" / "architecture.md"
README: Final = ROOT / "README.md"
FLOW, GRAPH, BATCH, STEP = (block.text for block in blocks(PAGE) if block.language == "mermaid")
# A --> B and A -->|label| B; what follows a name is its shape.
_ARROW: Final = re.compile(r"^\s*(\w+)\S*?(?:\([^\n]*?\))? -->(?:\|(.*?)\|)? (\w+)", re.MULTILINE)
_UPPER: Final = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bORDERS\b")


def short(name: str) -> str:
    return name.partition(".")[2]


def arrows(diagram: str) -> set[tuple[str, str, str]]:
    return {(start, label, end) for start, label, end in _ARROW.findall(diagram)}


def test_the_streams_of_the_diagram_lead_from_their_tables_to_their_procedures() -> None:
    tables = {stream.name: stream.table for stream in sql.streams()}
    expected = {
        (short(tables[stream]), short(stream), short(task.calls))
        for task in sql.tasks()
        # The root watches every stream, and reads that of the raw events.
        for stream in (task.watches if task.after else (names.STREAM_RAW_EVENTS,))
    }
    assert {arrow for arrow in arrows(FLOW) if arrow[1]} == expected


@pytest.mark.parametrize("procedure", [short(task.calls) for task in sql.tasks()])
def test_a_procedure_of_the_diagram_writes_the_tables_that_its_code_writes(procedure: str) -> None:
    code = (ROOT / "procedures" / f"{procedure.lower()}.py").read_text(encoding="utf-8")
    written = {
        short(getattr(names, name))
        for name in re.findall(r"\b(?:insert|merge_versions)\((?:[^()]|\([^()]*\))*?names\.(\w+)", code)
    }
    if "insert_each(" in code:
        written |= {short(table) for table in PLACES}
    if "merge_stock(" in code:
        written.add(short(names.INVENTORY_CURRENT))
    assert {end for start, _, end in arrows(FLOW) if start == procedure} == written


def test_the_task_graph_of_the_diagram_is_that_of_deploy() -> None:
    tasks = sql.tasks()
    assert arrows(GRAPH) == {(short(after), "", short(task.name)) for task in tasks for after in task.after}
    for task in tasks:
        (label,) = re.findall(rf'^ *{short(task.name)}\["(.*)"\]', GRAPH, re.MULTILINE)
        assert label.endswith(short(task.calls))
        assert (task.schedule in label) if task.schedule else "MINUTE" not in label


@pytest.mark.parametrize(
    "diagram", [FLOW, GRAPH, BATCH, STEP, *(b.text for b in blocks(README) if b.language == "mermaid")]
)
def test_a_diagram_names_only_what_there_is(diagram: str) -> None:
    known = (*names.TABLES, *names.STREAMS, *names.TASKS, *names.PROCEDURES, *names.STAGES)
    known_words = {short(name) for name in known} | {"NEXT_OFFSET", "TASK_HISTORY"}
    found = set(_UPPER.findall(diagram))
    assert found
    assert found <= known_words


def test_the_folders_may_use_what_the_page_says() -> None:
    told = {
        row[0].removeprefix("src/"): set(
            re.findall(r"\b(?:caves_snowpark|ingest|dashboard|snowcellar|caves_cli)\b", row[2])
        )
        for row in table_rows(PAGE)
        if row[0].removeprefix("src/") in test_architecture.ARROWS
    }
    assert told == test_architecture.ARROWS
