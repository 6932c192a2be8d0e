"""The Python connector, as a script uses it; more of it in test_wire.py."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from snowflake.connector import DictCursor
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.pandas_tools import write_pandas

from snowcellar.multi_statements import split
from tests.warehouse.conftest import Server


@pytest.fixture(scope="module")
def connection(shared_server: Server) -> Iterator[Any]:
    opened = shared_server.connect()
    opened.cursor().execute("CREATE DATABASE SCRIPTS")
    yield opened
    opened.close()


@pytest.fixture
def cursor(connection: Any) -> Any:
    """With an empty table."""
    opened = connection.cursor()
    opened.execute("CREATE OR REPLACE TABLE T (A INT, B VARCHAR, D TIMESTAMP_NTZ)")
    return opened


def test_values_are_put_into_the_text_by_the_client(cursor: Any) -> None:
    cursor.execute("SELECT %s, %s, %s, %s::TIMESTAMP_NTZ", (1, "it's", None, dt.datetime(2024, 1, 1)))
    assert cursor.fetchone() == (1, "it's", None, dt.datetime(2024, 1, 1))
    assert cursor.execute("SELECT %(a)s AS A", {"a": "x"}).fetchall() == [("x",)]
    assert cursor.execute("SELECT COUNT(*) FROM (SELECT 1 AS A) WHERE A IN (%s)", ([1, 2],)).fetchone() == (
        1,
    )
    assert cursor.executemany("INSERT INTO T (A, B) VALUES (%s, %s)", [(1, "a"), (2, "b")]).rowcount == 2
    assert [d.name for d in cursor.describe("SELECT A, B AS X FROM T")] == ["A", "X"]


def test_rows_as_dictionaries_are_named_as_snowflake_names_them(connection: Any, cursor: Any) -> None:
    cursor.execute("INSERT INTO T (A) VALUES (1), (2)")
    row = connection.cursor(DictCursor).execute("select count(*), max(a), sum(a) as total from t").fetchone()
    assert row == {"COUNT(*)": 2, "MAX(A)": 2, "TOTAL": 3}


def test_several_statements_go_as_a_text_or_as_one_request(connection: Any, cursor: Any) -> None:
    texts = "SELECT 1; INSERT INTO T (A) VALUES (7); SELECT A FROM T;"
    assert [each.fetchall() for each in connection.execute_string(texts)] == [[(1,)], [(1,)], [(7,)]]
    cursor.execute(texts, num_statements=0)
    assert cursor.fetchall() == [(1,)]
    cursor.nextset()
    cursor.nextset()
    assert cursor.fetchall() == [(7,), (7,)]
    with pytest.raises(ProgrammingError, match=r"Actual statement count 3 did not match the desired .* 2"):
        cursor.execute(texts, num_statements=2)


def test_a_block_is_one_of_several_statements() -> None:
    block = "BEGIN\n  SELECT CASE WHEN TRUE THEN 1 END;\nEND"
    assert split(f"-- a;b\nBEGIN; SELECT ';'; {block}; COMMIT;") == [
        "BEGIN", "SELECT ';'", block, "COMMIT"
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["timeout", "parameter"])
def test_a_statement_that_takes_too_long_is_stopped(cursor: Any, how: str) -> None:
    if how == "timeout":
        with pytest.raises(ProgrammingError, match="cancelled by the client due to a timeout") as error:
            cursor.execute("SELECT SYSTEM$WAIT(60)", timeout=1)
        assert error.value.errno == 604
    else:
        cursor.execute("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
        with pytest.raises(ProgrammingError) as error:
            cursor.execute("SELECT SYSTEM$WAIT(60)")
        assert error.value.errno == 630
        cursor.execute("ALTER SESSION UNSET STATEMENT_TIMEOUT_IN_SECONDS")
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_rows_come_as_arrow_pandas_batches_or_json(cursor: Any) -> None:
    cursor.executemany("INSERT INTO T (A, B) VALUES (%s, %s)", [(i, f"r{i}") for i in range(20)])
    question = "SELECT A, B FROM T ORDER BY A"
    assert cursor.execute(question).fetch_arrow_all().num_rows == 20
    assert sum(map(len, cursor.execute(question).fetch_pandas_batches())) == 20
    assert sum(len(list(batch)) for batch in cursor.execute(question).get_result_batches()) == 20
    assert cursor.execute(question).fetchmany(3) == [(0, "r0"), (1, "r1"), (2, "r2")]
    values = (
        "1, 1.50, 'x', TRUE, '1960-02-29'::DATE, '1960-02-29 10:00:00.5'::TIMESTAMP_NTZ, "
        "'10:11:12'::TIME, '00FF'::BINARY, 0.1::FLOAT, NULL, TO_TIMESTAMP_LTZ('2024-01-01 10:00:00 +0000')"
    )
    arrow = cursor.execute(f"SELECT {values}").fetchall()
    cursor.execute("ALTER SESSION SET PYTHON_CONNECTOR_QUERY_RESULT_FORMAT = 'JSON'")
    assert cursor.execute(f"SELECT {values}").fetchall() == arrow
    cursor.execute("ALTER SESSION UNSET PYTHON_CONNECTOR_QUERY_RESULT_FORMAT")
    assert arrow[0][:4] == (1, Decimal("1.50"), "x", True)
    assert arrow[0][5] == dt.datetime(1960, 2, 29, 10, 0, 0, 500000)


def test_frames_are_written_into_tables_there_and_new(connection: Any, cursor: Any) -> None:
    frame = pd.DataFrame({"A": range(1000), "B": ["x"] * 1000})
    assert write_pandas(connection, frame, "T", chunk_size=400)[:3] == (True, 3, 1000)
    made = pd.DataFrame({"a b": [1.5], "c": [dt.date(2024, 1, 1)], "d": ["é"]})
    assert write_pandas(connection, made, "MADE", auto_create_table=True, overwrite=True)[0]
    assert cursor.execute("SELECT * FROM MADE").fetchall() == [(1.5, dt.date(2024, 1, 1), "é")]


def test_files_are_put_loaded_listed_and_got(cursor: Any, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"1,{name}\n", encoding="utf-8")
    cursor.execute("CREATE OR REPLACE STAGE FILES")
    put = cursor.execute(f"PUT 'file://{tmp_path}/*.csv' @FILES/in").fetchall()
    assert sorted((row[0], row[1], row[6]) for row in put) == [
        ("a.csv", "a.csv.gz", "UPLOADED"), ("b.csv", "b.csv.gz", "UPLOADED")
    ]  # fmt: skip
    assert [row[0] for row in cursor.execute("LIST @FILES/in")] == ["files/in/a.csv.gz", "files/in/b.csv.gz"]
    loaded = cursor.execute("COPY INTO T (A, B) FROM @FILES/in").fetchall()
    assert [row[1] for row in loaded] == ["LOADED", "LOADED"]
    cursor.execute(f"PUT file://{tmp_path}/a.csv @%T AUTO_COMPRESS = FALSE")
    assert cursor.execute("COPY INTO T (A, B) FROM @%T").fetchone()[1] == "LOADED"
    (tmp_path / "a.csv").write_text("2,a.csv\n", encoding="utf-8")
    for how, first in (("", "1"), ("OVERWRITE = FALSE", "1"), ("OVERWRITE = TRUE", "2")):
        cursor.execute(f"PUT file://{tmp_path}/a.csv @FILES/in {how}")
        assert cursor.execute("SELECT $1 FROM @FILES/in/a").fetchall() == [(first,)]
    (tmp_path / "got").mkdir()
    got = cursor.execute(f"GET @FILES/in 'file://{tmp_path}/got/' PATTERN = '.*a.*'").fetchall()
    assert [(row[0], row[2]) for row in got] == [("a.csv.gz", "DOWNLOADED")]
    assert [file.name for file in (tmp_path / "got").iterdir()] == ["a.csv.gz"]
    with pytest.raises(ProgrammingError, match="was not found"):
        cursor.execute(f"GET @FILES/nothing file://{tmp_path}/got/")


def test_autocommit_off_keeps_what_is_committed(connection: Any, cursor: Any) -> None:
    connection.autocommit(False)
    try:
        cursor.execute("INSERT INTO T (A) VALUES (1)")
        connection.rollback()
        cursor.execute("INSERT INTO T (A) VALUES (2)")
        connection.commit()
    finally:
        connection.autocommit(True)
    assert cursor.execute("SELECT A FROM T").fetchall() == [(2,)]


def test_a_mistake_is_told_with_its_number_and_state(cursor: Any) -> None:
    for statement, errno, state in (
        ("SELEC 1", 1003, "42000"),
        ("SELECT * FROM NOWHERE", 2003, "42S02"),
        ("SELECT NOWHERE FROM T", 904, "42000"),
        ("SELECT NOFUNCTION(1)", 2140, "42601"),
        ("SELECT 1 / 0", 100051, "22012"),
        ("CREATE TABLE T (A INT)", 2002, "42710"),
    ):
        with pytest.raises(ProgrammingError) as error:
            cursor.execute(statement)
        assert (error.value.errno, error.value.sqlstate) == (errno, state), statement
