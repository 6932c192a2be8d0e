"""An analyst's notebook: SQLAlchemy and pandas, by key pair."""

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from tests.clients.clients import Client
from tests.clients.conftest import Shop
from tests.dashboard import shop as known

ORDERS = known.orders()


@pytest.fixture
def connection(analyst: Client) -> Iterator[sa.Connection]:
    engine = analyst.sqlalchemy()
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_analyst_is_who_the_key_says(connection: sa.Connection) -> None:
    question = sa.text("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()")
    assert connection.execute(question).one() == ("CAVES_BI", "CAVES_ANALYST", "COMPUTE_WH")


def test_a_view_of_analytics_becomes_a_frame(analyst: Client, shop: Shop) -> None:
    frame = analyst.frame("SELECT * FROM ANALYTICS.DAILY_SALES ORDER BY ORDER_DATE")
    rows = shop.engine.session.table("ANALYTICS.DAILY_SALES").count()
    assert (len(frame), list(frame.columns[:2])) == (rows, ["order_date", "order_count"])
    assert frame["order_count"].sum() == len(ORDERS)


def test_a_question_takes_values(analyst: Client) -> None:
    question = (
        "SELECT COUNT(*) AS N, SUM(TOTAL_AMOUNT) AS TOTAL FROM PRODUCTION.ORDERS WHERE SALES_CHANNEL = :c"
    )
    frame = analyst.frame(question, c="WEB")
    assert frame.loc[0, "n"] == sum(order.channel == "WEB" for order in ORDERS)


def test_money_is_exact_to_the_cent(connection: sa.Connection) -> None:
    orders = sa.Table("orders", sa.MetaData(), schema="production", autoload_with=connection)
    (total,) = connection.execute(sa.select(sa.func.sum(orders.c.total_amount))).one()
    assert isinstance(total, Decimal)
    assert total == sum(order.amount for order in ORDERS)


def test_a_whole_table_becomes_a_frame(connection: sa.Connection) -> None:
    frame = pd.read_sql_table("orders", connection, schema="production")
    assert len(frame) == len(ORDERS)
    assert str(frame["order_timestamp"].dtype).startswith("datetime64")


def test_the_navigator_shows_schemas_tables_views_and_columns(connection: sa.Connection) -> None:
    inspector = sa.inspect(connection)
    schemas = set(inspector.get_schema_names()) - {"information_schema"}
    assert schemas == {"analytics", "production"}, "not those that the analyst has nothing to do with"
    assert inspector.get_table_names(schema="production") == [
        *("inventory_current", "inventory_history", "orders"),
    ]
    assert "daily_sales" in inspector.get_view_names(schema="analytics")
    columns = {column["name"]: column for column in inspector.get_columns("orders", schema="production")}
    assert not columns["order_id"]["nullable"]
    assert isinstance(columns["total_amount"]["type"], sa.Numeric)
    assert inspector.has_table("orders", schema="production")
    assert not inspector.has_table("nowhere", schema="production")


def test_what_is_not_there_is_told_as_snowflake_does(analyst: Client) -> None:
    with pytest.raises(DatabaseError, match="does not exist or not authorized"):
        analyst.frame("SELECT * FROM PRODUCTION.NOWHERE")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM RAW_DATA.RAW_EVENTS_STREAM",
        "SELECT * FROM STAGING.REJECTED_EVENTS",
        "SELECT * FROM OPS.ALERT_LOG",
        "INSERT INTO PRODUCTION.ORDERS (ORDER_ID) VALUES ('X')",
        "UPDATE PRODUCTION.ORDERS SET QUANTITY = 0",
        "DELETE FROM PRODUCTION.ORDERS",
        "CREATE TABLE ANALYTICS.MINE (A INT)",
        "DROP VIEW ANALYTICS.DAILY_SALES",
        "USE ROLE CAVES_ADMIN",
        "ALTER USER CAVES_BI SET RSA_PUBLIC_KEY = ''",
        "CREATE USER ANOTHER",
    ],
)
def test_the_analyst_may_do_nothing_else(connection: sa.Connection, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"not authorized|Insufficient privileges|is not assigned"):
        connection.execute(sa.text(statement))
