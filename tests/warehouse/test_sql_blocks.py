"""BEGIN ... END of plain statements, by itself and as the body of a task."""

from __future__ import annotations

import pytest

from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.script_grammar import parts
from tests.warehouse.conftest import Query, eventually

BLOCK = """BEGIN
  -- a comment; with a semicolon
  INSERT INTO T VALUES (1);
  BEGIN TRANSACTION;
  UPDATE T SET A = A + 1;
  COMMIT;
  CALL SYSTEM$LOG('a;b');
END;"""


def test_a_block_is_split_into_its_statements() -> None:
    found = parts(BLOCK)
    assert [part.text for part in found] == [
        "INSERT INTO T VALUES (1)",
        "BEGIN TRANSACTION",
        "UPDATE T SET A = A + 1",
        "COMMIT",
        "CALL SYSTEM$LOG('a;b')",
    ]
    assert [(part.line, part.position) for part in found][:2] == [(3, 2), (4, 2)]


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ("BEGIN LET X := 1; END", "LET"),
        ("BEGIN IF (TRUE) THEN SELECT 1; END IF; END", "IF"),
        ("BEGIN SELECT 1; RETURN 'x'; END", "RETURN"),
        ("BEGIN SELECT 1; EXCEPTION WHEN OTHER THEN SELECT 2; END", "EXCEPTION"),
        ("BEGIN BEGIN SELECT 1; END; END", "a block within"),
        ("BEGIN X := 1; END", "a variable"),
        ("BEGIN FOR R IN C DO SELECT 1; END FOR; END", "FOR"),
    ],
)
def test_other_scripting_is_refused_by_name(block: str, named: str) -> None:
    with pytest.raises(Unsupported, match=f"'{named}"):
        parts(block)


@pytest.mark.parametrize("block", ["BEGIN SELECT 1 END", "BEGIN SELECT 1;", "BEGIN END"])
def test_a_block_that_is_not_one_is_a_syntax_error(block: str) -> None:
    with pytest.raises(WarehouseError, match="syntax error"):
        parts(block)


def test_a_block_runs_up_to_the_statement_that_fails(query: Query) -> None:
    query("CREATE TABLE T (A INT)")
    assert query("BEGIN\n  INSERT INTO T VALUES (1);\n  INSERT INTO T VALUES (2);\nEND;") == [
        {"anonymous block": None}
    ]
    with pytest.raises(WarehouseError, match="STATEMENT_ERROR' on line 3 at position 2 :") as error:
        query("BEGIN\n  INSERT INTO T VALUES (3);\n  INSERT INTO NOWHERE VALUES (4);\nEND")
    assert error.value.errno == 2003
    assert query("SELECT SUM(A) AS S FROM T") == [{"S": 6}]


def test_a_task_runs_a_block(query: Query) -> None:
    query("CREATE TABLE T (A INT)")
    query("CREATE TASK FILL AS BEGIN INSERT INTO T VALUES (1); UPDATE T SET A = 5; END")
    query("EXECUTE TASK FILL")
    eventually(lambda: query("SELECT * FROM T") == [{"A": 5}], "the task has run")
    with pytest.raises(Unsupported, match="LET in a Snowflake Scripting block"):
        query("ALTER TASK FILL MODIFY AS BEGIN LET X := 1; END")
