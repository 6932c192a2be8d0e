"""fakesnow's passes, those that cannot matter left out: the same statement comes of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.variables import Variables
from sqlglot import exp

from snowcellar.passes import Passes, looks_for

ROOT = Path(__file__).parents[2]
FOLDERS = ("analytics", "src/caves_snowpark/invariants")
# One or more for each pass that changes a query or a DML statement.
STATEMENTS = [
    "SELECT * FROM IDENTIFIER('a.b.c')",
    'SELECT CURRENT_VERSION(), a, B, "c" FROM t',
    "SELECT table_name FROM information_schema.tables, d.information_schema.databases",
    "SELECT CAST(a AS VARIANT), CAST(b AS OBJECT), CAST(c AS ARRAY), CAST(d AS FLOAT), CAST(e AS INT) FROM t",
    "SELECT TRY_PARSE_JSON(a), SPLIT(a, ','), TRIM(a::VARCHAR) FROM t",
    "SELECT a[0], a['b'][1], a:b.c::VARCHAR, UPPER(a:b), LOWER(a:b), a:b = 1 AND NOT a:c IS NULL FROM t",
    "SELECT f.value::VARCHAR, f.index FROM t, LATERAL FLATTEN(input => t.a:b) f",
    "SELECT f.value FROM TABLE(FLATTEN(input => PARSE_JSON('[1]'))) f",
    "SELECT REGEXP_REPLACE(a, 'x', 'y'), REGEXP_SUBSTR(a, 'x+', 1, 1, 'e'), a RLIKE 'b' FROM t",
    "SELECT s.nextval, s.nextval AS n",
    "SELECT column1, column2 FROM VALUES (1, 'a'), (2, 'b')",
    "SELECT TO_DATE(a), TO_TIMESTAMP(a), TO_TIMESTAMP_NTZ(b, 3), '2025-01-01T00:00+02:00'::TIMESTAMP_TZ",
    "SELECT TO_DECIMAL(a, 10, 2), TO_NUMBER(a), TO_VARIANT(a), a::TIMESTAMP_NTZ(9), a::TIMESTAMP_LTZ FROM t",
    "SELECT OBJECT_CONSTRUCT('a', 1, 'b', NULL), OBJECT_CONSTRUCT(*), {'a': b} FROM t",
    "SELECT * FROM t SAMPLE (10)",
    "SELECT * FROM t TABLESAMPLE BERNOULLI (10) SEED (3)",
    "SELECT ARRAY_SIZE(a), ARRAY_CONSTRUCT(1, 2), ARRAY_CAT(a, b), ARRAY_CONSTRUCT_COMPACT(NULL, 1) FROM t",
    "SELECT RANDOM(), RANDOM(7), (SELECT RANDOM()) FROM t",
    "SELECT ARRAY_AGG(a) WITHIN GROUP (ORDER BY b DESC), ARRAY_AGG(DISTINCT a), OBJECT_AGG(a, b) FROM t",
    "SELECT ARRAY_AGG(a) OVER (PARTITION BY b) FROM t",
    "SELECT DATEADD(day, 1, '2025-01-01'), DATEADD(day, 1, a::DATE), DATEDIFF('hour', '2025-01-01', a)",
    "SELECT HAVERSINE(1, 2, 3, 4), X'FF', SHA2(a), SHA2(a, 256), SHA2_HEX(a), SHA2_BINARY(a) FROM t",
    "SELECT a AS x, x + 1 AS y FROM t JOIN u ON x = u.x WHERE y > 2",
    "SELECT SUM(a), AVG(a:b), SUM(DISTINCT a), MEDIAN(a) FROM t",
    "SELECT $1, $name FROM @stage/file",
    "WITH c AS (SELECT a:b AS x FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY b) = 1) SELECT x FROM c",
    "INSERT INTO t (a, b) SELECT PARSE_JSON(a), ARRAY_CONSTRUCT(b) FROM VALUES ('1', 2) AS v (a, b)",
    "UPDATE t SET a = OBJECT_CONSTRUCT('x', b:c::INT) WHERE TRY_PARSE_JSON(d):e[0] = 1",
    "DELETE FROM t USING u WHERE t.a = u.a AND u.b::VARCHAR = 'x'",
    """MERGE INTO t USING (SELECT a, b:c AS c FROM s) AS s ON t.a = s.a
    WHEN MATCHED AND s.c IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET c = s.c::VARCHAR
    WHEN NOT MATCHED THEN INSERT (a, c) VALUES (s.a, TO_VARIANT(s.c))""",
]


def trees(sql: str) -> list[exp.Expr]:
    return [tree for tree in sqlglot.parse(sql, read="snowflake") if isinstance(tree, exp.Query | exp.DML)]


def in_files() -> list[str]:
    return [
        path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.sql"))
    ]


def changed_by_fakesnow(tree: Any) -> Any:
    session = SimpleNamespace(variables=Variables(), database="D", schema="S", db_path=None, table_stages={})
    cursor = SimpleNamespace(_conn=session, _duck_conn=None)
    return FakeSnowflakeCursor._transform(cast(FakeSnowflakeCursor, cursor), tree, None)


def compare(sql: str) -> int:
    """The number of statements in a text of which both ways made the same."""
    count = 0
    for whole, quick in zip(trees(sql), trees(sql), strict=True):
        expected = changed_by_fakesnow(whole).sql(dialect="duckdb")
        assert changed_by_fakesnow(Passes(quick)).tree.sql(dialect="duckdb") == expected
        count += 1
    return count


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_becomes_what_fakesnow_makes_of_it(sql: str) -> None:
    assert compare(sql) == 1


def test_every_query_of_the_project_becomes_what_fakesnow_makes_of_it() -> None:
    assert sum(map(compare, in_files())) > 60


def test_a_pass_that_looks_for_nothing_in_the_tree_is_not_called() -> None:
    called: list[exp.Expr] = []

    def looks_for_casts(node: exp.Expr) -> exp.Expr:
        called.append(node)
        return node if not isinstance(node, (exp.Cast, exp.Sum)) else exp.Null()

    passes = Passes(sqlglot.parse_one("SELECT a + 1 FROM t"))
    assert passes.transform(looks_for_casts, copy=False).tree.sql() == "SELECT a + 1 FROM t"
    assert called == []
    passes = Passes(sqlglot.parse_one("SELECT CAST(SUM(a) AS INT), SUM(b) FROM t"))
    assert passes.transform(looks_for_casts, copy=False).tree.sql() == "SELECT NULL, NULL FROM t"
    # The sum within the cast went with it.
    assert [type(node) for node in called] == [exp.Cast, exp.Sum]


def test_a_pass_sees_what_an_earlier_one_put_there() -> None:
    def casts(node: exp.Expr) -> exp.Expr:
        return exp.cast(exp.column("c"), "int") if isinstance(node, exp.Column) else node

    def nulls(node: exp.Expr) -> exp.Expr:
        return exp.Null() if isinstance(node, exp.Cast) else node

    passes = Passes(sqlglot.parse_one("SELECT a FROM t"))
    assert passes.transform(casts).transform(nulls).tree.sql() == "SELECT NULL FROM t"


def test_a_pass_whose_code_names_no_class_is_always_taken() -> None:
    def blind(node: exp.Expr) -> exp.Expr:
        return exp.Null() if node.key == "column" else node

    assert looks_for(blind) is None
    passes = Passes(sqlglot.parse_one("SELECT a FROM t"))
    assert passes.transform(blind).tree.sql() == "SELECT NULL FROM t"
