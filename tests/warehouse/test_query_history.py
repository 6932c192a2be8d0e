"""QUERY_HISTORY tells what ran from what a client only asked the columns of."""

from typing import Any

from snowcellar.history import query_type

HISTORY = "SELECT QUERY_TYPE, QUERY_TEXT FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 50))"


def test_a_described_query_is_listed_apart_from_an_executed_one(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.describe("SELECT 1 AS DESCRIBED")
    cursor.execute("SELECT 1 AS EXECUTED")
    kinds = {text: kind for kind, text in cursor.execute(HISTORY).fetchall()}
    assert kinds["SELECT 1 AS DESCRIBED"] == "DESCRIBE_QUERY"
    assert kinds["SELECT 1 AS EXECUTED"] == "SELECT"


def test_a_statement_has_the_tag_of_its_session_or_its_own(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("ALTER SESSION SET QUERY_TAG = 'nightly'")
    cursor.execute("SELECT 1 AS OF_THE_SESSION")
    cursor.execute("SELECT 1 AS OF_ITS_OWN", _statement_params={"QUERY_TAG": "once"})
    tags = dict(cursor.execute(HISTORY.replace("QUERY_TYPE, QUERY_TEXT", "QUERY_TEXT, QUERY_TAG")).fetchall())
    assert tags["SELECT 1 AS OF_THE_SESSION"] == "nightly"
    assert tags["SELECT 1 AS OF_ITS_OWN"] == "once"


def test_a_query_type_is_told_by_the_first_words() -> None:
    assert query_type("-- why\n  merge into T using S on true") == "MERGE"
    assert query_type("WITH A AS (SELECT 1) SELECT * FROM A") == "SELECT"
    assert query_type("(( SELECT 1 ))") == "SELECT"
    assert query_type("begin") == "BEGIN_TRANSACTION"
    assert query_type("") == "UNKNOWN"
