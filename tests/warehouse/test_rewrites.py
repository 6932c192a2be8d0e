"""Rewrites as pairs of SQL: what Snowflake's text becomes before fakesnow sees it."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from snowcellar import binds, ddl, rewrites
from snowcellar.errors import WarehouseError
from snowcellar.session import Session


@pytest.mark.parametrize(
    ("snowflake", "duckdb"),
    [
        ("SELECT 1 / 2", "SELECT 1 / 2"),
        ("SELECT $1, $2 FROM T", 'SELECT "COLUMN1", "COLUMN2" FROM T'),
        ("SELECT TRY_TO_DATE(A) FROM T", "SELECT TRY_CAST(A AS DATE) FROM T"),
        ("SELECT CURRENT_ROLE()", "SELECT 'ACCOUNTADMIN' AS \"CURRENT_ROLE()\""),
        ("SELECT IS_OBJECT(V) FROM T", "SELECT (JSON_TYPE(V) IN ('OBJECT')) FROM T"),
    ],
)
def test_rewrites(session: Session, snowflake: str, duckdb: str) -> None:
    tree = rewrites.apply(session, parse_one(snowflake, read="snowflake"))
    assert tree.sql(dialect="duckdb").replace("json_type", "JSON_TYPE") == duckdb


def test_a_divisor_is_guarded_once_however_often_it_is_rewritten(session: Session) -> None:
    tree = parse_one("SELECT A / B FROM T", read="snowflake")
    once = rewrites.apply(session, tree).sql(dialect="duckdb")
    assert rewrites.apply(session, tree).sql(dialect="duckdb") == once
    assert once.upper().count("ERROR(") == 1


@pytest.mark.parametrize(
    ("sql", "numbered"),
    [
        ("SELECT ?, '?', \"?\" -- ?\n, ?", "SELECT :1, '?', \"?\" -- ?\n, :2"),
        ("SELECT $$?$$, /* ? */ ?", "SELECT $$?$$, /* ? */ :1"),
        ("SELECT 1", "SELECT 1"),
        ("VALUES (?,?)", "VALUES (:1,:2)"),
    ],
)
def test_question_marks_are_numbered_in_the_order_of_the_text(sql: str, numbered: str) -> None:
    assert binds.number(sql) == numbered


def test_a_value_that_is_not_bound_is_told() -> None:
    assert binds.values(["2"], ["a", "b"]) == {"2": "b"}
    with pytest.raises(WarehouseError, match="Bind variable :3 not set"):
        binds.values(["3"], ["a", "b"])


@pytest.mark.fact(30)
@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("CREATE TABLE T (A INT PRIMARY KEY)", "CREATE TABLE T (A INT NOT NULL)"),
        ("CREATE TABLE T (A INT NOT NULL UNIQUE)", "CREATE TABLE T (A INT NOT NULL)"),
        ("CREATE TABLE T (A INT, B INT, PRIMARY KEY (B))", "CREATE TABLE T (A INT, B INT NOT NULL)"),
        ("CREATE TABLE T (A INT DEFAULT 1 REFERENCES U (A))", "CREATE TABLE T (A INT DEFAULT 1)"),
        ("CREATE TABLE T (A INT CHECK (A > 0))", "CREATE TABLE T (A INT CHECK (A > 0))"),
    ],
)
def test_keys_are_taken_out_of_create_table(sql: str, kept: str) -> None:
    """SEMANTICS 30."""
    tree = parse_one(sql, read="snowflake")
    assert isinstance(tree, exp.Create)
    ddl.drop_unenforced_keys(tree)
    assert tree.sql(dialect="snowflake") == kept
