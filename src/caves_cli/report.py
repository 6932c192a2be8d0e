"""What a demo came to: the figures, what was expected of them, and the JSON of both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from snowflake.connector import SnowflakeConnection

from caves_cli import guide, overview, statements, verification
from caves_cli.guide import Query
from caves_cli.overview import TaskRun
from caves_cli.statements import ProcedureCost
from caves_cli.verification import Verdict
from caves_snowpark.invariants import Invariant
from ingest.truth import Truth


@dataclass(frozen=True)
class Answer:
    """One of the guide's queries and its rows."""

    query: Query
    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Mismatch:
    """A figure that is not what the producer says it must be."""

    what: str
    expected: int
    actual: int


@dataclass(frozen=True)
class Findings:
    """Everything that is read from the warehouse at the end."""

    rows: dict[str, int]
    revenue_cents: int
    stock: dict[tuple[int, str], int]
    rejected_by_reason: dict[str, int]
    answers: list[Answer]
    runs: list[TaskRun]
    costs: list[ProcedureCost]
    verdicts: list[Verdict]


@dataclass(frozen=True)
class Report:
    """The demo, finished."""

    truth: Truth
    findings: Findings
    seconds: dict[str, float]
    memory_bytes: dict[str, int] = field(default_factory=dict)

    @property
    def mismatches(self) -> list[Mismatch]:
        truth, rows = self.truth, self.findings.rows
        pairs = {
            "raw": (truth.events_produced, rows["raw"]),
            "stg_orders": (truth.order_events, rows["stg_orders"]),
            "stg_inventory_adjustments": (truth.adjustments, rows["stg_inventory_adjustments"]),
            "rejected": (truth.rejected, rows["rejected"]),
            "duplicates": (truth.duplicates, rows["duplicates"]),
            "orders": (truth.orders, rows["orders"]),
            "inventory_history": (truth.adjustments, rows["inventory_history"]),
            "inventory_current": (len(truth.expected_stock), rows["inventory_current"]),
            "revenue_cents": (truth.expected_revenue_cents, self.findings.revenue_cents),
        }
        keys = sorted({*truth.expected_stock, *self.findings.stock})
        for product, place in keys:
            expected = truth.expected_stock.get((product, place), 0)
            pairs[f"stock of {product} in {place}"] = (expected, self.findings.stock.get((product, place), 0))
        return [Mismatch(what, *pair) for what, pair in pairs.items() if pair[0] != pair[1]]

    @property
    def holds(self) -> bool:
        return not self.mismatches and all(verdict.holds for verdict in self.findings.verdicts)

    def as_json(self) -> dict[str, Any]:
        findings = self.findings
        return {
            "events_produced": self.truth.events_produced,
            **findings.rows,
            "revenue_cents": findings.revenue_cents,
            "expected_revenue_cents": self.truth.expected_revenue_cents,
            "accounted_for": not self.mismatches,
            "mismatches": [vars(mismatch) for mismatch in self.mismatches],
            "invariants": {verdict.invariant.name: verdict.holds for verdict in findings.verdicts},
            "rejected_by_reason": findings.rejected_by_reason,
            "seconds": {stage: round(spent, 2) for stage, spent in self.seconds.items()},
            "tasks": task_summary(findings.runs),
            "statements": {cost.procedure: cost.as_json() for cost in findings.costs},
            "memory_bytes": {**self.memory_bytes, "total": sum(self.memory_bytes.values())},
        }


def read(connection: SnowflakeConnection, begin: Callable[[Invariant], None] = lambda _: None) -> Findings:
    """Ask the warehouse everything that the report shows; `begin` is told of each invariant."""
    return Findings(
        rows=overview.rows_by_layer(connection),
        revenue_cents=_revenue_cents(connection),
        stock=_stock(connection),
        rejected_by_reason=overview.rejected_by_reason(connection),
        answers=[_answer(connection, query) for query in guide.queries()],
        runs=overview.task_runs(connection, limit=1000, skipped_too=True),
        costs=statements.procedure_costs(connection),
        verdicts=verification.verify(connection, begin),
    )


def task_summary(runs: list[TaskRun]) -> dict[str, dict[str, int]]:
    """How often each task ran, by how it ended."""
    summary: dict[str, dict[str, int]] = {}
    for run in runs:
        states = summary.setdefault(run.name, {})
        states[run.state] = states.get(run.state, 0) + 1
    return dict(sorted(summary.items()))


def _answer(connection: SnowflakeConnection, query: Query) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(query.sql)
        rows = [tuple(row) for row in cursor.fetchall()]
        return Answer(query, [column.name for column in cursor.description], rows)


def _revenue_cents(connection: SnowflakeConnection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(SUM(TOTAL_AMOUNT), 0) FROM PRODUCTION.ORDERS")
        rows = cursor.fetchall()
    return int(Decimal(rows[0][0]) * 100)


def _stock(connection: SnowflakeConnection) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT PRODUCT_ID, WAREHOUSE_LOCATION, CURRENT_STOCK_LEVEL FROM PRODUCTION.INVENTORY_CURRENT"
        )
        return {(int(product), str(place)): int(stock) for product, place, stock in cursor.fetchall()}
