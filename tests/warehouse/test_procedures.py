"""CREATE, CALL, DROP, DESCRIBE and SHOW PROCEDURE, as the connector sees them (SEMANTICS 27, 28)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import ProgrammingError

from snowcellar.procedures import grammar
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Sql

_NUMBERS = itertools.count()
_CLAUSES = (
    "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
)


@pytest.fixture
def connection(shared_server: Any) -> Iterator[Any]:
    """A connection to a database of this test's own, on the server that the module shares."""
    opened = shared_server.connect(paramstyle="qmark")
    opened.cursor().execute(f"CREATE DATABASE DB{next(_NUMBERS)}")
    yield opened
    opened.close()


def inline(declaration: str, body: str, clauses: str = _CLAUSES) -> str:
    """The text of CREATE PROCEDURE with an inline handler."""
    return f"CREATE OR REPLACE PROCEDURE {declaration} {clauses} AS $$\n{body}\n$$"


def returning(type_: str, expression: str) -> str:
    """A procedure P() that returns the value of a Python expression."""
    imports = "from datetime import date, datetime, time, timezone\nfrom decimal import Decimal"
    return inline(f"P() RETURNS {type_}", f"{imports}\ndef main(session):\n    return {expression}")


@pytest.mark.parametrize(
    ("type_", "expression", "expected"),
    [
        ("VARCHAR", "'é'", "é"),
        ("STRING", "12", "12"),
        ("NUMBER", "2", 2),
        ("NUMBER(12, 2)", "Decimal('1.005')", Decimal("1.01")),
        ("INT", "1.5", 2),
        ("FLOAT", "0.5", 0.5),
        ("BOOLEAN", "True", True),
        ("DATE", "date(2025, 1, 2)", date(2025, 1, 2)),
        ("TIMESTAMP_NTZ", "datetime(2025, 1, 2, 3, 4, 5, 6)", datetime(2025, 1, 2, 3, 4, 5, 6)),
        ("VARCHAR", "None", None),
        ("VARIANT", "None", None),
    ],
)
def test_call_answers_one_cell_of_the_declared_type(
    connection: Any, sql: Sql, type_: str, expression: str, expected: Any
) -> None:
    sql(returning(type_, expression))
    cursor = connection.cursor().execute("CALL P()")
    assert cursor.fetchall() == [(expected,)]
    assert [column.name for column in cursor.description] == ["P"]


def test_call_answers_json_for_variant_object_and_array(sql: Sql) -> None:
    value = "{'a': [1, 2.5, None], 'd': Decimal('1.50'), 't': date(2025, 1, 2), 'é': 'ü'}"
    expected = {"a": [1, 2.5, None], "d": 1.5, "t": "2025-01-02", "é": "ü"}
    for type_ in ("VARIANT", "OBJECT"):
        sql(returning(type_, value))
        assert json.loads(sql("CALL P()")[0][0]) == expected
    sql(returning("ARRAY", "[1, 'x']"))
    assert json.loads(sql("CALL P()")[0][0]) == [1, "x"]


def test_call_whose_value_does_not_fit_the_declared_type_fails(sql: Sql) -> None:
    for type_, expression in (
        ("INT", "'many'"),
        ("OBJECT", "[1]"),
        ("NUMBER(2, 0)", "100"),
        ("INT", "object()"),
    ):
        sql(returning(type_, expression))
        with pytest.raises(ProgrammingError, match="Python Interpreter Error") as raised:
            sql("CALL P()")
        assert raised.value.errno == 100357


def test_call_takes_positional_named_default_and_bound_arguments(sql: Sql) -> None:
    sql(
        inline(
            "P(a INT, b VARCHAR DEFAULT 'x' || 'y') RETURNS VARCHAR",
            "def main(session, a, b): return f'{a!r} {b!r}'",
        )
    )
    assert sql("CALL P(1)") == [("1 'xy'",)]
    assert sql("CALL P(1 + 1, 'it''s')") == [('2 "it\'s"',)]
    assert sql("CALL p(b => NULL, a => -3)") == [("-3 None",)]
    assert sql("CALL P(?, ?)", [4, "z"]) == [("4 'z'",)]
    assert sql("CALL IDENTIFIER('P')('5')") == [("5 'xy'",)]


def test_call_gives_python_values_for_semi_structured_arguments(sql: Sql) -> None:
    sql(
        inline(
            "P(v VARIANT, a ARRAY, o OBJECT) RETURNS VARIANT", "def main(session, *given): return list(given)"
        )
    )
    call = "CALL P(PARSE_JSON('{\"k\": [1, null]}'), ARRAY_CONSTRUCT(1, 2), OBJECT_CONSTRUCT('x', 'y'))"
    assert json.loads(sql(call)[0][0]) == [{"k": [1, None]}, [1, 2], {"x": "y"}]
    assert json.loads(sql("CALL P('text', NULL, NULL)")[0][0]) == ["text", None, None]


def test_call_gives_python_values_for_dates_and_exact_numbers(sql: Sql) -> None:
    sql(
        inline(
            "P(d DATE, t TIMESTAMP_NTZ, n NUMBER(12, 2), f FLOAT, b BOOLEAN) RETURNS VARCHAR",
            "def main(session, *given): return repr(given)",
        )
    )
    expected = "(datetime.date(2025, 1, 2), datetime.datetime(2025, 1, 2, 3, 4), Decimal('1.50'), 2.0, True)"
    assert sql("CALL P('2025-01-02', '2025-01-02 03:04:00'::TIMESTAMP_NTZ, 1.5, 2, TRUE)") == [(expected,)]


def test_overloads_are_chosen_by_the_types_of_the_arguments(sql: Sql) -> None:
    for declaration, answer in (
        ("a INT", "int"),
        ("a VARCHAR", "text"),
        ("a INT, b INT", "two"),
        ("", "none"),
    ):
        sql(inline(f"P({declaration}) RETURNS VARCHAR", f"def main(session, *given): return '{answer}'"))
    calls = ("CALL P(1)", "CALL P('1')", "CALL P(1, 2)", "CALL P()", "CALL P('1'::INT)")
    assert [sql(call)[0][0] for call in calls] == ["int", "text", "two", "none", "int"]
    sql("DROP PROCEDURE P(INTEGER)")
    assert sql("CALL P(1)") == [("text",)]


def test_call_of_a_procedure_that_is_not_there_fails(sql: Sql) -> None:
    for name, says, errno in (
        ("nope", "Unknown function NOPE", 2140),
        ("public.nope", r"Unknown user-defined function DB\d+\.PUBLIC\.NOPE", 2141),
    ):
        with pytest.raises(ProgrammingError, match=says) as raised:
            sql(f"CALL {name}(1)")
        assert (raised.value.errno, raised.value.sqlstate) == (errno, "42601")


def test_call_with_arguments_of_no_overload_fails(sql: Sql) -> None:
    sql(inline("P(a DATE) RETURNS INT", "def main(session, a): return 1"))
    for arguments, shown in (("TRUE", "BOOLEAN"), ("'2025-01-02', 1", "VARCHAR, NUMBER"), ("", "")):
        with pytest.raises(ProgrammingError, match="Invalid argument types for function 'P'") as raised:
            sql(f"CALL P({arguments})")
        assert raised.value.errno == 1044
        assert f"({shown})" in str(raised.value)
    with pytest.raises(ProgrammingError, match="Date value 'soon' is not recognized"):
        sql("CALL P('soon')")


def test_a_handler_that_raises_fails_the_call_with_its_traceback(sql: Sql) -> None:
    body = "def inner():\n    raise ValueError('sour')\ndef main(session):\n    inner()"
    sql(inline("P() RETURNS INT", body))
    with pytest.raises(ProgrammingError) as raised:
        sql("CALL P()")
    assert (raised.value.errno, raised.value.sqlstate) == (100357, "P0000")
    assert str(raised.value).endswith(
        "Python Interpreter Error:\n"
        "Traceback (most recent call last):\n"
        '  File "_udf_code.py", line 5, in main\n'
        '  File "_udf_code.py", line 3, in inner\n'
        "ValueError: sour\n"
        " in function P with handler main"
    )


@pytest.mark.fact(28)
def test_a_body_is_not_looked_at_before_the_call(sql: Sql) -> None:
    sql(inline("P() RETURNS INT", "def main(session) return 1"))
    with pytest.raises(ProgrammingError, match="SyntaxError"):
        sql("CALL P()")
    sql(inline("P() RETURNS INT", "def other(session): return 1"))
    with pytest.raises(ProgrammingError, match="has no attribute 'main'"):
        sql("CALL P()")


def test_a_dataframe_is_the_rows_of_returns_table(connection: Any, sql: Sql) -> None:
    query = "SELECT {n} AS x, 1.5 AS y UNION ALL SELECT 2, 2.5"
    body = f"def main(session, n): return session.sql(f'{query}').sort('X')"
    sql(inline("P(n INT) RETURNS TABLE (a INT, b NUMBER(3, 1))", body))
    cursor = connection.cursor().execute("CALL P(7)")
    assert cursor.fetchall() == [(2, Decimal("2.5")), (7, Decimal("1.5"))]
    assert [column.name for column in cursor.description] == ["A", "B"]
    sql(inline("Q(n INT) RETURNS TABLE ()", body))
    assert [column.name for column in connection.cursor().execute("CALL Q(7)").description] == ["X", "Y"]


def test_the_active_session_is_the_handlers_session(sql: Sql) -> None:
    body = (
        "from snowflake.snowpark.context import get_active_session\n"
        "def main(session): return get_active_session() is session"
    )
    sql(inline("P() RETURNS BOOLEAN", body))
    assert sql("CALL P()") == sql("CALL P()") == [(True,)]


def test_snowpark_calls_procedures_by_name(connection: Any, sql: Sql) -> None:
    from snowflake.snowpark import Session

    sql(inline("P(a INT, o OBJECT) RETURNS VARIANT", "def main(session, a, o): return [a, o]"))
    sql(inline("T() RETURNS TABLE (a INT)", "def main(session): return session.sql('SELECT 3')"))
    session = Session.builder.configs({"connection": connection}).create()
    assert json.loads(session.call("P", 1, {"k": "v"})) == [1, {"k": "v"}]
    assert [row.A for row in session.call("T").collect()] == [3]


def test_clauses_come_in_any_order_and_case(sql: Sql) -> None:
    sql(
        "create or replace procedure IDENTIFIER('P')(who string) copy grants\nreturns varchar(20) not null\n"
        "language python\nruntime_version=3.11\nimports=()\nhandler='main'\n"
        "packages=('snowflake-snowpark-python', 'pyyaml')\nexecute as caller\ncomment = 'it''s'\n"
        "as 'def main(session, who): return \"bonjour \" + who'"
    )
    assert sql("CALL P('toi')") == [("bonjour toi",)]
    described = dict(sql("DESCRIBE PROCEDURE P(TEXT)"))
    assert described["signature"] == "(WHO VARCHAR)"
    assert described["returns"] == "VARCHAR NOT NULL"
    assert described["execute as"] == "CALLER"
    assert described["packages"] == "['snowflake-snowpark-python', 'pyyaml']"


@pytest.mark.fact(28)
@pytest.mark.parametrize(
    ("clauses", "named"),
    [
        (_CLAUSES.replace("PYTHON", "SQL"), "LANGUAGE SQL"),
        (_CLAUSES.replace("PYTHON", "JAVASCRIPT"), "LANGUAGE JAVASCRIPT"),
        (_CLAUSES.replace("3.11", "3.8"), "RUNTIME_VERSION = 3.8"),
        (_CLAUSES + " EXTERNAL_ACCESS_INTEGRATIONS = (web)", "EXTERNAL_ACCESS_INTEGRATIONS"),
        (_CLAUSES + " SECRETS = ('a' = b)", "SECRETS"),
        (_CLAUSES + " ARTIFACT_REPOSITORY = r", "ARTIFACT_REPOSITORY"),
        (_CLAUSES + " EXECUTE AS RESTRICTED CALLER", "EXECUTE AS RESTRICTED CALLER"),
        (_CLAUSES.replace("'snowflake-snowpark-python'", ""), "snowflake-snowpark-python"),
        (_CLAUSES.replace("'snowflake-snowpark-python'", "'pyyaml'"), "snowflake-snowpark-python"),
        (_CLAUSES.replace("python'", "python', 'no-such-package'"), "no-such-package"),
        (_CLAUSES.replace("python'", "python', 'pyyaml==0.1'"), "pyyaml==0.1"),
        (_CLAUSES.replace("HANDLER = 'main'", ""), "HANDLER"),
        (_CLAUSES + " IMPORTS = ('@NOWHERE/x.zip')", "NOWHERE"),
    ],
)
def test_create_names_what_it_refuses(sql: Sql, clauses: str, named: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        sql(inline("P() RETURNS INT", "def main(session): return 1", clauses))
    assert named in str(raised.value)


def test_an_anonymous_procedure_is_called_and_gone(sql: Sql) -> None:
    body = "AS $$\ndef main(session, a):\n    return f'{a} CALLs {session.get_current_schema()}'\n$$"
    made = f"WITH P AS PROCEDURE (a VARCHAR) RETURNS VARCHAR {_CLAUSES} {body}"
    assert sql(f"{made} CALL P('x')") == [('x CALLs "PUBLIC"',)]
    with pytest.raises(ProgrammingError, match="Unknown function P"):
        sql("CALL P('x')")
    with pytest.raises(ProgrammingError, match="Invalid argument types"):
        sql(f"{made} CALL P(1, 2)")
    for rest in ("CALL Q('x')", "SELECT 1", "CALL P('x') INTO :y"):
        with pytest.raises(ProgrammingError, match=r"Unsupported feature 'WITH \.\.\. AS PROCEDURE"):
            sql(f"{made} {rest}")


def test_create_respects_what_is_already_there(sql: Sql) -> None:
    sql(inline("P() RETURNS INT", "def main(session): return 1"))
    second = inline("P() RETURNS INT", "def main(session): return 2")
    with pytest.raises(ProgrammingError, match="already exists") as raised:
        sql(second.replace("OR REPLACE ", ""))
    assert raised.value.errno == 2002
    sql(second.replace("OR REPLACE PROCEDURE", "PROCEDURE IF NOT EXISTS"))
    assert sql("CALL P()") == [(1,)]
    sql(second)
    assert sql("CALL P()") == [(2,)]


def test_describe_and_drop_of_an_absent_procedure_say_2003(sql: Sql) -> None:
    sql(inline("P(a INT) RETURNS INT", "def main(session, a): return 1"))
    for statement in ("DESCRIBE PROCEDURE P()", "DROP PROCEDURE P(VARCHAR)"):
        with pytest.raises(ProgrammingError, match="does not exist or not authorized") as raised:
            sql(statement)
        assert raised.value.errno == 2003
    sql("DROP PROCEDURE IF EXISTS P(VARCHAR)")
    sql("DROP PROCEDURE P(NUMBER)")
    with pytest.raises(ProgrammingError):
        sql("CALL P(1)")


def test_a_dollar_in_a_body_is_no_session_variable(sql: Sql) -> None:
    sql("SET wine = 'Gamay'")
    sql(inline("P(a VARCHAR) RETURNS VARCHAR", "def main(session, a): return a + ' $wine $nothing'"))
    assert sql("CALL P($wine)") == [("Gamay $wine $nothing",)]


def test_procedures_go_with_their_schema(sql: Sql) -> None:
    for _ in range(2):
        sql("CREATE SCHEMA SHORT_LIVED")
        assert sql("SHOW PROCEDURES") == []
        sql(inline("P() RETURNS INT", "def main(session): return 1"))
        sql("DROP SCHEMA SHORT_LIVED")


def test_show_procedures_lists_by_pattern_and_place(connection: Any, sql: Sql) -> None:
    for name in ("PEAR(a INT, b INT DEFAULT 1)", "PLUM()"):
        sql(inline(f"{name} RETURNS VARIANT", "def main(session): return 1"))
    sql("CREATE SCHEMA ELSEWHERE")
    sql(inline("FIG() RETURNS INT", "def main(session): return 1"))
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]

    def names(clauses: str) -> list[str]:
        cursor = connection.cursor().execute(f"SHOW PROCEDURES {clauses}")
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return [row["arguments"] for row in rows if row["catalog_name"] == database]

    assert names("LIKE 'p%' IN DATABASE") == [
        "PEAR(NUMBER, DEFAULT NUMBER) RETURN VARIANT",
        "PLUM() RETURN VARIANT",
    ]
    assert names("IN SCHEMA PUBLIC") == names("LIKE 'P%' IN ACCOUNT")
    assert names("") == ["FIG() RETURN NUMBER"]
    assert len(connection.cursor().execute("SHOW USER PROCEDURES IN DATABASE").fetchall()) == 3


def test_procedures_are_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "cellar.duckdb"
    warehouse = Warehouse(file)
    session = warehouse.open_session()
    session.execute("CREATE DATABASE KEPT")
    session.execute(
        inline("P(a NUMBER(12, 2), b VARCHAR DEFAULT 'x') RETURNS TABLE (c INT)", "def main(session): ...")
    )
    before = session.execute("DESCRIBE PROCEDURE P(NUMBER, VARCHAR)").table
    warehouse.close()
    warehouse = Warehouse(file)
    session = warehouse.open_session("KEPT", "PUBLIC")
    assert session.execute("DESCRIBE PROCEDURE P(NUMBER, VARCHAR)").table == before
    session.execute("USE SCHEMA KEPT.PUBLIC")
    session.execute("DROP PROCEDURE P(NUMBER, VARCHAR)")
    assert session.execute("SHOW PROCEDURES").table.num_rows == 0
    warehouse.close()


def test_the_grammar_reads_commas_and_quotes_inside_literals() -> None:
    text = """CREATE PROCEDURE "p q"(a VARCHAR DEFAULT 'x,(''y', b NUMBER(3, 1)) RETURNS INT
        COMMENT = 'a)''' AS $$it's $1$$"""
    clauses = grammar.parse(text)
    assert [(argument.name, argument.default) for argument in clauses.arguments] == [
        ("A", "'x,(''y'"),
        ("B", None),
    ]
    assert clauses.values["comment"] == "a)'"
    assert clauses.values["body"] == "it's $1"
