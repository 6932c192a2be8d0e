"""CREATE TABLE AS as Snowpark's save_as_table sends it, and temporary tables and stages as it makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


VARCHAR = "VARCHAR(16777216)"


def types(query: Query, table: str) -> list[tuple[str, str, str]]:
    return [(row["name"], row["type"], row["null?"]) for row in query(f"DESCRIBE TABLE {table}")]


def test_the_definition_names_and_types_the_columns_of_the_query(query: Query) -> None:
    query(
        """CREATE OR REPLACE TABLE T("A" BIGINT, "DESC" STRING(20) NOT NULL, "D" NUMBER(10, 2), "V" VARIANT)
        AS SELECT * FROM (SELECT '1' AS X, 2 AS Y, 1.005, PARSE_JSON('[1]'))"""
    )
    assert types(query, "T") == [
        ("A", "NUMBER(38,0)", "Y"),
        ("DESC", "VARCHAR(20)", "N"),
        ("D", "NUMBER(10,2)", "Y"),
        ("V", "VARIANT", "Y"),
    ]
    rows = query("SELECT A + 1 AS A, \"DESC\" || '!' AS TOLD, D::VARCHAR AS D, V[0]::INT AS V FROM T")
    assert rows == [{"A": 2, "TOLD": "2!", "D": "1.01", "V": 1}]


def test_columns_may_be_named_alone(query: Query) -> None:
    query("CREATE OR REPLACE TABLE T (B, \"a\") COMMENT = 'it''s' AS SELECT 1, 'x'::VARCHAR(3)")
    assert query("SELECT * FROM T") == [{"B": 1, "a": "x"}]
    (shown,) = query("SHOW TABLES LIKE 'T'")
    assert shown["name"] == "T"


@pytest.mark.parametrize("kind", ["TEMPORARY", "TRANSIENT", "SCOPED TEMPORARY"])
def test_every_kind_of_table_is_made_from_a_query(query: Query, kind: str) -> None:
    query(f"CREATE OR REPLACE {kind} TABLE KIND AS SELECT 'x'::VARCHAR(3) AS A")
    assert query("SELECT * FROM KIND") == [{"A": "x"}]
    query("DROP TABLE KIND")


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("CREATE TABLE NEW (A INT, B INT) AS SELECT 1", 2026),
        ("CREATE TABLE NEW (A INT NOT NULL) AS SELECT NULL", 100072),
        ("CREATE TABLE NEW (A INT) AS SELECT 'x'", 100038),
        ("CREATE TABLE NEW (A INT DEFAULT 1) AS SELECT 1", 2),
    ],
)
def test_a_query_that_does_not_fit_makes_no_table(query: Query, statement: str, errno: int) -> None:
    with pytest.raises(WarehouseError) as error:
        query(statement)
    assert error.value.errno == errno, error.value.message
    with pytest.raises(WarehouseError, match="'NEW' does not exist"):
        query("SELECT * FROM NEW")


def test_the_stage_of_put_may_be_bound_or_quoted(query: Query, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    query("CREATE OR REPLACE SCOPED TEMPORARY STAGE FILES")
    for statement, params in (
        (f"PUT 'file://{tmp_path}/a.txt' ? AUTO_COMPRESS = FALSE", ["@FILES/in"]),
        (f"PUT 'file://{tmp_path}/a.txt' '@FILES/in'", None),
    ):
        assert query(statement, params)
    with pytest.raises(WarehouseError, match=r"Stage 'CELLAR_DB\.PUBLIC\.NOWHERE' does not exist"):
        query(f"PUT 'file://{tmp_path}/a.txt' ?", ["@NOWHERE"])


def test_a_temporary_table_goes_by_its_full_name_too(query: Query) -> None:
    name = 'CELLAR_DB."PUBLIC".TEMP1'
    query(f"CREATE SCOPED TEMPORARY TABLE {name} IF NOT EXISTS (A INT, B VARCHAR)")
    query(f"INSERT INTO {name} VALUES (1, 'x'), (2, 'y')")
    query(f"UPDATE {name} SET B = 'z' WHERE A = 1")
    query(f"MERGE INTO {name} USING (SELECT 2 AS N) AS S ON TEMP1.A = S.N WHEN MATCHED THEN DELETE")
    assert query(f"SELECT TEMP1.A, O.B FROM {name} JOIN {name} AS O ON TEMP1.A = O.A") == [{"A": 1, "B": "z"}]
    assert types(query, name) == types(query, "TEMP1") == [("A", "NUMBER(38,0)", "Y"), ("B", VARCHAR, "Y")]
    query(f"CREATE OR REPLACE TEMPORARY VIEW CELLAR_DB.PUBLIC.SEEN AS SELECT A FROM {name}")
    assert query("SELECT * FROM CELLAR_DB.PUBLIC.SEEN") == [{"A": 1}]
    query(f"CREATE OR REPLACE TABLE LASTING AS SELECT * FROM {name}")
    query(f"DROP TABLE {name}")
    query(f"CREATE TEMPORARY TABLE {name} (A INT)")
    assert query(f"SELECT * FROM {name}") == []


def test_a_statement_on_a_temporary_table_is_no_other_sessions(query: Query) -> None:
    """Translations are kept by their text, and the same text names another table elsewhere."""
    query("CREATE OR REPLACE TABLE SAME AS SELECT 'lasting' AS A")
    text = "SELECT A FROM CELLAR_DB.PUBLIC.SAME"
    assert query(text) == [{"A": "lasting"}]
    query("CREATE OR REPLACE TEMPORARY TABLE SAME AS SELECT 'temporary' AS A")
    assert query(text) == [{"A": "temporary"}]
    query("DROP TABLE SAME")


def test_the_condition_may_stand_after_the_name(query: Query) -> None:
    query("CREATE OR REPLACE TABLE LATE (A INT)")
    query("INSERT INTO LATE VALUES (1)")
    query('CREATE  TABLE LATE If  NOT  EXISTS ("B" BIGINT)')
    assert query("SELECT * FROM LATE") == [{"A": 1}]


def test_temporary_tables_are_shown_to_their_session(query: Query) -> None:
    query("CREATE SCHEMA LISTED")
    query("CREATE TEMPORARY TABLE MINE (A INT)")
    query("CREATE TABLE OURS (A INT)")
    shown = [(row["name"], row["kind"], row["schema_name"]) for row in query("SHOW TABLES")]
    assert sorted(shown) == [("MINE", "TEMPORARY", "LISTED"), ("OURS", "TABLE", "LISTED")]
    assert [row["name"] for row in query("SHOW TERSE TABLES LIKE 'mi%'")] == ["MINE"]
    assert "MINE" not in [row["name"] for row in query("SHOW TABLES IN SCHEMA PUBLIC")]
