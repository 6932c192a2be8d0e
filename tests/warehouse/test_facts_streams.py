"""Streams: what they show in a transaction, and what they may stand on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import MINUTE_SECONDS, Query, rows_of

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb", minute_seconds=MINUTE_SECONDS)
    rows_of(opened.open_session())("CREATE DATABASE CELLAR_DB")
    yield opened
    opened.close()


@pytest.fixture
def place() -> str:
    """The name of this test's schema."""
    return f"TEST_{next(_NUMBERS)}"


@pytest.fixture
def wines(warehouse: Warehouse, place: str) -> Iterator[Query]:
    """A schema of this test's own with a table WINES of one row, streams NET and ADDED on it, and TAKEN."""
    session = warehouse.open_session("CELLAR_DB", "PUBLIC")
    query = rows_of(session)
    query(f"CREATE SCHEMA {place}")
    query("CREATE TABLE WINES (ID INT, NAME VARCHAR)")
    query("INSERT INTO WINES VALUES (1, 'Gamay')")
    query("CREATE STREAM NET ON TABLE WINES")
    query("CREATE STREAM ADDED ON TABLE WINES APPEND_ONLY = TRUE")
    query("CREATE TABLE TAKEN (ID INT)")
    yield query
    warehouse.close_session(session)


@pytest.fixture
def other(warehouse: Warehouse, place: str, wines: Query) -> Iterator[Query]:
    """A second session in the same schema."""
    session = warehouse.open_session("CELLAR_DB", place)
    yield rows_of(session)
    warehouse.close_session(session)


def changes(query: Query, stream: str = "NET") -> list[tuple[Any, ...]]:
    """A stream's rows without their ids, in an order that does not change."""
    return sorted((tuple(row.values())[:-1] for row in query(f"SELECT * FROM {stream}")), key=repr)


@pytest.mark.fact(2)
def test_a_transaction_sees_nothing_that_was_committed_after_it_began(wines: Query, other: Query) -> None:
    """The offset goes to where the transaction began, though the stream is read only later."""
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    wines("BEGIN")
    other("INSERT INTO WINES VALUES (3, 'Melon')")
    other("UPDATE WINES SET NAME = 'Pinot' WHERE ID IN (1, 2)")
    assert changes(wines) == changes(wines, "ADDED") == [(2, "Syrah", "INSERT", False)]
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    wines("INSERT INTO TAKEN SELECT ID FROM ADDED")
    wines("COMMIT")
    assert wines("SELECT * FROM TAKEN") == [{"ID": 2}, {"ID": 2}]
    assert changes(wines) == [
        (1, "Gamay", "DELETE", True),
        (1, "Pinot", "INSERT", True),
        (2, "Pinot", "INSERT", True),
        (2, "Syrah", "DELETE", True),
        (3, "Melon", "INSERT", False),
    ]
    assert changes(wines, "ADDED") == [(3, "Melon", "INSERT", False)]


@pytest.mark.fact(7)
def test_a_renamed_table_keeps_its_streams(wines: Query) -> None:
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    wines("ALTER TABLE WINES RENAME TO BOTTLES")
    wines("UPDATE BOTTLES SET NAME = 'Pinot' WHERE ID = 1")
    assert changes(wines) == [
        (1, "Gamay", "DELETE", True),
        (1, "Pinot", "INSERT", True),
        (2, "Syrah", "INSERT", False),
    ]
    rows = wines("SHOW STREAMS")
    assert {row["table_name"].rpartition(".")[2] for row in rows} == {"BOTTLES"}
    assert {row["stale"] for row in rows} == {"false"}


@pytest.mark.fact(7)
def test_a_stream_that_is_found_empty_or_consumed_goes_stale_later(wines: Query) -> None:
    def stale_after() -> Any:
        return next(row["stale_after"] for row in wines("SHOW STREAMS") if row["name"] == "NET")

    first = stale_after()
    assert wines("SELECT SYSTEM$STREAM_HAS_DATA('NET') AS H") == [{"H": False}]
    found_empty = stale_after()
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    assert wines("SELECT SYSTEM$STREAM_HAS_DATA('NET') AS H") == [{"H": True}]
    assert stale_after() == found_empty
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    assert first < found_empty < stale_after()


@pytest.mark.fact(1)
def test_copy_into_a_location_moves_the_offset(wines: Query) -> None:
    wines("CREATE STAGE FILES")
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    wines("COPY INTO @FILES/out FROM (SELECT ID FROM NET) FILE_FORMAT = (TYPE = CSV)")
    assert changes(wines) == []
    assert wines("SELECT $1 AS ID FROM @FILES/out")[0]["ID"] == "2"


@pytest.mark.fact(8)
def test_a_stream_begins_at_the_offset_of_another(wines: Query) -> None:
    """Each then has an offset of its own; CREATE OR REPLACE keeps what is pending that way."""
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    wines("CREATE STREAM COPIED ON TABLE WINES AT (STREAM => 'NET')")
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    wines("CREATE OR REPLACE STREAM COPIED ON TABLE WINES AT (STREAM => 'COPIED') COMMENT = 'again'")
    wines("CREATE STREAM FROM_NOW ON TABLE WINES")
    wines("INSERT INTO WINES VALUES (3, 'Melon')")
    ids = {name: [row[0] for row in changes(wines, name)] for name in ("NET", "COPIED", "FROM_NOW", "ADDED")}
    assert ids == {"NET": [3], "COPIED": [2, 3], "FROM_NOW": [3], "ADDED": [2, 3]}


@pytest.fixture
def cellar_view(wines: Query) -> Query:
    """Streams NET_V and ADDED_V on V, the wines of the racks of RACKS above 0."""
    wines("CREATE TABLE RACKS (WINE_ID INT, RACK INT)")
    wines("INSERT INTO RACKS VALUES (1, 7), (2, 8)")
    wines("CREATE VIEW UP AS SELECT * FROM RACKS WHERE RACK > 0")
    wines(
        "CREATE VIEW V (W, R) AS SELECT UPPER(NAME), U.RACK FROM WINES AS W JOIN UP AS U ON U.WINE_ID = W.ID"
    )
    wines("CREATE STREAM NET_V ON VIEW V")
    wines("CREATE STREAM ADDED_V ON VIEW V APPEND_ONLY = TRUE")
    return wines


@pytest.mark.fact(8)
def test_a_stream_on_a_view_shows_the_change_of_its_rows(cellar_view: Query) -> None:
    """A filter turns an update into an insert or a delete; a join shows rows that either side brings."""
    query = cellar_view
    assert changes(query, "NET_V") == []
    query("INSERT INTO WINES VALUES (2, 'Syrah')")
    query("UPDATE WINES SET NAME = 'Pinot' WHERE ID = 1")
    assert changes(query, "NET_V") == [
        ("GAMAY", 7, "DELETE", True),
        ("PINOT", 7, "INSERT", True),
        ("SYRAH", 8, "INSERT", False),
    ]
    assert changes(query, "ADDED_V") == [("SYRAH", 8, "INSERT", False)]
    query("INSERT INTO TAKEN SELECT R FROM NET_V")
    assert changes(query, "NET_V") == []
    query("UPDATE RACKS SET RACK = 0 WHERE WINE_ID = 1")
    query("INSERT INTO RACKS VALUES (2, 9)")
    assert changes(query, "NET_V") == [("PINOT", 7, "DELETE", False), ("SYRAH", 9, "INSERT", False)]
    query("UPDATE RACKS SET RACK = 7 WHERE WINE_ID = 1")
    query("DELETE FROM RACKS WHERE RACK = 9")
    assert changes(query, "NET_V") == []
    assert query("SELECT SYSTEM$STREAM_HAS_DATA('NET_V') AS H") == [{"H": True}]
    assert changes(query, "ADDED_V") == [("SYRAH", 8, "INSERT", False), ("SYRAH", 9, "INSERT", False)]


@pytest.mark.fact(8, 10)
def test_a_stream_on_a_view_is_listed_with_the_tables_behind_it(cellar_view: Query) -> None:
    row = next(row for row in cellar_view("SHOW STREAMS") if row["name"] == "NET_V")
    tables = [name.rpartition(".")[2] for name in row["base_tables"].split(",")]
    assert (row["source_type"], row["table_name"].rpartition(".")[2], tables) == (
        "View",
        "V",
        ["WINES", "RACKS"],
    )


@pytest.mark.fact(8)
def test_a_stream_follows_a_union_all(wines: Query) -> None:
    wines("CREATE VIEW V AS SELECT ID FROM WINES UNION ALL SELECT * FROM TAKEN")
    wines("CREATE STREAM NET_V ON VIEW V SHOW_INITIAL_ROWS = TRUE")
    wines("INSERT INTO TAKEN VALUES (1), (5)")
    wines("DELETE FROM WINES")
    assert changes(wines, "NET_V") == [(1, "INSERT", False)]
    wines("CREATE TABLE COPIED AS SELECT * FROM NET_V")
    assert changes(wines, "NET_V") == [(1, "DELETE", False), (1, "INSERT", False), (5, "INSERT", False)]


@pytest.mark.fact(7, 8)
@pytest.mark.parametrize(
    "statement",
    ["CREATE OR REPLACE VIEW V AS SELECT 1 AS A", "DROP VIEW UP", "CREATE OR REPLACE TABLE RACKS (A INT)"],
)
def test_a_stream_is_stale_when_a_view_or_table_behind_it_is_replaced(
    cellar_view: Query, statement: str
) -> None:
    cellar_view(statement)
    with pytest.raises(WarehouseError, match="dropped or replaced, cannot read from stream"):
        cellar_view("SELECT * FROM NET_V")


@pytest.mark.fact(8)
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT ID, COUNT(*) AS N FROM WINES GROUP BY ID", "GROUP BY"),
        ("SELECT COUNT(*) AS N FROM WINES", "AGGREGATES"),
        ("SELECT DISTINCT ID FROM WINES", "DISTINCT"),
        ("SELECT ID FROM WINES LIMIT 1", "LIMIT"),
        ("SELECT ID FROM WINES UNION SELECT ID FROM TAKEN", "UNION"),
        (
            "SELECT W.ID FROM WINES AS W LEFT JOIN TAKEN AS T ON T.ID = W.ID",
            r"joins of type '\[LEFT_OUTER_JOIN\]'",
        ),
        ("SELECT ROW_NUMBER() OVER (ORDER BY ID) AS N FROM WINES", "WINDOW"),
        ("SELECT ID FROM WINES WHERE ID IN (SELECT ID FROM TAKEN)", "SUBQUERIES"),
    ],
)
def test_a_stream_cannot_follow_every_view(wines: Query, query: str, named: str) -> None:
    wines(f"CREATE VIEW V AS {query}")
    with pytest.raises(WarehouseError, match=f"Change tracking is not supported on queries with .*{named}"):
        wines("CREATE STREAM NET_V ON VIEW V")


@pytest.mark.fact(8)
def test_streams_on_views_are_there_after_a_restart(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "cellar.duckdb")
    query = rows_of(first.open_session())
    query("CREATE DATABASE CELLAR_DB")
    query("CREATE TABLE WINES (ID INT)")
    query("CREATE VIEW V AS SELECT * FROM WINES")
    query("CREATE STREAM NET ON VIEW V")
    query("INSERT INTO WINES VALUES (1)")
    first.close()
    second = Warehouse(tmp_path / "cellar.duckdb")
    query = rows_of(second.open_session("CELLAR_DB", "PUBLIC"))
    query("INSERT INTO WINES VALUES (2)")
    assert changes(query) == [(1, "INSERT", False), (2, "INSERT", False)]
    second.close()
