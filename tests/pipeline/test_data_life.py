"""Old data goes and a customer is erased on a deployed pipeline, by roles that may do no more than that."""

import io
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from snowflake.connector import ProgrammingError, SnowflakeConnection

from caves_cli import main, verification
from caves_snowpark import names
from tests.pipeline.conftest import ROOT, Pipeline, start, wait_until

FIGURES = (
    f"SELECT COUNT(*), SUM(TOTAL_AMOUNT), COUNT(DISTINCT CUSTOMER_ID) FROM {names.ORDERS}",
    f"SELECT PRODUCT_ID, CURRENT_STOCK_LEVEL FROM {names.INVENTORY_CURRENT} ORDER BY 1, WAREHOUSE_LOCATION",
    f"SELECT COUNT(*), SUM(QUANTITY_CHANGE) FROM {names.INVENTORY_HISTORY}",
)
# The same bytes each time.
SENT: dict[str, Any] = {
    "start": datetime(2026, 1, 5, tzinfo=UTC),
    "duplicate_share": 0.05,
    "correction_share": 0.05,
    "bad_share": 0.02,
}
WRITTEN = {
    names.RAW_EVENTS: "INGESTION_TIME",
    names.STG_ORDERS: "STAGED_AT",
    names.STG_INVENTORY_ADJUSTMENTS: "STAGED_AT",
    names.DUPLICATE_EVENTS: "DETECTED_AT",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """300 events that have flowed through and were all loaded long ago; its tasks run every second."""
    for running in start(tmp_path_factory, "life", minute_seconds=1):
        running.produce(300, **SENT)
        running.ingest()
        running.drain()
        with running.target.open() as session:
            for table, column in WRITTEN.items():
                rows(session, f"UPDATE {table} SET {column} = DATEADD('day', -200, {column})")
        running.snow(sql("purge"))
        yield running


@pytest.fixture
def session(pipeline: Pipeline) -> Iterator[SnowflakeConnection]:
    with pipeline.target.open() as opened:
        yield opened


def sql(name: str) -> str:
    """A file of deploy/optional, as `snow sql -f` would read it."""
    text = (ROOT / "deploy" / "optional" / f"{name}.sql").read_text(encoding="utf-8")
    values = {"CAVES_DATABASE": names.DEFAULT_DATABASE, "CAVES_WAREHOUSE": names.DEFAULT_WAREHOUSE}
    for variable, value in (values | {"CAVES_ROLES": names.DEFAULT_ROLES}).items():
        text = text.replace(f"<% ctx.env.{variable} %>", value)
    return text


def rows(session: SnowflakeConnection, statement: str) -> list[Any]:
    with session.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def figures(session: SnowflakeConnection) -> list[list[Any]]:
    return [rows(session, statement) for statement in FIGURES]


def broken(session: SnowflakeConnection) -> list[str]:
    return [verdict.invariant.name for verdict in verification.verify(session) if not verdict.holds]


def test_the_task_purges_all_that_is_old_and_the_same_events_sent_again_are_all_known(
    pipeline: Pipeline, session: SnowflakeConnection
) -> None:
    before = figures(session)
    loaded = rows(session, f"SELECT COUNT(*) FROM {names.RAW_EVENTS}")
    rows(session, f"EXECUTE TASK {names.PURGE_TASK}")
    history = "TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'TASK_PURGE_EXPIRED'))"
    ended = f"SELECT STATE, ERROR_MESSAGE FROM {history} WHERE STATE IN ('SUCCEEDED', 'FAILED')"
    wait_until(lambda: bool(rows(session, ended)))
    assert rows(session, ended)[0] == ("SUCCEEDED", None)
    assert rows(session, f"SELECT SUM(PURGED_ROWS) FROM {names.PURGED_OFFSETS}") == loaded
    assert rows(session, f"SELECT COUNT(*) FROM {names.STG_ORDERS}") == [(0,)]
    assert broken(session) == []

    pipeline.produce(300, **SENT)
    pipeline.ingest()
    pipeline.drain()
    assert figures(session) == before
    assert broken(session) == []
    rows(session, f"EXECUTE ALERT {names.ALERT_BROKEN_INVARIANTS}")
    alerts = "TABLE(INFORMATION_SCHEMA.ALERT_HISTORY(ALERT_NAME => 'ALERT_BROKEN_INVARIANTS'))"
    looked = f"SELECT 1 FROM {alerts} WHERE STATE LIKE 'CONDITION%' OR STATE = 'TRIGGERED'"
    wait_until(lambda: bool(rows(session, looked)))
    assert rows(session, f"SELECT * FROM {names.OPEN_ALERTS} WHERE ALERT_NAME = 'BROKEN_INVARIANTS'") == []


@pytest.fixture
def caves(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`caves ARGUMENTS`: its exit code and what it said."""
    monkeypatch.setenv("CAVES_CONFIG_FILE", str(pipeline.folder.config_file))

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["caves", *arguments])
        with pytest.raises(SystemExit) as stop:
            main.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out + captured.err

    return run


def test_caves_erase_shows_what_it_will_touch_asks_and_erases(
    session: SnowflakeConnection, caves: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = figures(session)
    most = f"SELECT CUSTOMER_ID, COUNT(*) FROM {names.ORDERS} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    [(customer, orders)] = rows(session, most)
    of_customer = f"SELECT COUNT(*) FROM {names.ORDERS} WHERE CUSTOMER_ID = {customer}"

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, said = caves("erase", str(customer))
    assert code != 0
    assert names.ORDERS in said
    assert "cannot be undone" in said
    assert rows(session, of_customer) == [(orders,)]

    code, said = caves("erase", str(customer), "--yes")
    assert code == 0, said
    assert rows(session, of_customer) == [(0,)]
    assert figures(session) == before
    assert broken(session) == []

    code, said = caves("erase", "999999999999", "--yes")
    assert code != 0
    assert "Nothing was found of customer 999999999999" in " ".join(said.split())


def test_an_operator_purges_but_neither_erases_nor_reads_the_key(session: SnowflakeConnection) -> None:
    rows(session, f"USE ROLE {names.DEFAULT_ROLES}_OPERATOR")
    assert rows(session, f"CALL {names.PURGE_EXPIRED}('{{\"logs\": 9999}}')")
    assert rows(session, f"SELECT COUNT(*) FROM {names.RETENTION}")
    for refused in (f"SELECT HASH_KEY FROM {names.ERASURE_KEY}", f"CALL {names.ERASE_CUSTOMER}(1)"):
        with pytest.raises(ProgrammingError, match=r"not authorized|Unknown (user-defined )?function"):
            rows(session, refused)
