"""Scalar Python functions: in queries and DML, permanent and temporary, as Snowpark registers them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import ProgrammingError
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import IntegerType, PandasSeriesType, StringType

from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Sql

_NUMBERS = itertools.count()
_CLAUSES = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'main'"


@pytest.fixture
def connection(shared_server: Any) -> Iterator[Any]:
    """A connection to a database of this test's own with a table T(A) of 1, 2 and NULL."""
    opened = shared_server.connect(paramstyle="qmark")
    opened.cursor().execute(f"CREATE DATABASE FUNCTIONS{next(_NUMBERS)}")
    opened.cursor().execute("CREATE TABLE T (A INT)")
    opened.cursor().execute("INSERT INTO T VALUES (1), (2), (NULL)")
    yield opened
    opened.close()


def inline(declaration: str, body: str, clauses: str = _CLAUSES) -> str:
    return f"CREATE OR REPLACE FUNCTION {declaration} {clauses} AS $$\n{body}\n$$"


def test_a_function_is_called_wherever_an_expression_stands(sql: Sql) -> None:
    sql(inline("PLUS(n INT) RETURNS INT", "def main(n): return None if n is None else n + 1"))
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]
    assert sql(f"SELECT plus(A), {database}.PUBLIC.PLUS(A) FROM T WHERE PLUS(A) > 2") == [(3, 3)]
    assert sql("SELECT SUM(PLUS(PLUS(A))) FROM T GROUP BY A IS NULL ORDER BY 1") == [(7,), (None,)]
    sql("INSERT INTO T SELECT PLUS(A) FROM T WHERE A = 2")
    sql("UPDATE T SET A = PLUS(A) WHERE A = 3")
    sql("CREATE TABLE COPIED AS SELECT PLUS(A) AS A FROM T")
    assert sql("SELECT A FROM COPIED ORDER BY A") == [(2,), (3,), (5,), (None,)]


@pytest.mark.parametrize(
    ("declaration", "body", "call", "expected"),
    [
        ("(a VARCHAR, b FLOAT) RETURNS VARCHAR", "a * int(b)", "F('ab', 2)", "abab"),
        ("(a NUMBER(10, 2)) RETURNS NUMBER(10, 1)", "a * 2", "F(1.123)", 2.2),
        ("(a VARIANT) RETURNS VARIANT", "a['b'][0]", "F(PARSE_JSON('{\"b\": [7]}'))::INT", 7),
        ("(a ARRAY) RETURNS OBJECT", "{'n': len(a)}", "F(ARRAY_CONSTRUCT(1, 2)):n::INT", 2),
        ("(a DATE) RETURNS VARCHAR", "a.isoformat()", "F('2024-02-29')", "2024-02-29"),
        ("(a BOOLEAN) RETURNS BOOLEAN", "not a", "F(TRUE)", False),
        ("(a INT) RETURNS VARCHAR", "type(a).__name__", "F(NULL)", "NoneType"),
        ("(a INT) RETURNS VARCHAR STRICT", "'called'", "F(NULL)", None),
        ("() RETURNS INT", "41 + 1", "F()", 42),
    ],
)
def test_values_go_and_come_by_the_declared_types(
    sql: Sql, declaration: str, body: str, call: str, expected: Any
) -> None:
    names = [
        part.split()[0]
        for part in declaration[1 : declaration.index(" RETURNS")].split(", ")
        if part[0] in "ab"
    ]
    sql(inline(f"F{declaration}", f"def main({', '.join(names)}): return {body}"))
    (value,) = sql(f"SELECT {call}")[0]
    assert (float(value) if isinstance(expected, float) else value) == expected


def test_what_a_module_keeps_lasts_as_long_as_the_statement(sql: Sql) -> None:
    body = "import itertools\nnumbers = itertools.count()\ndef main(): return next(numbers)"
    sql(inline("NEXT_ONE() RETURNS INT", body))
    for _ in range(2):
        assert sorted(sql("SELECT NEXT_ONE() FROM T")) == [(0,), (1,), (2,)]


def test_a_function_that_raises_fails_the_statement_with_its_traceback(sql: Sql) -> None:
    sql(inline("BAD(n INT) RETURNS INT", "def main(n):\n    return 1 // (n - 2)"))
    with pytest.raises(ProgrammingError) as raised:
        sql("INSERT INTO T SELECT BAD(A) FROM T WHERE A IS NOT NULL")
    assert (raised.value.errno, raised.value.sqlstate) == (100357, "P0000")
    assert 'File "_udf_code.py", line 3, in main' in str(raised.value)
    assert "ZeroDivisionError: " in str(raised.value)
    assert "in function BAD with handler main" in str(raised.value)
    assert sql("SELECT COUNT(*) FROM T") == [(3,)]


def test_a_function_whose_process_ends_fails_the_statement_alone(sql: Sql) -> None:
    sql(inline("BYE(n INT) RETURNS INT", "import os\ndef main(n): os._exit(3)"))
    with pytest.raises(ProgrammingError, match="ended with exit code 3"):
        sql("SELECT BYE(1)")
    assert sql("SELECT COUNT(*) FROM T") == [(3,)]


def test_a_function_within_a_transaction_goes_with_its_statement(sql: Sql) -> None:
    sql(inline("PLUS(n INT) RETURNS INT", "def main(n): return n + 1"))
    sql("BEGIN")
    sql("INSERT INTO T SELECT PLUS(7)")
    sql("ROLLBACK")
    assert sql("SELECT COUNT(*), MAX(PLUS(A)) FROM T WHERE A IS NOT NULL") == [(2, 3)]


def test_what_a_transaction_writes_by_a_function_is_kept_and_the_stream_consumed(sql: Sql) -> None:
    """The first statement looks again at what others have committed, and translates the call twice."""
    sql(inline("PLUS(n INT) RETURNS INT", "def main(n): return None if n is None else n + 1"))
    sql("CREATE TABLE DONE (A INT)")
    sql("CREATE STREAM S ON TABLE T SHOW_INITIAL_ROWS = TRUE")
    sql("BEGIN")
    sql(
        "MERGE INTO DONE USING (SELECT PLUS(A) AS A FROM S) AS N ON DONE.A = N.A "
        "WHEN NOT MATCHED THEN INSERT (A) VALUES (N.A)"
    )
    sql("COMMIT")
    assert sql("SELECT * FROM DONE ORDER BY 1") == [(2,), (3,), (None,)]
    assert sql("SELECT SYSTEM$STREAM_HAS_DATA('S')") == [(False,)]


def test_snowpark_registers_temporary_and_permanent_functions(connection: Any, sql: Sql) -> None:
    sql("CREATE STAGE CODE")
    session = Session.builder.configs({"connection": connection}).create()
    double = session.udf.register(
        lambda n: None if n is None else n * 2, return_type=IntegerType(), input_types=[IntegerType()]
    )
    assert sorted(session.table("T").select(double(F.col("A"))).collect(), key=str) == [(2,), (4,), (None,)]
    session.udf.register(
        lambda text: text.title(),
        return_type=StringType(),
        input_types=[StringType()],
        name="TITLED",
        is_permanent=True,
        stage_location="@CODE",
    )
    assert sql("SELECT TITLED('pinot noir')") == [("Pinot Noir",)]
    assert [row[1] for row in sql("SHOW USER FUNCTIONS LIKE 'TITLED'")] == ["TITLED"]


def test_snowpark_registers_vectorized_functions(connection: Any) -> None:
    session = Session.builder.configs({"connection": connection}).create()
    numbers = PandasSeriesType(IntegerType())
    halved = F.pandas_udf(
        lambda a, b: a // b,
        session=session,
        return_type=numbers,
        input_types=[numbers] * 2,
        packages=["pandas"],
    )
    rows = session.table("T").select(halved(F.col("A"), F.lit(2))).collect()
    assert sorted(rows, key=str) == [(0,), (1,), (None,)]


def test_snowpark_registers_temporary_and_permanent_procedures(
    shared_server: Any, connection: Any, sql: Sql
) -> None:
    sql("CREATE STAGE CODE")
    session = Session.builder.configs({"connection": connection}).create()
    options = {"return_type": IntegerType(), "packages": ["snowflake-snowpark-python"]}
    rows = session.sproc.register(lambda s: s.table("T").count(), name="ROWS_OF_T", **options)
    session.sproc.register(
        lambda s: s.sql("SELECT 7").collect()[0][0],
        name="SEVEN",
        is_permanent=True,
        stage_location="@CODE",
        replace=True,
        **options,
    )
    assert (rows(session=session), sql("CALL ROWS_OF_T()"), session.call("SEVEN")) == (3, [(3,)], 7)
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]
    with shared_server.connect(database=database, schema="PUBLIC") as other:
        assert other.cursor().execute("CALL SEVEN()").fetchall() == [(7,)]
        with pytest.raises(ProgrammingError, match="Unknown function ROWS_OF_T"):
            other.cursor().execute("CALL ROWS_OF_T()")


def test_a_temporary_function_is_its_sessions_and_hides_the_lasting_one(shared_server: Any, sql: Sql) -> None:
    sql(inline("WHO() RETURNS VARCHAR", "def main(): return 'all'"))
    sql(inline("WHO() RETURNS VARCHAR", "def main(): return 'mine'").replace("REPLACE", "REPLACE TEMPORARY"))
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]
    with shared_server.connect(database=database, schema="PUBLIC") as other:
        assert other.cursor().execute("SELECT WHO()").fetchall() == [("all",)]
    assert sql("SELECT WHO()") == [("mine",)]
    sql("DROP FUNCTION WHO()")
    assert sql("SELECT WHO()") == [("all",)]
    sql("DROP FUNCTION WHO()")
    with pytest.raises(ProgrammingError, match="Unknown function WHO"):
        sql("SELECT WHO()")


def test_overloads_are_told_apart_by_how_many_arguments_they_take(sql: Sql) -> None:
    sql(inline("N(a INT) RETURNS INT", "def main(a): return 1"))
    sql(inline("N(a INT, b INT) RETURNS INT", "def main(a, b): return 2"))
    assert sql("SELECT N(0), N(0, 0)") == [(1, 2)]
    with pytest.raises(ProgrammingError, match="Invalid argument types for function 'N'"):
        sql("SELECT N()")


@pytest.fixture
def kinds(sql: Sql) -> Sql:
    """`sql` beside K, which says of which type it takes its argument, and a table of such arguments."""
    for kind in ("INT", "VARCHAR", "DATE", "VARIANT"):
        sql(f"CREATE FUNCTION K(a {kind}) RETURNS VARCHAR AS $$ '{kind}' $$")
    sql("CREATE OR REPLACE TABLE OF_ALL (I INT, F FLOAT, S VARCHAR, D DATE, V VARIANT)")
    sql("INSERT INTO OF_ALL SELECT 1, 2.5, 'x', '2025-01-02', PARSE_JSON('[1]')")
    return sql


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT K(1), K('1'), K('2025-01-02'::DATE), K(PARSE_JSON('1'))", "INT VARCHAR DATE VARIANT"),
        ("SELECT K(I), K(S), K(D), K(V), K(V[0]::VARCHAR) FROM OF_ALL", "INT VARCHAR DATE VARIANT VARCHAR"),
        ("SELECT K(F), K(I || S), K(D + 1), K(-1) FROM OF_ALL", "INT VARCHAR DATE INT"),
        ("SELECT K(K(I)), K(UPPER(K(D))) FROM OF_ALL", "VARCHAR VARCHAR"),
        ("SELECT K(MAX(D)), K(COUNT(*)) FROM OF_ALL", "DATE INT"),
        ("SELECT S || 'y' AS Y, K(Y) FROM OF_ALL", "xy VARCHAR"),
        ("WITH C AS (SELECT D AS I FROM OF_ALL) SELECT K(I), (SELECT K(I) FROM OF_ALL) FROM C", "DATE INT"),
        ("SELECT K(X.S) FROM OF_ALL AS X JOIN OF_ALL AS Y ON K(X.I) = 'INT' AND K(Y.D) = 'DATE'", "VARCHAR"),
        ("SELECT K(F.VALUE) FROM OF_ALL, LATERAL FLATTEN(INPUT => V) AS F WHERE K(I) = 'INT'", "VARIANT"),
    ],
)
def test_overloads_are_chosen_by_the_types_of_the_arguments(kinds: Sql, query: str, expected: str) -> None:
    assert kinds(query) == [tuple(expected.split(" "))]


def test_dml_chooses_overloads_too(kinds: Sql) -> None:
    kinds("UPDATE OF_ALL SET S = K(D)")
    assert kinds("SELECT S FROM OF_ALL") == [("DATE",)]
    kinds("DELETE FROM OF_ALL WHERE K(I) <> 'INT'")
    kinds("INSERT INTO OF_ALL (S) SELECT K(I) FROM OF_ALL")
    kinds("MERGE INTO OF_ALL USING (SELECT 1 AS N) AS X ON I = N WHEN MATCHED THEN UPDATE SET S = K(X.N)")
    assert kinds("SELECT S FROM OF_ALL") == [("INT",), ("INT",)]


def test_an_overload_in_python_is_described_and_dropped_by_its_signature(kinds: Sql) -> None:
    kinds(inline("K(a BOOLEAN) RETURNS VARCHAR", "def main(a): return 'python'"))
    assert kinds("SELECT K(I = 1), K(?) FROM OF_ALL", [5]) == [("python", "INT")]
    assert kinds("DESCRIBE FUNCTION K(BOOLEAN)")[0] == ("signature", "(A BOOLEAN)")
    assert len(kinds("SHOW USER FUNCTIONS LIKE 'K'")) == 5
    kinds("DROP FUNCTION K(BOOLEAN)")
    kinds("DROP FUNCTION K(VARIANT)")
    with pytest.raises(
        ProgrammingError, match=r"Invalid argument types for function 'K': \(BINARY\)"
    ) as error:
        kinds("SELECT K(TO_BINARY('AB', 'HEX'))")
    assert error.value.errno == 1044


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE FUNCTION G(a INT) RETURNS TABLE (b INT) AS 'SELECT a'", "RETURNS TABLE"),
        ("CREATE FUNCTION G(a INT) RETURNS INT AS 'SELECT FROM WHERE'", "(?i)syntax|expect|invalid"),
        ("CREATE FUNCTION G(a INT) RETURNS INT LANGUAGE JAVA HANDLER = 'x'", "LANGUAGE JAVA"),
        (inline("G() RETURNS TABLE (a INT)", "class main: pass"), "RETURNS TABLE"),
        (inline("G() RETURNS INT", "", f"{_CLAUSES} PACKAGES = ('no-such-package')"), "no-such-package"),
        ("CREATE VIEW V AS SELECT KNOWN(1) AS A", "a view that calls function KNOWN"),
    ],
)
def test_what_a_function_cannot_be_is_refused_by_name(sql: Sql, statement: str, named: str) -> None:
    sql(inline("KNOWN(a INT) RETURNS INT", "def main(a): return a"))
    with pytest.raises(ProgrammingError, match=named):
        sql(statement)


def test_a_function_in_sql_is_its_body(sql: Sql) -> None:
    sql("CREATE FUNCTION AREA(r FLOAT) RETURNS NUMBER(10, 2) AS '3.14159 * r * R'")
    sql("CREATE FUNCTION TWICE(n INT) RETURNS INT LANGUAGE SQL AS $$ AREA(n) * 2 - AREA(n) $$")
    sql("CREATE FUNCTION ROWS_ABOVE(least INT) RETURNS INT AS 'SELECT COUNT(*) FROM T WHERE A >= least'")
    assert sql("SELECT AREA(A), TWICE(A) FROM T WHERE A = 2") == [(Decimal("12.57"), 13)]
    sql("CREATE VIEW V AS SELECT AREA(A) AS S FROM T WHERE A = 1")
    sql("CREATE SCHEMA ELSEWHERE")
    assert sql("SELECT PUBLIC.ROWS_ABOVE(2), PUBLIC.ROWS_ABOVE(1)") == [(1, 2)]
    assert sql("SELECT S FROM PUBLIC.V") == [(Decimal("3.14"),)]
    assert dict(sql("DESCRIBE FUNCTION PUBLIC.AREA(FLOAT)"))["language"] == "SQL"


def test_describe_tells_what_was_created(sql: Sql) -> None:
    sql(inline("G(a INT, b STRING) RETURNS VARIANT", "def main(a, b): return [a, b]"))
    described = dict(sql("DESCRIBE FUNCTION G(INT, STRING)"))
    assert (described["signature"], described["returns"]) == ("(A NUMBER, B VARCHAR)", "VARIANT")
    assert (described["handler"], described["language"]) == ("main", "PYTHON")
    assert json.loads(sql("SELECT G(1, 'x')")[0][0]) == [1, "x"]


def test_a_function_and_a_procedure_get_other_comments(sql: Sql) -> None:
    sql(inline("G(a NUMBER(10, 2)) RETURNS INT", "def main(a): return 1"))
    sql(
        inline(
            "P() RETURNS INT", "def main(s): return 1", f"{_CLAUSES} PACKAGES = ('snowflake-snowpark-python')"
        ).replace("FUNCTION", "PROCEDURE")
    )
    sql(inline("H() RETURNS INT", "def main(): return 1").replace("FUNCTION", "TEMPORARY FUNCTION"))

    def comments(kind: str) -> dict[str, str]:
        return {row[1]: row[9] for row in sql(f"SHOW USER {kind}")}

    sql("COMMENT ON FUNCTION G(NUMBER(10, 2)) IS 'it''s'")
    sql("COMMENT ON FUNCTION H() IS $$passing$$")
    sql("ALTER PROCEDURE IF EXISTS P() SET COMMENT = 'called'")
    assert comments("FUNCTIONS") == {"G": "it's", "H": "passing"}
    assert comments("PROCEDURES") == {"P": "called"}
    sql("ALTER PROCEDURE P() UNSET COMMENT")
    assert comments("PROCEDURES") == {"P": ""}
    assert sql("CALL P()")[0][0] == sql("SELECT H()")[0][0] == 1
    sql("COMMENT IF EXISTS ON PROCEDURE NOWHERE() IS 'x'")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        sql("COMMENT ON PROCEDURE NOWHERE() IS 'x'")
    with pytest.raises(ProgrammingError, match=r"ALTER PROCEDURE \.\.\. RENAME"):
        sql("ALTER PROCEDURE P() RENAME TO Q")


def test_functions_are_there_after_a_restart_and_go_with_their_schema(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "cellar.duckdb")
    session = first.open_session()
    session.execute("CREATE DATABASE KEPT")
    session.execute(inline("G(a INT) RETURNS INT", "def main(a): return a"))
    first.close()
    second = Warehouse(tmp_path / "cellar.duckdb")
    session = second.open_session("KEPT", "PUBLIC")
    assert session.execute("SHOW USER FUNCTIONS").table.num_rows == 1
    session.execute("CREATE SCHEMA OTHER")
    session.execute(inline("G(a INT) RETURNS INT", "def main(a): return a"))
    session.execute("DROP SCHEMA OTHER")
    assert session.execute("SHOW USER FUNCTIONS IN ACCOUNT").table.num_rows == 1
    second.close()
