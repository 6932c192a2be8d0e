"""The user's guide, word for word: each SQL block runs through the real `snow sql`."""

import re
from pathlib import Path
from typing import Any

import pytest

from ingest.truth import Truth
from tests.pipeline.conftest import Pipeline

GUIDE = Path(__file__).parents[1] / "fixtures" / "guide-deploiement.fr.md"
BLOCKS: list[str] = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
# The guide is read from top to bottom in one worksheet, and its first block sets these.
WORKSHEET = "USE DATABASE CAVES_ALBERT_DB;\nUSE SCHEMA RAW_DATA;\n"

Rows = list[dict[str, Any]]


def answers(pipeline: Pipeline, words: str) -> list[Rows]:
    """The answers of the one block that holds these words, one for each of its statements."""
    (block,) = [block for block in BLOCKS if words in block]
    found: list[Rows] = pipeline.snow(WORKSHEET + block)[2:]
    return found


def test_the_guide_has_the_blocks_that_are_tested_here() -> None:
    assert len(BLOCKS) == 10


def test_step_2_raw_fills_with_70_percent_orders_and_30_percent_adjustments(
    pipeline: Pipeline, truth: Truth
) -> None:
    *_, count, sample, shares = answers(pipeline, "AS TOTAL_EVENTS")
    assert count == [{"TOTAL_EVENTS": truth.events_produced}]
    assert len(sample) == 10
    by_type = {row["EVENT_TYPE"]: row["COUNT"] for row in shares}
    assert sum(by_type.values()) == truth.events_produced
    assert by_type["ORDER_CREATED"] / truth.events_produced == pytest.approx(0.70, abs=0.03)
    assert by_type["INVENTORY_ADJUSTED"] / truth.events_produced == pytest.approx(0.30, abs=0.03)


def test_step_4_shows_four_tasks_started(pipeline: Pipeline, truth: Truth) -> None:
    (tasks,) = answers(pipeline, "SHOW TASKS IN DATABASE")
    assert {task["name"]: (task["state"], task["schedule"] or None) for task in tasks} == {
        "TASK_RAW_TO_STAGING_DISTRIBUTOR": ("started", "1 MINUTE"),
        "TASK_STAGING_TO_PROD_ORDERS": ("started", None),
        "TASK_STAGING_TO_PROD_INVENTORY_HISTORY": ("started", None),
        "TASK_STAGING_TO_PROD_INVENTORY_CURRENT": ("started", None),
    }


def test_step_5_shows_every_layer_in_proportion(pipeline: Pipeline, truth: Truth) -> None:
    (layers,) = answers(pipeline, "Vue d'ensemble")
    assert [(row["LAYER"], row["TABLE_NAME"], row["ROWS"]) for row in layers] == [
        ("PRODUCTION", "INVENTORY_CURRENT", len(truth.expected_stock)),
        ("PRODUCTION", "INVENTORY_HISTORY", truth.adjustments),
        ("PRODUCTION", "ORDERS", truth.orders),
        ("RAW", "RAW_EVENTS_STREAM", truth.events_produced),
        ("STAGING", "STG_INVENTORY_ADJUSTMENTS", truth.adjustments),
        ("STAGING", "STG_ORDERS", truth.order_events),
    ]
    assert 500 <= len(truth.expected_stock) <= 1000


def test_step_6_answers_the_three_analytic_questions(pipeline: Pipeline, truth: Truth) -> None:
    best, stock, days = answers(pipeline, "Top 10 des vins")
    revenues = [float(row["TOTAL_REVENUE"]) for row in best]
    assert len(best) == 10
    assert revenues == sorted(revenues, reverse=True)
    assert {row["PRODUCT_CATEGORY"] for row in stock} == {
        "Rouge",
        "Blanc",
        "Rosé",
        "Effervescent",
        "Spiritueux",
    }
    assert sum(int(row["TOTAL_STOCK"]) for row in stock) == sum(truth.expected_stock.values())
    assert 7 <= len(days) <= 8
    assert [row["ORDER_DATE"] for row in days] == sorted((row["ORDER_DATE"] for row in days), reverse=True)


def test_the_task_history_has_durations_and_no_error(pipeline: Pipeline, truth: Truth) -> None:
    (runs,) = answers(pipeline, "AS TASK_NAME")
    assert runs
    finished = [row for row in runs if row["STATE"] == "SUCCEEDED"]
    assert all(row["DURATION_SECONDS"] >= 0 for row in finished)
    assert not [row for row in runs if row["STATE"] == "FAILED"]


def test_the_streams_say_what_waits(pipeline: Pipeline, truth: Truth) -> None:
    (streams,) = answers(pipeline, "AS PENDING_ROWS")
    # The guide asks for no order.
    assert sorted((row["STREAM_NAME"], row["HAS_DATA"], row["PENDING_ROWS"]) for row in streams) == [
        ("STREAM_RAW_EVENTS", False, 0),
        ("STREAM_STG_ORDERS", False, 0),
    ]


def test_the_quick_fix_runs_the_tasks_by_hand(pipeline: Pipeline, truth: Truth) -> None:
    started, waited, count = answers(pipeline, "SYSTEM$WAIT")
    assert "scheduled to run immediately" in started[0]["status"]
    assert "waited 5 seconds" in str(next(iter(waited[0].values())))
    assert list(count[0].values()) == [truth.order_events]


def test_the_warehouse_is_resumed_and_shown(pipeline: Pipeline) -> None:
    _, warehouses = answers(pipeline, "ALTER WAREHOUSE COMPUTE_WH RESUME")
    assert [(row["name"], row["state"]) for row in warehouses] == [("COMPUTE_WH", "STARTED")]


def test_the_view_is_created_and_sums_to_the_cent(pipeline: Pipeline, truth: Truth) -> None:
    (created,) = answers(pipeline, "ANALYTICS.DAILY_SALES")
    assert "DAILY_SALES" in created[0]["status"]
    with pipeline.target.open() as session, session.cursor() as cursor:
        cursor.execute("SELECT SUM(DAILY_REVENUE) * 100 FROM ANALYTICS.DAILY_SALES")
        assert [int(row[0]) for row in cursor.fetchall()] == [truth.expected_revenue_cents]


def test_the_stock_alert_lists_what_runs_out(pipeline: Pipeline, truth: Truth) -> None:
    (alerts,) = answers(pipeline, "Stock critique")
    levels = [row["CURRENT_STOCK_LEVEL"] for row in alerts]
    assert len(levels) == len([stock for stock in truth.expected_stock.values() if stock < 10])
    assert levels == sorted(levels)
