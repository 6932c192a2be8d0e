"""A copy that follows a stream is the table or view itself, whatever happens meanwhile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of

VIEWS = {
    "A_TABLE": "TABLE WINES",
    "A_FILTER": "SELECT ID, UPPER(NAME) AS NAME FROM WINES WHERE ID % 3 > 0",
    "A_JOIN": "SELECT W.ID, R.NAME FROM WINES AS W JOIN RACKS AS R ON R.ID % 4 = W.ID % 4 WHERE R.ID > 1",
    "A_UNION": "SELECT ID, NAME FROM WINES UNION ALL SELECT ID + 100, NAME FROM RACKS",
    "A_VIEW_ON_A_VIEW": "SELECT J.ID, F.NAME FROM A_JOIN AS J, A_FILTER AS F WHERE J.ID = F.ID",
}


@pytest.mark.fact(2, 3, 5, 6, 8)
@pytest.mark.parametrize("seed", range(2))
def test_copies_that_follow_streams_are_what_they_follow(tmp_path: Path, seed: int) -> None:
    """Two writers; consumers that begin, let others write, read, and commit or roll back."""
    chance = random.Random(seed)
    warehouse = Warehouse(tmp_path / "cellar.duckdb")
    query = rows_of(warehouse.open_session())
    query("CREATE DATABASE CELLAR_DB")
    other = rows_of(warehouse.open_session("CELLAR_DB", "PUBLIC"))
    for table in ("WINES", "RACKS"):
        query(f"CREATE TABLE {table} (ID INT, NAME VARCHAR)")
    for number in range(4):
        write(query, chance, number)
    for name, source in VIEWS.items():
        if name != "A_TABLE":
            query(f"CREATE VIEW {name} AS {source}")
        on = source if name == "A_TABLE" else f"VIEW {name}"
        query(f"CREATE STREAM {name}_CHANGES ON {on} SHOW_INITIAL_ROWS = TRUE")
        query(f"CREATE TABLE {name}_COPY (ID INT, NAME VARCHAR, ROW_KEY VARCHAR)")
        query("BEGIN")
        consume(query, name)
        query("COMMIT")
    for step in range(30):
        write(chance.choice((query, other)), chance, step)
        if chance.random() < 0.4:
            query("BEGIN")
            if chance.random() < 0.5:
                write(other, chance, step)
            consume(query, chance.choice(list(VIEWS)))
            query(chance.choice(("COMMIT", "COMMIT", "ROLLBACK")))
    for name, source in VIEWS.items():
        query("BEGIN")
        consume(query, name)
        query("COMMIT")
        relation = "WINES" if name == "A_TABLE" else name
        copied = query(f"SELECT ID, NAME FROM {name}_COPY ORDER BY 1, 2")
        assert copied == query(f"SELECT ID, NAME FROM {relation} ORDER BY 1, 2"), source
    warehouse.close()


def write(query: Query, chance: random.Random, step: int) -> None:
    """One change of one of the tables."""
    table, number = chance.choice(("WINES", "RACKS")), chance.randrange(8)
    merge = (
        f"MERGE INTO {table} AS T USING (SELECT {number} AS K) AS S ON T.ID = S.K "
        f"WHEN MATCHED THEN UPDATE SET NAME = 'm{step}' WHEN NOT MATCHED THEN INSERT VALUES (S.K, 'm{step}')"
    )
    statements = [
        merge,
        f"INSERT INTO {table} VALUES ({number}, 'n{step}'), ({number + 1}, NULL)",
        f"INSERT INTO {table} SELECT ID + 1, NAME FROM {table} WHERE ID = {number} LIMIT 2",
        f"UPDATE {table} SET NAME = 'u{step}' WHERE ID = {number}",
        f"UPDATE {table} SET ID = ID + 1 WHERE ID >= {number}",
        f"DELETE FROM {table} WHERE ID = {number}",
        f"TRUNCATE TABLE {table}" if chance.random() < 0.2 else merge,
    ]
    query(chance.choice(statements))


def consume(query: Query, name: str) -> None:
    """Bring a copy up to date by the rows' ids, within the transaction that is open."""
    query(
        f"DELETE FROM {name}_COPY WHERE ROW_KEY IN "
        f"(SELECT METADATA$ROW_ID FROM {name}_CHANGES WHERE METADATA$ACTION = 'DELETE')"
    )
    query(
        f"INSERT INTO {name}_COPY SELECT ID, NAME, METADATA$ROW_ID FROM {name}_CHANGES "
        "WHERE METADATA$ACTION = 'INSERT'"
    )
