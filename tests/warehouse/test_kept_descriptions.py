"""What a client is told of a statement's columns, asked again and again while tables change."""

from __future__ import annotations

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query

ASKED = "SELECT * FROM WINES"


def columns(session: Session, statement: str = ASKED) -> dict[str, str]:
    table = session.describe(statement).table
    return {field.name: str(field.type) for field in table.schema}


@pytest.fixture
def wines(query: Query, session: Session) -> Query:
    query("CREATE TABLE WINES (NAME VARCHAR)")
    assert columns(session) == columns(session) == {"NAME": "string"}
    return query


@pytest.mark.parametrize(
    ("change", "then"),
    [
        ("ALTER TABLE WINES ADD COLUMN STOCK BOOLEAN", {"NAME": "string", "STOCK": "bool"}),
        ("ALTER TABLE WINES RENAME COLUMN NAME TO LABEL", {"LABEL": "string"}),
        ("CREATE OR REPLACE TABLE WINES (NAME BOOLEAN)", {"NAME": "bool"}),
        ("CREATE OR ALTER TABLE WINES (NAME VARCHAR, STOCK BOOLEAN)", {"NAME": "string", "STOCK": "bool"}),
        ("BEGIN ALTER TABLE WINES ADD COLUMN STOCK BOOLEAN; END", {"NAME": "string", "STOCK": "bool"}),
    ],
)
def test_a_change_is_seen_at_once_by_every_session(
    wines: Query, cellar: Warehouse, session: Session, change: str, then: dict[str, str]
) -> None:
    other = cellar.open_session(session.database, "PUBLIC")
    assert columns(other) == {"NAME": "string"}
    wines(change)
    assert columns(other) == columns(session) == then


def test_a_view_that_is_replaced_has_its_new_columns(wines: Query, session: Session) -> None:
    wines("CREATE VIEW SHOWN AS SELECT NAME FROM WINES")
    assert columns(session, "SELECT * FROM SHOWN") == {"NAME": "string"}
    wines("CREATE OR REPLACE VIEW SHOWN AS SELECT TRUE AS IS_RED")
    assert columns(session, "SELECT * FROM SHOWN") == {"IS_RED": "bool"}


def test_what_is_dropped_is_no_longer_described(wines: Query, session: Session) -> None:
    wines("DROP TABLE WINES")
    with pytest.raises(WarehouseError, match="WINES' does not exist"):
        columns(session)
    wines("CREATE TABLE WINES (YEAR BOOLEAN)")
    assert columns(session) == {"YEAR": "bool"}


def test_a_temporary_table_is_the_session_s_own(wines: Query, cellar: Warehouse, session: Session) -> None:
    other = cellar.open_session(session.database, "PUBLIC")
    wines("CREATE TEMPORARY TABLE WINES (HIDDEN BOOLEAN)")
    assert columns(session) == {"HIDDEN": "bool"}
    assert columns(other) == {"NAME": "string"}
    wines("DROP TABLE WINES")
    assert columns(session) == {"NAME": "string"}


def test_a_role_that_may_not_read_is_told_nothing(wines: Query, cellar: Warehouse, session: Session) -> None:
    wines("CREATE ROLE GUEST")
    wines("GRANT ROLE GUEST TO USER LOCAL")
    wines(f"GRANT USAGE ON DATABASE {session.database} TO ROLE GUEST")
    wines("USE ROLE GUEST")
    with pytest.raises(WarehouseError, match="not authorized"):
        columns(session)


def test_a_transaction_that_was_given_up_describes_nothing(wines: Query, session: Session) -> None:
    wines("BEGIN")
    wines("INSERT INTO WINES VALUES ('Chinon')")
    with pytest.raises(WarehouseError):
        wines("INSERT INTO WINES SELECT 1 / 0")
    with pytest.raises(WarehouseError, match="ROLLBACK"):
        columns(session)
    wines("ROLLBACK")
    assert columns(session) == {"NAME": "string"}


def test_the_variables_of_a_session_count(query: Query, session: Session) -> None:
    query("SET WHAT = 1")
    asked = "SELECT GETVARIABLE('WHAT') AS W, $WHAT AS V"
    before = columns(session, asked)
    query("SET WHAT = 'text'")
    assert columns(session, asked) != before


@pytest.mark.parametrize("language", ["SQL", "PYTHON"])
def test_a_temporary_function_is_the_session_s_own(
    query: Query, cellar: Warehouse, session: Session, language: str
) -> None:
    def function(kind: str, value: str) -> str:
        if language == "SQL":
            return f"FUNCTION KIND() RETURNS {kind} AS $$ {value} $$"
        body = f"def kind():\n    return {value}\n"
        language_of = "LANGUAGE PYTHON RUNTIME_VERSION = 3.11 HANDLER = 'kind'"
        return f"FUNCTION KIND() RETURNS {kind} {language_of} AS $$\n{body}$$"

    query(f"CREATE {function('VARCHAR', repr('red'))}")
    other = cellar.open_session(session.database, "PUBLIC")
    asked = "SELECT KIND() AS K"
    assert columns(session, asked) == columns(other, asked) == {"K": "string"}
    query(f"CREATE TEMPORARY {function('BOOLEAN', 'True')}")
    for _ in range(2):
        assert columns(session, asked) == {"K": "bool"}
        assert columns(other, asked) == {"K": "string"}
