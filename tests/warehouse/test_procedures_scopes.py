"""Whose names, rights and transactions a procedure's statements have (SEMANTICS 1, 24, 25, 27)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from snowflake.connector import ProgrammingError

from tests.warehouse.conftest import Sql

_NUMBERS = itertools.count()
_CLAUSES = (
    "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
)
SERVER_THREADS = 40
"""The threads of the server's pool: a CALL holds one while its procedure's statements come."""
_OTHER_SCOPE = "Modifying a transaction that has started at a different scope is not allowed"


@pytest.fixture
def connection(shared_server: Any) -> Iterator[Any]:
    """A connection to a database with a table T(A), on the server that the module shares."""
    opened = shared_server.connect()
    opened.cursor().execute(f"CREATE DATABASE SCOPES{next(_NUMBERS)}")
    opened.cursor().execute("CREATE TABLE T (A INT)")
    yield opened
    opened.close()


@pytest.fixture
def define(sql: Sql) -> Callable[..., None]:
    """Create a procedure NAME() that runs statements one by one and then, perhaps, a line of Python."""

    def create(name: str, *statements: str, then: str = "return 'done'", clauses: str = "") -> None:
        lines = "\n".join(f"    session.sql({text!r}).collect()" for text in statements)
        sql(
            f"CREATE OR REPLACE PROCEDURE {name}() RETURNS VARCHAR {_CLAUSES} {clauses} "
            f"AS $$\ndef main(session):\n{lines}\n    {then}\n$$"
        )

    return create


def rows_of(connection: Any) -> list[int]:
    """What T holds, in order."""
    return [row[0] for row in connection.cursor().execute("SELECT A FROM T ORDER BY A").fetchall()]


@pytest.mark.fact(27)
def test_owners_rights_resolve_names_in_the_procedures_schema(connection: Any, sql: Sql, define: Any) -> None:
    define("P", "INSERT INTO T VALUES (1)", then="return session.get_current_schema()")
    sql("CREATE SCHEMA ELSEWHERE")
    sql("CREATE TABLE T (A INT)")
    assert sql("CALL PUBLIC.P()") == [('"PUBLIC"',)]
    assert rows_of(connection) == []
    assert sql("SELECT A FROM PUBLIC.T") == [(1,)]
    assert sql("SELECT CURRENT_SCHEMA()") == [("ELSEWHERE",)]


@pytest.mark.fact(27)
def test_callers_rights_resolve_names_where_the_caller_is(connection: Any, sql: Sql, define: Any) -> None:
    define("P", "INSERT INTO T VALUES (1)", clauses="EXECUTE AS CALLER")
    sql("CREATE SCHEMA ELSEWHERE")
    sql("CREATE TABLE T (A INT)")
    sql("CALL PUBLIC.P()")
    assert rows_of(connection) == [1]
    assert sql("SELECT A FROM PUBLIC.T") == []


@pytest.mark.fact(27)
def test_use_and_alter_session_with_callers_rights_change_the_callers_session(sql: Sql, define: Any) -> None:
    sql("CREATE SCHEMA ELSEWHERE")
    statements = ("USE SCHEMA PUBLIC", "ALTER SESSION SET QUERY_TAG = 'mine'")
    define("P", *statements, clauses="EXECUTE AS CALLER")
    sql("CALL P()")
    assert sql("SELECT CURRENT_SCHEMA()") == [("PUBLIC",)]
    assert sql("SHOW PARAMETERS LIKE 'QUERY_TAG' IN SESSION")[0][1] == "mine"


@pytest.mark.fact(27)
@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER SESSION SET TIMEZONE = 'UTC'", "ALTER_SESSION"),
        ("USE SCHEMA PUBLIC", "USE"),
        ("SET x = 1", "SET"),
    ],
)
def test_owners_rights_may_not_change_the_session(sql: Sql, define: Any, statement: str, kind: str) -> None:
    define("P", statement)
    with pytest.raises(ProgrammingError, match=f"Unsupported statement type '{kind}'"):
        sql("CALL P()")


@pytest.mark.fact(25)
def test_autocommit_may_not_be_set_inside_a_procedure(sql: Sql, define: Any) -> None:
    define("P", "ALTER SESSION SET AUTOCOMMIT = FALSE", clauses="EXECUTE AS CALLER")
    with pytest.raises(ProgrammingError, match="AUTOCOMMIT cannot be set inside a stored procedure"):
        sql("CALL P()")


def test_a_procedure_writes_in_its_callers_transaction(connection: Any, sql: Sql, define: Any) -> None:
    define("P", "INSERT INTO T VALUES (2)", then="return str(session.table('T').count())")
    sql("BEGIN")
    sql("INSERT INTO T VALUES (1)")
    assert sql("CALL P()") == [("2",)]
    sql("ROLLBACK")
    assert rows_of(connection) == []
    sql("BEGIN")
    sql("CALL P()")
    sql("COMMIT")
    assert rows_of(connection) == [2]


@pytest.mark.fact(25)
@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK", "CREATE TABLE U (A INT)"])
def test_a_procedure_may_not_end_its_callers_transaction(
    connection: Any, sql: Sql, define: Any, statement: str
) -> None:
    define("P", "INSERT INTO T VALUES (2)", statement)
    sql("BEGIN")
    sql("INSERT INTO T VALUES (1)")
    with pytest.raises(ProgrammingError, match=_OTHER_SCOPE):
        sql("CALL P()")
    sql("COMMIT")
    assert rows_of(connection) == [1, 2]


@pytest.mark.fact(25)
def test_a_transaction_left_open_is_rolled_back_and_fails_the_call(
    connection: Any, sql: Sql, define: Any
) -> None:
    define("P", "INSERT INTO T VALUES (1)", "BEGIN", "INSERT INTO T VALUES (2)")
    with pytest.raises(ProgrammingError) as raised:
        sql("CALL P()")
    assert str(raised.value).endswith(
        "Stored procedure execution error: Scoped transaction started in stored procedure is incomplete "
        "and it was rolled back."
    )
    assert rows_of(connection) == [1]
    sql("INSERT INTO T VALUES (3)")
    assert rows_of(connection) == [1, 3]


def test_a_failed_handler_keeps_what_it_committed_and_no_more(connection: Any, sql: Sql, define: Any) -> None:
    statements = ("BEGIN", "INSERT INTO T VALUES (1)", "COMMIT", "INSERT INTO T VALUES (2)")
    define("P", *statements, "BEGIN", "INSERT INTO T VALUES (3)", then="raise RuntimeError('corked')")
    with pytest.raises(ProgrammingError, match="RuntimeError: corked"):
        sql("CALL P()")
    assert rows_of(connection) == [1, 2]


@pytest.mark.fact(1)
def test_a_stream_keeps_its_rows_when_the_transaction_that_read_it_fails(
    connection: Any, sql: Sql, define: Any
) -> None:
    sql("CREATE STREAM S ON TABLE T")
    sql("CREATE TABLE U (A INT)")
    sql("INSERT INTO T VALUES (1)")
    move = ("BEGIN", "INSERT INTO U SELECT A FROM S")
    define("P", *move, then="raise RuntimeError('corked')")
    with pytest.raises(ProgrammingError, match="corked"):
        sql("CALL P()")
    assert (sql("SELECT A FROM S"), sql("SELECT A FROM U")) == ([(1,)], [])
    define("P", *move, "COMMIT")
    sql("CALL P()")
    assert (sql("SELECT A FROM S"), sql("SELECT A FROM U")) == ([], [(1,)])


@pytest.mark.fact(25)
def test_begin_within_the_callers_transaction_is_autonomous(connection: Any, sql: Sql, define: Any) -> None:
    sql("CREATE TABLE LOG (A INT)")
    define("P", "BEGIN", "INSERT INTO LOG VALUES (1)", "COMMIT", "INSERT INTO T VALUES (2)")
    sql("BEGIN")
    sql("INSERT INTO T VALUES (1)")
    sql("CALL P()")
    sql("ROLLBACK")
    assert rows_of(connection) == []
    assert sql("SELECT A FROM LOG") == [(1,)]


@pytest.mark.fact(25)
def test_an_autonomous_transaction_left_open_does_not_touch_the_callers(
    connection: Any, sql: Sql, define: Any
) -> None:
    sql("CREATE TABLE LOG (A INT)")
    define("P", "BEGIN", "INSERT INTO LOG VALUES (1)")
    sql("BEGIN")
    sql("INSERT INTO T VALUES (1)")
    with pytest.raises(
        ProgrammingError, match="Scoped transaction started in stored procedure is incomplete"
    ):
        sql("CALL P()")
    sql("COMMIT")
    assert rows_of(connection) == [1]
    assert sql("SELECT A FROM LOG") == []


def test_without_autocommit_a_procedure_writes_in_the_open_transaction(
    connection: Any, sql: Sql, define: Any
) -> None:
    define("P", "INSERT INTO T VALUES (2)")
    sql("ALTER SESSION SET AUTOCOMMIT = FALSE")
    sql("INSERT INTO T VALUES (1)")
    sql("CALL P()")
    sql("ROLLBACK")
    assert rows_of(connection) == []


def test_procedures_call_procedures_in_scopes_of_their_own(connection: Any, sql: Sql, define: Any) -> None:
    define("INNER_ONE", "INSERT INTO T VALUES (1)", then="return session.get_current_schema()")
    sql("CREATE SCHEMA ELSEWHERE")
    define("OUTER_ONE", then="return session.call('PUBLIC.INNER_ONE') + session.get_current_schema()")
    assert sql("CALL OUTER_ONE()") == [('"PUBLIC""ELSEWHERE"',)]
    assert sql("SELECT CURRENT_SCHEMA()") == [("ELSEWHERE",)]
    define("COMMITTING", "COMMIT")
    define("BEGINNING", "BEGIN", then="session.call('COMMITTING')")
    with pytest.raises(ProgrammingError, match=_OTHER_SCOPE):
        sql("CALL BEGINNING()")


def test_procedures_that_call_themselves_for_ever_are_stopped(
    shared_server: Any, sql: Sql, define: Any
) -> None:
    define("P", then="session.call('P')")
    with pytest.raises(ProgrammingError, match="more than 8 levels deep"):
        sql("CALL P()")
    assert len(shared_server.warehouse.workers.pids()) <= 4


def test_statements_of_a_procedure_have_the_call_as_their_parent(sql: Sql, define: Any) -> None:
    define("TRACED", "INSERT INTO T VALUES (41)")
    sql("CALL TRACED()")
    columns = "QUERY_ID, QUERY_TEXT, PARENT_QUERY_ID"
    history = sql(f"SELECT {columns} FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10))")
    (call,) = [query_id for query_id, text, _ in history if text == "CALL TRACED()"]
    assert [parent for _, text, parent in history if text == "INSERT INTO T VALUES (41)"] == [call]


def test_more_calls_than_the_server_has_threads_run_to_their_end(
    shared_server: Any, connection: Any, sql: Sql, define: Any
) -> None:
    define("P", "INSERT INTO T VALUES (1)")
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]

    def call(_: int) -> None:
        other = shared_server.connect(database=database, schema="PUBLIC")
        other.cursor().execute("CALL P()")
        other.close()

    with ThreadPoolExecutor(SERVER_THREADS + 8) as pool:
        list(pool.map(call, range(SERVER_THREADS + 8)))
    assert rows_of(connection) == [1] * (SERVER_THREADS + 8)
