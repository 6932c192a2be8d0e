"""An analyst's BI tool: the JDBC driver, by key pair."""

from pathlib import Path

import pytest

from tests.clients.conftest import PASSPHRASE, Shop
from tests.clients.jdbc import driver
from tests.dashboard import shop as known
from tests.engines.engine import DATABASE
from tests.keys import key_pair


@pytest.fixture(scope="module")
def jdbc() -> None:
    """Skips where the driver cannot run, and says why."""
    try:
        driver.java()
        driver.jar()
    except driver.Unavailable as reason:
        pytest.skip(str(reason))


def test_analyst_reads_and_browses(jdbc: None, shop: Shop, tmp_path: Path) -> None:
    key = key_pair("analyst").write(tmp_path / "encrypted.p8", PASSPHRASE)
    analyst = shop.keyed(tmp_path, "analyst", private_key_file=key, private_key_passphrase=PASSPHRASE)
    who, sales, orders, catalogs, schemas, tables, columns, missing, hidden, raw = analyst.jdbc(
        "SELECT CURRENT_USER(), CURRENT_ROLE()",
        "SELECT ORDER_DATE, ORDER_COUNT, DAILY_REVENUE FROM ANALYTICS.DAILY_SALES ORDER BY ORDER_DATE",
        "SELECT ORDER_TIMESTAMP, SUM(TOTAL_AMOUNT) OVER () FROM PRODUCTION.ORDERS WHERE ORDER_ID = 'O0'",
        "catalogs",
        f"schemas {DATABASE}",
        f"tables {DATABASE} PRODUCTION",
        f"columns {DATABASE} PRODUCTION ORDERS",
        "SELECT * FROM PRODUCTION.NOWHERE",
        "SELECT * FROM RAW_DATA.RAW_EVENTS_STREAM",
        f"tables {DATABASE} RAW_DATA",
    )
    sold = known.orders()
    assert who.rows == (("CAVES_BI", "CAVES_ANALYST"),)
    assert sales.columns == ("ORDER_DATE DATE", "ORDER_COUNT NUMBER", "DAILY_REVENUE NUMBER")
    assert sum(int(count) for _, count, _ in sales.rows) == len(sold)
    ((moment, total),) = orders.rows
    assert moment == f"{sold[0].when:%Y-%m-%d %H:%M:%S}.000"
    assert total == str(sold[0].amount)
    assert (DATABASE,) in catalogs.rows
    assert {name for name, _ in schemas.rows} - {"INFORMATION_SCHEMA"} == {"ANALYTICS", "PRODUCTION"}
    assert {database for _, database in schemas.rows} == {DATABASE}
    assert [row[2] for row in tables.rows] == ["INVENTORY_CURRENT", "INVENTORY_HISTORY", "ORDERS"]
    assert [(row[3], row[5]) for row in columns.rows][:2] == [("ORDER_ID", "VARCHAR"), ("ORDER_DATE", "DATE")]
    assert "does not exist or not authorized" in missing.error
    assert "does not exist or not authorized" in hidden.error
    assert raw.rows == ()


def test_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(driver.Unavailable, match="there is no Java here"):
        driver.java()


def test_machine_without_the_driver_is_told_how_to_fetch_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(driver.Unavailable, match=r"`python -m tests.clients.jdbc.driver` fetches it"):
        driver.jar()
