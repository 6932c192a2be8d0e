"""What the commands make of what they read: an error, a deployment, the cost of a call."""

from dataclasses import replace
from pathlib import Path

from caves_cli import deploy, snow, statements
from caves_cli.connection import Target
from caves_cli.statements import ProcedureCost
from caves_snowpark import names

ROOT = Path(__file__).parents[2]
PROD = Target("prod", None, names.DEFAULT_DATABASE, names.DEFAULT_WAREHOUSE)


def test_the_deployment_is_sql_then_code_then_tasks() -> None:
    first, build, code, last = deploy.steps(ROOT, PROD)
    assert first.files[0].name == "010_foundation.sql"
    assert first.files[-1].name == "065_data_life.sql"
    assert deploy.typed(build, PROD) == "snow snowpark build --ignore-anaconda -c prod"
    assert deploy.typed(code, PROD) == "snow snowpark deploy --replace -c prod --role CAVES_ADMIN"
    assert [last.files[0].name, last.files[-1].name] == ["070_tasks.sql", "090_resume.sql"]
    assert "080_analytics.sql" in [file.name for file in last.files]


def test_another_database_is_said_to_the_cli_and_to_the_templates() -> None:
    other = replace(
        PROD, database="WINE", flags=("--database", "WINE"), config_file=ROOT / ".caves/config.toml"
    )
    _, _, code, _ = deploy.steps(ROOT, other)
    assert deploy.typed(code, other) == (
        "CAVES_DATABASE=WINE snow --config-file .caves/config.toml"
        " snowpark deploy --replace -c prod --database WINE --role CAVES_ADMIN"
    )


def test_the_clis_boxed_error_becomes_one_line() -> None:
    boxed = "╭─ Error ────╮\n│ 001003 (42000): syntax error at   │\n│ line 1                │\n╰──────╯\n"
    assert snow.Answer(1, "", boxed).reason == "001003 (42000): syntax error at line 1"


def test_an_error_without_words_is_its_exit_code() -> None:
    assert snow.Answer(7, "", "").reason == "exit code 7"


def test_statements_are_counted_by_the_call_they_ran_under_and_apart_from_questions_for_columns() -> None:
    history = [
        ("1", "CALL OPS.MERGE_ORDERS()", None, "CALL"),
        ("2", "BEGIN", "1", "BEGIN_TRANSACTION"),
        ("2a", "SELECT * FROM PRODUCTION.ORDERS", "1", "DESCRIBE_QUERY"),
        ("3", "MERGE INTO ...", "1", "MERGE"),
        ("4", "COMMIT", "1", "COMMIT"),
        ("5", "call ops.merge_orders()", None, "CALL"),
        ("6", "BEGIN", "5", "BEGIN_TRANSACTION"),
        ("7", "CALL SYSTEM$SET_RETURN_VALUE('{}')", "5", "CALL"),
        ("8", "SELECT 1", None, "SELECT"),
    ]
    assert statements.costs(history) == [ProcedureCost("MERGE_ORDERS", 2, 3, 1)]
