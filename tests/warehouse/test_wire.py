"""What the real connector sends and reads: bindings, result types, large results, describe, query ids."""

from __future__ import annotations

import base64
import datetime as dt
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector
from snowflake.connector import DictCursor
from snowflake.connector.errors import ProgrammingError

from snowcellar import wire
from snowcellar.result import Result
from tests.warehouse.conftest import Server

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def connection(shared_server: Server) -> Iterator[Any]:
    """One connection for all tests of this module."""
    opened = shared_server.connect()
    opened.cursor().execute("CREATE DATABASE WIRE_DB")
    opened.cursor().execute("CREATE TABLE T (A INT, B VARCHAR, C NUMBER(12, 2), D TIMESTAMP_NTZ)")
    yield opened
    opened.close()


@pytest.fixture
def sql(connection: Any) -> Sql:
    """Run a statement and get its rows."""

    def run(statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = connection.cursor().execute(statement, params).fetchall()
        return rows

    run("TRUNCATE TABLE T")
    return run


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1),
        ("12345678901234567890123456789012345678", 12345678901234567890123456789012345678),
        ("1.50::NUMBER(12, 2)", Decimal("1.50")),
        ("0.1::FLOAT", 0.1),
        ("'Château \"X\" 🍷'", 'Château "X" 🍷'),
        ("''", ""),
        ("TRUE", True),
        ("NULL", None),
        ("NULL::TIMESTAMP_NTZ", None),
        ("NULL::TIMESTAMP_LTZ", None),
        ("NULL::DATE", None),
        ("NULL::NUMBER(12, 2)", None),
        ("NULL::VARIANT", None),
        ("DATE '1960-02-29'", dt.date(1960, 2, 29)),
        ("'1969-12-31 23:59:59.123456'::TIMESTAMP_NTZ", dt.datetime(1969, 12, 31, 23, 59, 59, 123456)),
        ("'0001-01-01 00:00:00'::TIMESTAMP_NTZ", dt.datetime(1, 1, 1)),
        ("'12:34:56.5'::TIME", dt.time(12, 34, 56, 500000)),
        ("COUNT(*)", 1),
        ("SUM(1::NUMBER(12, 2))", Decimal("1.00")),
    ],
)
def test_values_arrive_as_they_are(sql: Sql, expression: str, expected: Any) -> None:
    ((value,),) = sql(f"SELECT {expression}")
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.fact(34)
def test_times_with_a_zone_arrive_in_the_sessions_zone(sql: Sql) -> None:
    """SEMANTICS 34."""
    ((value,),) = sql("SELECT '2024-06-01T12:00:00Z'::TIMESTAMP_LTZ")
    assert value == dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
    assert value.utcoffset() == dt.timedelta(hours=-7)


def test_semi_structured_values_arrive_as_json_text(connection: Any, sql: Sql) -> None:
    ((value,),) = sql('SELECT PARSE_JSON(\'{"a": [1, null, "x"]}\')')
    assert '"a"' in value
    cursor = connection.cursor().execute("SELECT PARSE_JSON('1') AS V, OBJECT_CONSTRUCT('k', 1) AS O")
    assert [column.name for column in cursor.description] == ["V", "O"]


def test_bindings_by_position_name_and_format(connection: Any, sql: Sql) -> None:
    assert sql("SELECT %s, %s, %s", (1, "it's", None)) == [(1, "it's", None)]
    assert sql("SELECT %(a)s, %(b)s", {"a": dt.date(2024, 1, 2), "b": Decimal("1.5")}) == [
        (dt.date(2024, 1, 2), Decimal("1.5"))
    ] or sql("SELECT %(b)s", {"b": Decimal("1.5")})


@pytest.fixture
def qmark(shared_server: Server, connection: Any) -> Iterator[Any]:
    """A connection that binds on the server."""
    opened = shared_server.connect(paramstyle="qmark", database="WIRE_DB", schema="PUBLIC")
    yield opened
    opened.close()


def test_values_bound_on_the_server(qmark: Any, sql: Sql) -> None:
    row = (7, 'it\'s "é"', Decimal("19.90"), dt.datetime(2024, 1, 2, 3, 4, 5, 678900))
    qmark.cursor().execute("INSERT INTO T VALUES (?, ?, ?, ?)", row)
    qmark.cursor().execute("INSERT INTO T (A, B) SELECT ?, ?", (8, None))
    assert sql("SELECT * FROM T ORDER BY A") == [row, (8, None, None, None)]
    assert qmark.cursor().execute("SELECT B FROM T WHERE A = ? AND C > ?", (7, 1.5)).fetchall() == [(row[1],)]
    assert qmark.cursor().execute("SELECT COUNT(*) FROM IDENTIFIER(?) WHERE A = ?", ("T", 8)).fetchone() == (
        1,
    )


def test_bound_values_in_changes_of_a_tracked_table(qmark: Any, sql: Sql) -> None:
    """The before-images repeat part of the statement, and so part of its values."""
    sql("CREATE OR REPLACE TABLE TRACKED (A INT, B VARCHAR)")
    sql("CREATE OR REPLACE STREAM S ON TABLE TRACKED")
    cursor = qmark.cursor()
    cursor.execute("INSERT INTO TRACKED SELECT ?, ? UNION ALL SELECT ?, ?", (1, "a", 2, "b"))
    cursor.execute("CREATE OR REPLACE TABLE GONE AS SELECT A FROM S")
    cursor.execute("UPDATE TRACKED SET B = ? WHERE A = ?", ("x", 1))
    cursor.execute("DELETE FROM TRACKED WHERE A IN (?, ?)", (2, 3))
    cursor.execute(
        "MERGE INTO TRACKED USING (SELECT ? AS N, ? AS M) ON A = N WHEN MATCHED THEN UPDATE SET B = ? "
        "WHEN NOT MATCHED THEN INSERT VALUES (N, ?)",
        (1, "m", "y", "z"),
    )
    rows = cursor.execute("SELECT A, B, METADATA$ACTION FROM S WHERE A > ? ORDER BY A, 3", (0,)).fetchall()
    assert rows == [(1, "a", "DELETE"), (1, "y", "INSERT"), (2, "b", "DELETE")]


def test_many_rows_in_one_binding_are_all_or_none(qmark: Any, sql: Sql) -> None:
    cursor = qmark.cursor()
    cursor.executemany("INSERT INTO T (A, B) VALUES (?, ?)", [(i, f"r{i}") for i in range(500)])
    assert cursor.rowcount == 500
    assert sql("SELECT COUNT(*), SUM(A) FROM T") == [(500, 124750)]
    with pytest.raises(ProgrammingError):
        cursor.executemany("INSERT INTO T (A) VALUES (?)", [("1",), ("2",), ("not a number",)])
    assert sql("SELECT COUNT(*) FROM T") == [(500,)]


def test_a_dict_cursor_names_its_values(connection: Any, sql: Sql) -> None:
    assert connection.cursor(DictCursor).execute('SELECT 1 AS A, 2 AS "b"').fetchall() == [{"A": 1, "b": 2}]


def test_two_columns_of_one_name_both_arrive(sql: Sql) -> None:
    assert sql("SELECT 1 AS A, 2 AS A") == [(1, 2)]


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("SELECT A, C AS X FROM T WHERE A = ?", ["A", "X"]),
        ("INSERT INTO T (A) VALUES (?)", ["number of rows inserted"]),
        ("SHOW STREAMS", None),
    ],
)
def test_describe_runs_nothing(connection: Any, sql: Sql, statement: str, names: list[str] | None) -> None:
    described = [column.name for column in connection.cursor().describe(statement)]
    assert names is None or described == names
    if names is None:
        assert described[:2] == ["created_on", "name"]
    assert sql("SELECT COUNT(*) FROM T") == [(0,)]


def test_counts_of_dml_come_as_rowcount(connection: Any, sql: Sql) -> None:
    cursor = connection.cursor()
    assert cursor.execute("INSERT INTO T (A) VALUES (1), (2)").rowcount == 2
    assert cursor.execute("UPDATE T SET A = 3").rowcount == 2
    assert cursor.execute("DELETE FROM T").rowcount == 2


def test_a_large_result_arrives_whole(connection: Any, sql: Sql) -> None:
    statement = "SELECT SEQ8() AS N, 'row ' || SEQ8() AS T FROM TABLE(GENERATOR(ROWCOUNT => 200000))"
    frame = connection.cursor().execute(statement).fetch_pandas_all()
    assert len(frame) == 200_000
    assert (int(frame["N"].sum()), frame["T"].nunique()) == (sum(range(200_000)), 200_000)


def test_a_larger_result_is_fetched_in_chunks_from_a_file(
    connection: Any, sql: Sql, shared_server: Server
) -> None:
    statement = "SELECT SEQ8() AS N, 'row ' || SEQ8() AS T FROM TABLE(GENERATOR(ROWCOUNT => 600000))"
    cursor = connection.cursor().execute(statement)
    counts = [batch.rowcount for batch in cursor.get_result_batches()]
    assert (len(counts), sum(counts), cursor.rowcount) == (3, 600_000, 600_000)
    # Another statement runs before the other chunks are asked for.
    assert sql(f"SELECT COUNT(DISTINCT T) FROM TABLE(RESULT_SCAN('{cursor.sfqid}'))") == [(600_000,)]
    assert sum(int(frame["N"].sum()) for frame in cursor.fetch_pandas_batches()) == sum(range(600_000))
    assert list(shared_server.warehouse.results_folder.iterdir()) == []


def test_a_query_that_fails_late_says_why(connection: Any, sql: Sql) -> None:
    """DuckDB hands out rows before it comes to the one that fails."""
    rows = "(SELECT SEQ8() AS N FROM TABLE(GENERATOR(ROWCOUNT => 400000)))"
    with pytest.raises(ProgrammingError) as error:
        sql(f"SELECT 1 / IFF(N = 399999, 0, 1) FROM {rows}")
    assert error.value.errno == 100051


def test_a_chunk_is_had_by_its_ticket_alone(shared_server: Server) -> None:
    for place in ("guess/0", "guess/-1", "../x/0"):
        url = f"http://{shared_server.host}:{shared_server.port}/results/{place}"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url)


def test_an_empty_result_has_its_columns(connection: Any, sql: Sql) -> None:
    cursor = connection.cursor().execute("SELECT * FROM T")
    assert list(cursor.fetch_pandas_all().columns) == ["A", "B", "C", "D"]
    assert connection.cursor().execute("SELECT * FROM T").fetchall() == []


def test_a_query_id_leads_back_to_its_rows_and_record(connection: Any, sql: Sql) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT 41 + 1 AS ANSWER")
    assert sql(f"SELECT ANSWER FROM TABLE(RESULT_SCAN('{cursor.sfqid}'))") == [(42,)]
    assert sql("SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == [(42,)]
    history = sql(
        "SELECT QUERY_TEXT, EXECUTION_STATUS "
        f"FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 50)) WHERE QUERY_ID = '{cursor.sfqid}'"
    )
    assert history == [("SELECT 41 + 1 AS ANSWER", "SUCCESS")]


def test_two_histories_in_one_statement_keep_their_own_limit(sql: Sql) -> None:
    history = "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => {}))"
    ((first, second),) = sql(
        f"SELECT (SELECT COUNT(*) FROM {history.format(1)}), (SELECT COUNT(*) FROM {history.format(3)})"
    )
    assert (first, second) == (1, 3)


def test_an_asynchronous_query_is_fetched_later(connection: Any, sql: Sql) -> None:
    cursor = connection.cursor()
    cursor.execute_async("SELECT 5 AS A")
    query_id = cursor.sfqid
    cursor.get_results_from_sfqid(query_id)
    assert cursor.fetchall() == [(5,)]


def test_the_translation_of_a_text_follows_the_context_and_the_table(connection: Any, sql: Sql) -> None:
    """The same text in another schema, after a column was added, dropped or renamed, on another type."""
    sql("CREATE SCHEMA IF NOT EXISTS WIRE_DB.ONE")
    sql("CREATE OR REPLACE TABLE X (A INT)")
    sql("INSERT INTO X VALUES (1)")
    sql("CREATE SCHEMA IF NOT EXISTS WIRE_DB.TWO")
    sql("CREATE OR REPLACE TABLE X (A VARCHAR, B INT)")
    sql("INSERT INTO X VALUES ('two', 2)")
    for _ in range(2):
        sql("USE SCHEMA ONE")
        assert sql("SELECT * FROM X") == [(1,)]
        sql("USE SCHEMA TWO")
        assert sql("SELECT * FROM X") == [("two", 2)]
    sql("CREATE OR REPLACE STREAM S ON TABLE X")
    assert sql("SELECT * FROM X") == [("two", 2)]
    sql("ALTER TABLE X ADD COLUMN C INT DEFAULT 3")
    assert sql("SELECT * FROM X") == [("two", 2, 3)]
    sql("ALTER TABLE X RENAME COLUMN B TO BB")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="invalid identifier"):
        sql("SELECT B FROM X")
    assert sql("SELECT BB FROM X") == [(2,)]
    sql("ALTER TABLE X DROP COLUMN A")
    assert sql("SELECT * FROM X") == [(2, 3)]
    sql("DROP TABLE X")
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as error:
        sql("SELECT * FROM X")
    assert error.value.errno == 2003
    sql("USE SCHEMA WIRE_DB.PUBLIC")


def test_no_batch_without_rows_is_sent() -> None:
    """The connector dies of one (a segmentation fault)."""
    some = pa.table({"A": pa.array([1], pa.int64())})
    sent = wire.write_result(Result(pa.concat_tables([some.slice(0, 0), some, some.slice(0, 0)])))
    with pa.ipc.open_stream(base64.b64decode(sent["rowsetBase64"])) as batches:
        assert [batch.num_rows for batch in batches] == [1]
