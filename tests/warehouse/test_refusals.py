"""What is not supported is refused by name, and what is accepted is meant (PITFALL 37)."""

from __future__ import annotations

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE DYNAMIC TABLE D TARGET_LAG = '1 minute' WAREHOUSE = W AS SELECT 1 AS A",
        "CREATE MATERIALIZED VIEW M AS SELECT 1 AS A",
        "CREATE EXTERNAL TABLE E (A INT) LOCATION = @X",
        "CREATE TAG X",
        "CREATE FUNCTION F() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1'",
        "CREATE ALERT A1 IF (EXISTS (SELECT 1)) THEN SELECT 1",
        "CREATE INDEX I ON T (A)",
        "CREATE USER U NETWORK_POLICY = P",
        "UNDROP TABLE T",
        "ALTER TABLE T SWAP WITH U",
        "ALTER TABLE T SET TAG A = 'x'",
        "ALTER TABLE T MODIFY COLUMN A SET TAG X = 'y'",
        "CREATE MASKING POLICY M AS (A VARCHAR) RETURNS VARCHAR -> A",
        "ALTER TABLE T MODIFY COLUMN A SET MASKING POLICY M FORCE",
        "SHOW TAGS",
        "EXPLAIN SELECT 1",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "SELECT * FROM T AT (OFFSET => -60)",
        "SELECT * FROM TABLE('T')",
        "SELECT SYSTEM$NOWHERE()",
        "PRAGMA database_list",
        "CHECKPOINT",
        "VACUUM",
        "ANALYZE",
        "SHOW NOTHINGS",
        "CREATE STREAM S ON STAGE X",
        "CREATE STREAM S ON DYNAMIC TABLE D",
        "CREATE STREAM S ON TABLE T AT (OFFSET => -60)",
    ],
)
def test_a_statement_that_is_not_supported_is_refused_by_name(query: Query, statement: str) -> None:
    query("CREATE OR REPLACE TABLE T (A INT)")
    with pytest.raises(WarehouseError) as error:
        query(statement)
    assert error.value.errno == 2, error.value.message
    assert "Unsupported feature" in error.value.message
    assert query("SELECT * FROM T") == []


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("", 900),
        ("-- nothing", 900),
        ("SELECT 1; SELECT 2", 8),
        ("SELEC 1", None),
        ("SELECT * FROM NOWHERE", 2003),
        ("SELECT NOWHERE(1)", 2140),
        ("SELECT NOTHING FROM T", 904),
        ("DROP TABLE NOWHERE", 2003),
        ("DROP STREAM NOWHERE", 2003),
        ("CREATE TABLE T (A INT)", 2002),
        ("USE SCHEMA NOWHERE", 2043),
        ("SELECT 1 / 0", 100051),
        ("SELECT 'x'::INT", 100038),
        ("SELECT SYSTEM$STREAM_HAS_DATA('NOWHERE')", 2003),
        ("SELECT SYSTEM$STREAM_HAS_DATA()", 938),
        ("SELECT IS_OBJECT() FROM T", 938),
    ],
)
def test_errors_have_snowflakes_number(query: Query, statement: str, errno: int | None) -> None:
    query("CREATE OR REPLACE TABLE T (A INT)")
    with pytest.raises(WarehouseError) as error:
        query(statement)
    assert error.value.errno != 603
    assert errno is None or error.value.errno == errno, error.value.message


@pytest.mark.parametrize(
    "statement", ["SELECT 1 AS A;", "SELECT 1 AS A; -- done", "/* x */ SELECT 1 AS A ;;\n"]
)
def test_comments_and_semicolons_around_a_statement_are_nothing(query: Query, statement: str) -> None:
    assert query(statement) == [{"A": 1}]


def test_deep_and_long_statements_end_in_an_error_or_an_answer(query: Query) -> None:
    """Neither may end the server, nor take for ever."""
    long = "SELECT " + ", ".join(f"{number} AS C{number}" for number in range(3000))
    assert len(query(long)[0]) == 3000
    assert query("SELECT 1 AS A" + " " * 200_000 + ", 2 AS B") == [{"A": 1, "B": 2}]
    for deep in (
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT 1 WHERE " + " OR ".join(["1 = 0"] * 1500),
    ):
        try:
            query(deep)
        except WarehouseError as error:
            assert error.errno != 603, error.message


@pytest.mark.fact(30)
def test_keys_are_accepted_and_not_enforced_but_not_null_is(query: Query) -> None:
    """SEMANTICS 30."""
    query(
        "CREATE OR REPLACE TABLE T (A INT PRIMARY KEY, B VARCHAR UNIQUE, C INT REFERENCES OTHER (A), "
        "D INT NOT NULL, CONSTRAINT X UNIQUE (B, C), FOREIGN KEY (C) REFERENCES OTHER (A))"
    )
    query("CREATE OR REPLACE TABLE P (A INT, B INT, PRIMARY KEY (A))")
    query("INSERT INTO T VALUES (1, 'x', 5, 0), (1, 'x', 5, 0)")
    query("INSERT INTO P VALUES (1, 1), (1, NULL)")
    query("ALTER TABLE P ADD CONSTRAINT U UNIQUE (B)")
    query("INSERT INTO P VALUES (1, 1)")
    assert len(query("SELECT * FROM P")) == 3
    for statement in ("INSERT INTO T VALUES (1, 'x', 1, NULL)", "INSERT INTO P VALUES (NULL, 1)"):
        with pytest.raises(WarehouseError, match="NULL result in a non-nullable column") as error:
            query(statement)
        assert error.value.errno == 100072
