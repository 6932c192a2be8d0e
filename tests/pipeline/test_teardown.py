"""`caves teardown`, where somebody else has things in the pipeline's database."""

from collections.abc import Iterator

import pytest
from snowflake.connector.errors import ProgrammingError

from caves_cli import deployment_plan, teardown
from caves_cli.deployment_plan import rows
from caves_snowpark import names
from tests.pipeline.conftest import ROOT, Pipeline, start


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A deployed pipeline, and somebody's table and view in its database, one of them in a schema of ours."""
    for pipeline in start(tmp_path_factory, "teardown", minute_seconds=3_600):
        with pipeline.target.open() as session:
            for statement in (
                "USE ROLE CAVES_ADMIN",
                f"CREATE TABLE {names.ANALYTICS}.BUDGET (A INTEGER)",
                "CREATE SCHEMA THEIRS",
                "CREATE VIEW THEIRS.PLAN AS SELECT 1 AS A",
            ):
                session.cursor().execute(statement)
        yield pipeline


def test_a_list_that_cannot_be_had_is_no_empty_list(
    shared: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a database would go as a whole because nobody was found in it."""
    with shared.target.open() as session:
        assert rows(session, "SHOW MODELS IN ACCOUNT") == []
        assert rows(session, "SELECT * FROM NOWHERE.NOTHING") == []
        with pytest.raises(ProgrammingError):
            rows(session, "SELECT 1 / 0")
        monkeypatch.setattr(deployment_plan, "_UNSUPPORTED", None)
        with pytest.raises(ProgrammingError):
            teardown.of_database(session, shared.target, ROOT)


def test_what_is_somebody_elses_stays_with_its_schema_and_all_of_ours_goes(shared: Pipeline) -> None:
    with shared.target.open() as session:
        plan = teardown.of_database(session, shared.target, ROOT)
        database = names.DEFAULT_DATABASE
        assert sorted(plan.kept) == [
            f"database {database}",
            f"schema {database}.ANALYTICS",
            f"schema {database}.THEIRS",
            f"table {database}.ANALYTICS.BUDGET",
            f"view {database}.THEIRS.PLAN",
        ]
        session.cursor().execute("USE ROLE CAVES_ADMIN")
        for statement in plan.statements:
            session.cursor().execute(statement)
        left = {
            (kind, f"{row['schema_name']}.{row['name']}")
            for kind in ("TABLE", "VIEW", "STREAM", "STAGE", "TASK", "ALERT", "PROCEDURE")
            for row in rows(session, f"SHOW {kind}S IN DATABASE {database}")
            if str(row["schema_name"]).upper() != "INFORMATION_SCHEMA"
        }
        assert left == {("TABLE", "ANALYTICS.BUDGET"), ("VIEW", "THEIRS.PLAN")}
        again = teardown.of_database(session, shared.target, ROOT)
        assert (again.statements, sorted(again.kept)) == ([], sorted(plan.kept))
