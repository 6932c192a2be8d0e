"""Databases, schemas and the current names (SEMANTICS 33; PITFALL 16)."""

from __future__ import annotations

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of


def current(query: Query) -> tuple[str | None, str | None]:
    (row,) = query("SELECT CURRENT_DATABASE() AS D, CURRENT_SCHEMA() AS S")
    return row["D"], row["S"]


@pytest.mark.fact(33)
def test_creating_makes_current(query: Query) -> None:
    """SEMANTICS 33."""
    query("CREATE DATABASE CELLAR_TWO")
    assert current(query) == ("CELLAR_TWO", "PUBLIC")
    query("CREATE SCHEMA RACK")
    assert current(query) == ("CELLAR_TWO", "RACK")
    query("CREATE SCHEMA IF NOT EXISTS CELLAR_DB.PUBLIC")
    assert current(query) == ("CELLAR_DB", "PUBLIC")


def test_use_takes_one_name_or_two(query: Query) -> None:
    query("CREATE SCHEMA RACK")
    query("USE SCHEMA PUBLIC")
    query("USE DATABASE CELLAR_DB")
    query("USE CELLAR_DB.RACK")
    assert current(query) == ("CELLAR_DB", "RACK")
    for nowhere in ("USE DATABASE NOWHERE", "USE SCHEMA NOWHERE", "USE CELLAR_DB.NOWHERE"):
        with pytest.raises(WarehouseError) as error:
            query(nowhere)
        assert error.value.errno == 2043
    assert current(query) == ("CELLAR_DB", "RACK")


def test_a_session_without_a_database_is_told_so(cellar: Warehouse) -> None:
    run = rows_of(cellar.open_session())
    for statement in ("SELECT * FROM T", "CREATE TABLE T (A INT)", "CREATE SCHEMA S"):
        with pytest.raises(WarehouseError) as error:
            run(statement)
        assert error.value.errno == 90105


def test_dropping_a_schema_takes_its_streams_and_makes_others_stale(query: Query) -> None:
    query("CREATE TABLE T (A INT)")
    query("CREATE SCHEMA RACK")
    query("CREATE TABLE U (A INT)")
    query("CREATE STREAM HERE ON TABLE CELLAR_DB.PUBLIC.T")
    query("CREATE STREAM CELLAR_DB.PUBLIC.AWAY ON TABLE U")
    query("DROP SCHEMA RACK")
    rows = query("SHOW STREAMS IN ACCOUNT")
    assert [(row["name"], row["stale"]) for row in rows] == [("AWAY", "true")]
    query("USE SCHEMA CELLAR_DB.PUBLIC")
    query("INSERT INTO T VALUES (1)")


def test_a_dropped_database_can_be_made_anew_while_others_use_it(cellar: Warehouse, query: Query) -> None:
    query("CREATE DATABASE SECOND")
    query("CREATE TABLE T (A INT)")
    query("CREATE STREAM S ON TABLE T")
    other = rows_of(cellar.open_session("SECOND", "PUBLIC"))
    query("DROP DATABASE SECOND")
    with pytest.raises(WarehouseError):
        other("SELECT * FROM T")
    query("CREATE DATABASE SECOND")
    assert query("SHOW STREAMS IN ACCOUNT") == []
    query("CREATE TABLE T (A VARCHAR)")
    assert other("SELECT * FROM SECOND.PUBLIC.T") == []
    other("USE SCHEMA CELLAR_DB.PUBLIC")
    assert other("SELECT 1 AS A") == [{"A": 1}]


def test_a_dropped_database_is_made_anew_beside_a_transaction_that_has_read_it(
    cellar: Warehouse, query: Query
) -> None:
    query("CREATE DATABASE SECOND")
    query("CREATE TABLE T AS SELECT 1 AS A")
    query("USE SCHEMA CELLAR_DB.PUBLIC")
    other = rows_of(cellar.open_session("CELLAR_DB", "PUBLIC"))
    other("BEGIN")
    other("SELECT * FROM SECOND.PUBLIC.T")
    query("DROP DATABASE SECOND")
    query("CREATE DATABASE SECOND")
    query("CREATE TABLE T AS SELECT 2 AS A")
    other("ROLLBACK")
    assert other("SELECT * FROM SECOND.PUBLIC.T") == [{"A": 2}]
    cellar.close()
    again = Warehouse(cellar.file)
    try:
        assert rows_of(again.open_session("SECOND", "PUBLIC"))("SELECT * FROM T") == [{"A": 2}]
    finally:
        again.close()


def test_names_of_databases_are_refused_where_a_file_would_be_in_danger(session: Session) -> None:
    for name in ('"../escaped"', '"a b"', '"x/y"'):
        with pytest.raises(WarehouseError, match="Use letters, digits and underscores"):
            session.execute(f"CREATE DATABASE {name}")


def test_databases_and_what_is_in_them_survive_a_restart(cellar: Warehouse, query: Query) -> None:
    query("CREATE TABLE T (A INT COMMENT 'x', B VARCHAR(10) NOT NULL)")
    query("INSERT INTO T VALUES (1, 'b')")
    query("CREATE VIEW V AS SELECT * FROM T")
    described = query("DESCRIBE TABLE T")
    cellar.close()
    again = Warehouse(cellar.file)
    try:
        run = rows_of(again.open_session("CELLAR_DB", "PUBLIC"))
        assert run("SELECT * FROM V") == [{"A": 1, "B": "b"}]
        assert run("DESCRIBE TABLE T") == described
        assert [row["name"] for row in run("SHOW WAREHOUSES")] == ["COMPUTE_WH"]
    finally:
        again.close()


def test_a_log_without_its_database_is_not_read_into_the_next_one(cellar: Warehouse, query: Query) -> None:
    query("CREATE DATABASE SECOND")
    query("CREATE TABLE T AS SELECT 1 AS A")
    log = cellar.folder / "SECOND.db.wal"
    kept = log.read_bytes()
    query("DROP DATABASE SECOND")
    cellar.close()
    log.write_bytes(kept)
    again = Warehouse(cellar.file)
    try:
        run = rows_of(again.open_session("CELLAR_DB", "PUBLIC"))
        run("CREATE DATABASE SECOND")
        assert run("SHOW TABLES IN DATABASE SECOND") == []
    finally:
        again.close()
