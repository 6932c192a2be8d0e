"""INSERT ALL as a pipeline sends it: again and again, from a session without a schema."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, eventually, rows_of

INSERT = """INSERT ALL
WHEN N > 1 THEN INTO {0}.PUBLIC.MANY (N) VALUES (N)
WHEN N <= 1 THEN INTO {0}.PUBLIC.FEW (N, WHAT) VALUES (N, NULL)
SELECT N FROM {0}.PUBLIC.NUMBERS"""


def test_insert_all_works_without_a_schema_and_is_one_statement(
    cellar: Warehouse, session: Session, query: Query
) -> None:
    for table in ("NUMBERS (N INT)", "MANY (N INT)", "FEW (N INT, WHAT VARCHAR)"):
        query(f"CREATE TABLE {table}")
    query("INSERT INTO NUMBERS VALUES (1), (2), (3)")
    elsewhere = cellar.open_session()
    elsewhere.execute("USE WAREHOUSE COMPUTE_WH")
    before = len(cellar.history.records())
    for _ in range(2):
        [counts] = elsewhere.execute(INSERT.format(session.database)).table.to_pylist()
        assert list(counts.values()) == [2, 1]
    assert len(cellar.history.records()) == before + 2
    assert query(f"SELECT COUNT(*) AS C FROM {session.database}.PUBLIC.MANY") == [{"C": 4}]
    assert query(f"SELECT N, WHAT FROM {session.database}.PUBLIC.FEW") == [{"N": 1, "WHAT": None}] * 2
    assert not elsewhere.temporary


FROM_STREAM = "INSERT ALL INTO MANY (N) VALUES (N) INTO FEW (N) VALUES (N) SELECT N FROM PENDING"


@pytest.fixture
def pending(query: Query) -> Query:
    """The tables of INSERT, and a stream with two rows."""
    for table in ("NUMBERS (N INT)", "MANY (N INT)", "FEW (N INT, WHAT VARCHAR)"):
        query(f"CREATE TABLE {table}")
    query("CREATE STREAM PENDING ON TABLE NUMBERS")
    query("INSERT INTO NUMBERS VALUES (1), (2)")
    return query


@pytest.mark.parametrize("before", [[], ["BEGIN"], ["BEGIN", "DESCRIBE"], ["BEGIN", "SELECT"]])
def test_who_waited_for_a_stream_takes_nothing_twice_by_insert_all(
    cellar: Warehouse, pending: Query, session: Session, before: list[str]
) -> None:
    """Also after a look at columns, as Snowpark's, by which DuckDB would fix what the transaction sees."""
    pending("BEGIN")
    assert pending("SELECT COUNT(*) AS C FROM PENDING") == [{"C": 2}]
    waiting = cellar.open_session(session.database, "PUBLIC")
    others = rows_of(waiting)

    def take() -> list[int]:
        for what in before:
            if what == "DESCRIBE":
                waiting.describe("SELECT N FROM PENDING")
            else:
                others("SELECT COUNT(*) FROM PENDING" if what == "SELECT" else what)
        counts = list(others(FROM_STREAM)[0].values())
        others("COMMIT")
        return counts

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(take)
        awaited = "SELECT COUNT(*) FROM PENDING" if "SELECT" in before else FROM_STREAM
        eventually(lambda: _last_of(cellar, waiting) == awaited, "it waits")
        assert list(pending(FROM_STREAM)[0].values()) == [2, 2]
        pending("COMMIT")
        assert taken.result(30) == [0, 0]
    assert others("SELECT COUNT(*) AS C FROM MANY") == [{"C": 2}]
    cellar.close_session(waiting)


def test_insert_all_keeps_to_autocommit_and_to_the_lock_timeout(
    cellar: Warehouse, pending: Query, session: Session
) -> None:
    pending("ALTER SESSION SET AUTOCOMMIT = FALSE")
    pending(FROM_STREAM)
    other = cellar.open_session(session.database, "PUBLIC")
    other.execute("ALTER SESSION SET LOCK_TIMEOUT = 0")
    with pytest.raises(WarehouseError, match="lock"):
        other.execute(FROM_STREAM)
    pending("ROLLBACK")
    assert pending("SELECT COUNT(*) AS C FROM MANY") == [{"C": 0}]
    assert pending("SELECT COUNT(*) AS C FROM PENDING") == [{"C": 2}]


@pytest.mark.parametrize("autocommit", ["TRUE", "FALSE"])
@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("INSERT ALL INTO MANY (N) VALUES (N) INTO FEW (N) VALUES (N) SELECT N FROM NUMBERS", 2),
        ("INSERT OVERWRITE INTO MANY SELECT N FROM NUMBERS WHERE N > 1", 1),
    ],
)
def test_it_can_be_the_first_statement_of_a_transaction(
    pending: Query, autocommit: str, statement: str, kept: int
) -> None:
    pending(f"ALTER SESSION SET AUTOCOMMIT = {autocommit}")
    if autocommit == "TRUE":
        pending("BEGIN")
    pending(statement)
    pending("COMMIT")
    assert pending("SELECT COUNT(*) AS C FROM MANY") == [{"C": kept}]


def _last_of(cellar: Warehouse, session: Session) -> str:
    texts = [record.text for record in cellar.history.records() if record.session_id == session.number]
    return texts[-1] if texts else ""
