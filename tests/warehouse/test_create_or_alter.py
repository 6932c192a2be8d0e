"""CREATE OR ALTER TABLE: the columns become those that are written, and the rows stay."""

from __future__ import annotations

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from tests.warehouse.conftest import Query


def columns(query: Query, table: str = "WINES") -> list[tuple[str, str, str]]:
    return [(row["name"], row["type"], row["null?"]) for row in query(f"DESCRIBE TABLE {table}")]


def test_it_creates_a_table_that_is_not_there(session: Session, query: Query) -> None:
    session.execute("CREATE OR ALTER TABLE WINES (ID INTEGER NOT NULL, NAME VARCHAR(20)) COMMENT = 'Bottles'")
    assert columns(query) == [("ID", "NUMBER(38,0)", "N"), ("NAME", "VARCHAR(20)", "Y")]


def test_it_adds_drops_and_widens_columns_and_keeps_the_rows(session: Session, query: Query) -> None:
    session.execute("CREATE TABLE WINES (ID INTEGER NOT NULL, OLD VARCHAR, NAME VARCHAR(20))")
    session.execute("INSERT INTO WINES VALUES (1, 'x', 'Margaux')")
    session.execute(
        "CREATE OR ALTER TABLE WINES (ID INTEGER, NAME VARCHAR(40), BOTTLES NUMBER(12, 2) NOT NULL DEFAULT 3)"
    )
    assert columns(query) == [
        ("ID", "NUMBER(38,0)", "Y"),
        ("NAME", "VARCHAR(40)", "Y"),
        ("BOTTLES", "NUMBER(12,2)", "N"),
    ]
    assert [tuple(row.values()) for row in query("SELECT ID, NAME, BOTTLES FROM WINES")] == [
        (1, "Margaux", 3)
    ]
    assert [row["name"] for row in query("SHOW TABLES")] == ["WINES"]


def test_the_same_definition_changes_nothing_and_the_stream_on_it_goes_on(
    session: Session, query: Query
) -> None:
    columns = "ID INTEGER NOT NULL, LOADED_AT TIMESTAMP_NTZ DEFAULT SYSDATE()"
    session.execute(f"CREATE OR ALTER TABLE WINES ({columns})")
    session.execute("CREATE STREAM NEWS ON TABLE WINES APPEND_ONLY = TRUE")
    session.execute("INSERT INTO WINES (ID) VALUES (1)")
    session.execute(f"CREATE OR ALTER TABLE WINES ({columns})")
    session.execute(f"CREATE OR ALTER TABLE WINES ({columns}, NOTE VARCHAR)")
    session.execute("INSERT INTO WINES (ID, NOTE) VALUES (2, 'late')")
    assert [(row["ID"], row["NOTE"]) for row in query("SELECT ID, NOTE FROM NEWS ORDER BY ID")] == [
        (1, None),
        (2, "late"),
    ]


def test_it_does_not_change_the_order_of_columns(session: Session, query: Query) -> None:
    session.execute("CREATE TABLE WINES (ID INTEGER, NAME VARCHAR)")
    with pytest.raises(WarehouseError, match="order of its columns"):
        session.execute("CREATE OR ALTER TABLE WINES (ID INTEGER, BOTTLES INTEGER, NAME VARCHAR)")
    assert [name for name, _, _ in columns(query)] == ["ID", "NAME"]


def test_other_kinds_are_refused_by_name(session: Session) -> None:
    with pytest.raises(WarehouseError, match="CREATE OR ALTER"):
        session.execute("CREATE OR ALTER STAGE FILES")


def test_a_view_is_made_or_changed_and_keeps_its_grants(query: Query) -> None:
    query("CREATE ROLE READER")
    query("CREATE OR ALTER VIEW V (A) COMMENT = 'one' AS SELECT 1")
    query("GRANT SELECT ON VIEW V TO ROLE READER")
    query("CREATE OR ALTER VIEW V AS SELECT 2 AS B, 'x' AS C")
    assert query("SELECT * FROM V") == [{"B": 2, "C": "x"}]
    assert "READER" in [row["grantee_name"] for row in query("SHOW GRANTS ON VIEW V")]
