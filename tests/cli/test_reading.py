"""What the commands make of what they read: an error, a deployment, the cost of a call."""

from pathlib import Path

from caves_cli import deploy, snow, statements
from caves_cli.statements import ProcedureCost

ROOT = Path(__file__).parents[2]


def test_the_deployment_is_sql_then_code_then_tasks() -> None:
    first, build, code, last = deploy.steps(ROOT, "prod")
    assert first.files[0].name == "010_foundation.sql"
    assert first.files[-1].name == "060_ingest.sql"
    assert build.command == "snow snowpark build --ignore-anaconda -c prod"
    assert code.command == "snow snowpark deploy --replace -c prod"
    assert [file.name for file in last.files] == ["070_tasks.sql", "080_analytics.sql", "090_resume.sql"]


def test_the_deployment_never_tears_down() -> None:
    assert not [step for step in deploy.steps(ROOT, "prod") if "teardown" in step.command]


def test_the_clis_boxed_error_becomes_one_line() -> None:
    boxed = "╭─ Error ────╮\n│ 001003 (42000): syntax error at   │\n│ line 1                │\n╰──────╯\n"
    assert snow.Answer(1, "", boxed).reason == "001003 (42000): syntax error at line 1"


def test_an_error_without_words_is_its_exit_code() -> None:
    assert snow.Answer(7, "", "").reason == "exit code 7"


def test_statements_are_counted_by_the_call_they_ran_under() -> None:
    history = [
        ("1", "CALL OPS.MERGE_ORDERS()", None),
        ("2", "BEGIN", "1"),
        ("3", "MERGE INTO ...", "1"),
        ("4", "COMMIT", "1"),
        ("5", "call ops.merge_orders()", None),
        ("6", "BEGIN", "5"),
        ("7", "CALL SYSTEM$SET_RETURN_VALUE('{}')", "5"),
        ("8", "SELECT 1", None),
    ]
    assert statements.costs(history) == [ProcedureCost("MERGE_ORDERS", 2, 3)]
