"""Every question of analytics/ runs, on an empty warehouse too, and says what Python says."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.analytics.conftest import QUESTIONS, Asked, Warehouse
from tests.analytics.figures import Row, plain
from tests.analytics.known_data import Known

# A count or a rate over nothing is still one row.
ONE_ROW = ("27", "35", "36", "40")
# Always one row a table.
EIGHT_ROWS = ("61",)


def rows_of(asked: Asked, question: str) -> list[Row]:
    rows = asked.rows(question)
    return [row[:-1] for row in rows] if question == "61_freshness" else rows


def answer_of(question: str) -> Callable[[Known], list[Row]]:
    """The function of the question's name in the module of its folder's name."""
    module = import_module(f"tests.analytics.answers.{QUESTIONS[question].parent.name}")
    answer: Callable[[Known], list[Row]] = getattr(module, question[3:])
    return answer


def expected(asked: Asked, question: str) -> list[Row]:
    return [plain(row) for row in answer_of(question)(asked.known)]


def test_there_are_at_least_fifty_questions_numbered_without_a_gap() -> None:
    assert len(QUESTIONS) >= 50
    numbers = sorted(int(name[:2]) for name in QUESTIONS)
    assert numbers == list(range(1, len(QUESTIONS) + 1))


@pytest.mark.parametrize("path", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_begins_with_a_title_a_reason_and_its_grain(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"-- [A-Z][^\n]+\?\n-- Why: [^\n]+\.\n-- Grain: [^\n]+\.\n\n(WITH|SELECT)\b", text)
    assert text.endswith(";\n")
    assert text.partition("\n\n")[2].count(";") == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_as_in_python(warehouse: Warehouse, question: str) -> None:
    assert rows_of(warehouse.full, question) == expected(warehouse.full, question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_to_an_empty_warehouse_is_answered(warehouse: Warehouse, question: str) -> None:
    """PITFALL 8: no division by zero, no error."""
    rows = rows_of(warehouse.empty, question)
    assert len(rows) == (1 if question[:2] in ONE_ROW else 8 if question[:2] in EIGHT_ROWS else 0)
    assert rows == expected(warehouse.empty, question)


@pytest.mark.parametrize("question", sorted(set(QUESTIONS) - {"52_ledger_and_level"}))
def test_the_known_rows_give_every_question_something_to_say(warehouse: Warehouse, question: str) -> None:
    """A comparison of nothing with nothing would prove nothing."""
    assert rows_of(warehouse.full, question)


def test_the_ledger_question_sees_a_level_that_is_wrong(warehouse: Warehouse) -> None:
    """It answers with nothing when all is well, so it is shown to fire."""
    shelf = "WHERE PRODUCT_ID = 107 AND WAREHOUSE_LOCATION = 'DIJON'"
    sql = QUESTIONS["52_ledger_and_level"].read_text(encoding="utf-8").rstrip(";\n")
    warehouse.query(f"UPDATE PRODUCTION.INVENTORY_CURRENT SET CURRENT_STOCK_LEVEL = 299 {shelf}")
    try:
        assert [tuple(row) for row in warehouse.query(sql)] == [(300, 299, 107, "DIJON")]
    finally:
        warehouse.query(f"UPDATE PRODUCTION.INVENTORY_CURRENT SET CURRENT_STOCK_LEVEL = 300 {shelf}")
