"""snowflake-sqlalchemy with pandas, as a notebook writes: tests/clients/test_sqlalchemy.py reads."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa
from snowflake.connector.pandas_tools import pd_writer
from snowflake.sqlalchemy import URL

from tests.warehouse.conftest import Server


@pytest.fixture(scope="module")
def engine(shared_server: Server) -> Iterator[sa.Engine]:
    warehouse = shared_server.warehouse
    warehouse.open_session().execute("CREATE DATABASE NOTEBOOK")
    place = {"host": shared_server.host, "port": shared_server.port, "protocol": "http"}
    who = {"account": warehouse.account, "user": "LOCAL", "password": warehouse.password}
    opened = sa.create_engine(URL(**who, **place, database="NOTEBOOK", schema="PUBLIC"))
    yield opened
    opened.dispose()


def test_frames_become_tables_and_come_back(engine: sa.Engine) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "d": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    with engine.begin() as connection:
        frame.to_sql("plain", connection, index=False)
        frame.to_sql("plain", connection, index=False, if_exists="append", method="multi")
        back = pd.read_sql("SELECT * FROM plain ORDER BY a, b", connection)
        assert (list(back.columns), len(back)) == (["a", "b", "d"], 4)
        assert back["d"].iloc[3] == pd.Timestamp("2024-01-02")
        upper = frame.rename(columns=str.upper)
        for _ in range(2):
            upper.to_sql("bulk", connection, index=False, if_exists="replace", method=pd_writer)
        assert len(pd.read_sql_table("bulk", connection)) == 2


def test_tables_are_made_written_asked_and_dropped(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    wines = sa.Table(
        "wines",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(20), comment="of the label"),
        sa.Column("price", sa.Numeric(10, 2)),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        given = [{"name": "Gamay", "price": 9.5}, {"name": "Syrah", "price": 12}]
        assert connection.execute(sa.insert(wines), given).rowcount == 2
        changed = connection.execute(sa.update(wines).where(wines.c.name == "Gamay").values(price=10))
        assert changed.rowcount == 1
        found = connection.execute(sa.select(wines).order_by(wines.c.id))
        assert [tuple(row) for row in found] == [
            (1, "Gamay", Decimal("10.00")), (2, "Syrah", Decimal("12.00"))
        ]  # fmt: skip
        count = sa.select(sa.func.count(), sa.func.sum(wines.c.price))
        assert connection.execute(count).one() == (2, Decimal("22.00"))
    with engine.connect() as connection:
        connection.execute(sa.delete(wines))
        connection.rollback()
        assert connection.execute(sa.select(sa.func.count()).select_from(wines)).scalar() == 2
    columns = {column["name"]: column for column in sa.inspect(engine).get_columns("wines")}
    assert columns["name"]["comment"] == "of the label"
    assert not columns["id"]["nullable"]
    metadata.drop_all(engine)
    assert not sa.inspect(engine).has_table("wines")
