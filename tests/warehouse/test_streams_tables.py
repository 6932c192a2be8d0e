"""What happens to a stream when its table changes (SEMANTICS 7)."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from tests.warehouse.conftest import Query


@pytest.fixture
def wines(query: Query) -> Query:
    """A table WINES with one row and a stream NET on it."""
    query("CREATE TABLE WINES (ID INT, NAME VARCHAR)")
    query("INSERT INTO WINES VALUES (1, 'Gamay')")
    query("CREATE STREAM NET ON TABLE WINES")
    return query


def changes(query: Query) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values())[:-1] for row in query("SELECT * FROM NET")), key=repr)


@pytest.mark.fact(7)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE TABLE WINES (ID INT)",
        "CREATE OR REPLACE TABLE WINES AS SELECT 1 AS ID",
        "DROP TABLE WINES",
    ],
)
def test_replacing_or_dropping_the_table_makes_its_streams_stale(wines: Query, statement: str) -> None:
    wines(statement)
    with pytest.raises(WarehouseError, match="dropped or replaced, cannot read from stream"):
        wines("SELECT * FROM NET")
    (row,) = wines("SHOW STREAMS")
    assert row["stale"] == "true"
    wines("CREATE TABLE IF NOT EXISTS WINES (ID INT)")
    wines("CREATE OR REPLACE STREAM NET ON TABLE WINES")
    wines("INSERT INTO WINES VALUES (5)")
    assert changes(wines) == [(5, "INSERT", False)]


def test_columns_that_come_go_and_are_renamed_are_followed(wines: Query) -> None:
    wines("UPDATE WINES SET NAME = 'Syrah'")
    wines("ALTER TABLE WINES RENAME COLUMN NAME TO GRAPE")
    assert changes(wines) == [(1, "Gamay", "DELETE", True), (1, "Syrah", "INSERT", True)]
    wines("ALTER TABLE WINES ADD COLUMN YEAR INT DEFAULT 2020, NOTE VARCHAR")
    assert changes(wines) == [
        (1, "Gamay", 2020, None, "DELETE", True),
        (1, "Syrah", 2020, None, "INSERT", True),
    ]
    wines("ALTER TABLE WINES DROP COLUMN NOTE")
    wines("INSERT INTO WINES VALUES (2, 'Pinot', 1999)")
    wines("DELETE FROM WINES WHERE ID = 1")
    assert changes(wines) == [(1, "Gamay", 2020, "DELETE", False), (2, "Pinot", 1999, "INSERT", False)]


def test_a_widened_column_is_followed(wines: Query) -> None:
    wines("ALTER TABLE WINES ADD COLUMN PRICE NUMBER(4, 2)")
    wines("UPDATE WINES SET PRICE = 10.50")
    wines("ALTER TABLE WINES ALTER COLUMN PRICE SET DATA TYPE NUMBER(12, 2)")
    wines("UPDATE WINES SET PRICE = 123456.78")
    wines("UPDATE WINES SET PRICE = 99.99")
    assert [row[2] and float(row[2]) for row in changes(wines)] == [99.99, None]


def test_renaming_a_table_with_streams_into_another_schema_is_refused(wines: Query) -> None:
    """A deviation: in Snowflake the streams stay. Within its schema they do (fact 7)."""
    wines("CREATE SCHEMA OTHER")
    with pytest.raises(WarehouseError, match="into another schema"):
        wines("ALTER TABLE PUBLIC.WINES RENAME TO OTHER.BOTTLES")
    wines("USE SCHEMA PUBLIC")
    assert changes(wines) == []


def test_a_table_that_was_replaced_right_before_a_crash_has_stale_streams(
    session: Session, wines: Query
) -> None:
    """The replacement and the note of it are two commits; a start finds out what came between."""
    with session.warehouse.cursor() as duck:
        duck.execute("CREATE OR REPLACE TABLE CELLAR_DB.PUBLIC.WINES (ID INT)")
        registry, meta = session.warehouse.streams, session.warehouse.meta("CELLAR_DB")
        registry.load(duck, "CELLAR_DB", meta)
    wines("INSERT INTO WINES VALUES (1)")
    with pytest.raises(WarehouseError, match="dropped or replaced"):
        wines("SELECT * FROM NET")


def test_copy_into_a_tracked_table_is_seen_by_its_streams(session: Session, wines: Query) -> None:
    """A COPY that names no columns must leave the hidden ones to their defaults."""
    wines("CREATE STAGE FILES")
    folder = session.warehouse.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "FILES"
    folder.mkdir(parents=True)
    (folder / "wines.csv").write_text("7,Aligoté\n8,Melon\n")
    wines("COPY INTO WINES FROM @FILES FILE_FORMAT = (TYPE = CSV)")
    assert changes(wines) == [(7, "Aligoté", "INSERT", False), (8, "Melon", "INSERT", False)]
