"""deploy/ against the grammars of two tools that are not ours."""

import pytest

from tests.deploy import kinds

# What sqlfluff 4 has no grammar for. When it learns one of these, the table in docs/deployment.md changes.
NOT_IN_SQLFLUFF = {"GRANT ... ON ALERT", "GRANT OWNERSHIP ON FUTURE ALERTS", "GRANT ... ON ACCOUNT"}
INNER = [(file.name, sql) for file, statement in kinds.statements() for sql in kinds.inner(statement)]


def test_every_statement_parses_by_sqlfluff_but_for_grants_on_alerts() -> None:
    assert {kind.name for kind in kinds.kinds() if not kind.sqlfluff} == NOT_IN_SQLFLUFF


def test_what_writes_or_reads_data_is_known_to_sqlglot() -> None:
    known = {kind.name for kind in kinds.kinds() if kind.sqlglot}
    assert known >= {
        *("CREATE OR ALTER TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT", "MERGE", "INSERT"),
        *("UPDATE", "GRANT ... ON TABLE", "GRANT ... ON VIEW", "GRANT ... ON PROCEDURE", "USE ROLE"),
    }


@pytest.mark.parametrize(("file", "sql"), INNER)
def test_what_a_task_an_alert_or_a_view_runs_is_known_to_both(file: str, sql: str) -> None:
    text = f"SELECT {sql}" if sql.startswith("SYSTEM$") else sql
    assert kinds.known_to_sqlfluff(text), file
    assert kinds.known_to_sqlglot(text) or text.startswith("CALL "), file


def test_there_is_something_inside_every_task_alert_and_view() -> None:
    counts = {kind.name: kind.count for kind in kinds.kinds()}
    # The task that purges goes by the clock alone.
    on_condition = counts["CREATE TASK"] - 1
    assert len(INNER) == 2 * on_condition + 1 + 2 * counts["CREATE ALERT"] + counts["CREATE VIEW"]


def test_the_deployment_page_tells_by_what_each_kind_was_verified() -> None:
    assert kinds.PAGE.read_text(encoding="utf-8") == kinds.page(), "python -m tests.deploy.kinds"
