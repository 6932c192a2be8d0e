"""A SELECT that takes several fields from a VARIANT reads its text once, and answers the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snowcellar import parsed_once, translation
from snowcellar.session import Session
from snowcellar.statement import Statement
from snowcellar.warehouse import Warehouse

EVENTS = (
    '{"a": "x", "b": 1.50, "c": null, "n": {"z": [1, 2]}, "q r": true}',
    '{"a": 7, "b": "1.50", "n": "text"}',
    '["a", "b"]',
    '"a text"',
)
SAME = (
    "SELECT N, V:a::VARCHAR AS A, V:b::VARCHAR AS B, V:c::VARCHAR AS C, V:n::VARCHAR AS D FROM E ORDER BY N",
    "SELECT N, TYPEOF(V:a) AS A, TYPEOF(V:b) = 'VARCHAR' AS B, TYPEOF(V:c) AS C FROM E ORDER BY 1",
    "SELECT E.V:a::VARCHAR AS A, MAX(E.V:b::VARCHAR) AS B FROM E GROUP BY E.V:a::VARCHAR ORDER BY 1",
    "SELECT N FROM E WHERE V:a::VARCHAR = 'x' OR V:b::VARCHAR = '1.50' ORDER BY N",
    "SELECT N FROM E QUALIFY RANK() OVER (PARTITION BY V:a::VARCHAR ORDER BY V:b::VARCHAR) = 1 ORDER BY N",
    "SELECT V:a::VARCHAR AS V, V:b::VARCHAR AS B FROM E ORDER BY N",
    "SELECT \"V\"['a']::VARCHAR AS A, X.V:b::VARCHAR AS B FROM (SELECT * FROM E) AS X ORDER BY X.N",
    "SELECT N, (SELECT E.V:a::VARCHAR || E.V:b::VARCHAR FROM (SELECT 1 AS W)) AS M FROM E ORDER BY N",
    "WITH C AS (SELECT N, V:a::VARCHAR AS A, V:b::VARCHAR AS B FROM E) SELECT C.* FROM C ORDER BY N",
    "SELECT E.N, E.V:a::VARCHAR AS A, F.V:b::VARCHAR AS B FROM E JOIN E AS F ON E.N = F.N ORDER BY 1",
    "SELECT E.*, V:a::VARCHAR AS A, V:b::VARCHAR AS B FROM E ORDER BY N",
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    warehouse = Warehouse(Path(tmp_path_factory.mktemp("cellar"), "cellar.duckdb"))
    warehouse.start()
    opened = warehouse.open_session()
    opened.execute("CREATE DATABASE CELLAR_DB")
    opened.execute("CREATE TABLE E (N INT, V VARIANT)")
    for number, text in enumerate(EVENTS):
        opened.execute(f"INSERT INTO E SELECT {number}, PARSE_JSON('{text}')")
    opened.execute("INSERT INTO E SELECT 9, NULL")
    yield opened
    warehouse.close()


@pytest.mark.parametrize("sql", SAME)
def test_fields_are_the_same_by_one_reading_as_by_many(
    session: Session, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = session.execute(sql).table.to_pylist()
    monkeypatch.setattr(parsed_once, "read_once", lambda tree: tree)
    # Another text, so that the translation is made anew.
    assert session.execute(f"{sql} ").table.to_pylist() == once
    assert once


def translated(session: Session, sql: str) -> str:
    found = translation.translate(session, Statement(sql), None)
    assert found is not None
    return found.sql.text


@pytest.mark.parametrize("sql", [each for each in SAME if "JOIN" not in each and "(SELECT 1" not in each][:5])
def test_several_fields_of_a_column_are_read_by_a_list(session: Session, sql: str) -> None:
    text = translated(session, sql)
    assert "->>" not in text
    assert "SC$T" in text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT V:a::VARCHAR FROM E",
        "SELECT *, V:a::VARCHAR AS A, V:b::VARCHAR AS B FROM E",
        "SELECT ROWID, V:a::VARCHAR AS A, V:b::VARCHAR AS B FROM E",
        "SELECT E.V:a::VARCHAR, E.V:b::VARCHAR FROM E JOIN E AS F ON E.N = F.N",
        "SELECT N + 1 AS V, V:a::VARCHAR AS A, V:b::VARCHAR AS B FROM E",
        "SELECT N FROM E WHERE EXISTS (SELECT V:a::VARCHAR, V:b::VARCHAR FROM (SELECT 1 AS W))",
    ],
)
def test_what_may_mean_another_column_is_left_as_it_is(session: Session, sql: str) -> None:
    assert "SC$T" not in translated(session, sql)
