"""deploy/ against names.py and schemas.py, and the faults that deploy scripts of such pipelines have had."""

import re
from pathlib import Path

import pytest
import sqlglot
from snowflake.snowpark import types as snowpark
from sqlglot import exp

from caves_cli import sql_files
from caves_snowpark import names, schemas

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy").glob("[0-9]*.sql"))
ACCOUNT_FILES = sorted((ROOT / "deploy" / "account").glob("*.sql"))
VALUES = sql_files.defaults(ROOT)


def statements_of(path: Path) -> list[str]:
    return [f"{statement};" for _, statement in sql_files.statements(ROOT, [path], VALUES)]


def all_statements() -> list[str]:
    return [statement for path in FILES for statement in statements_of(path)]


def created(kind: str) -> dict[str, str]:
    """The objects of a kind by name, each with its statement, in the order of creation."""
    pattern = re.compile(rf"CREATE (?:OR REPLACE |OR ALTER )?{kind} (?:IF NOT EXISTS )?([A-Z0-9_.]+)")
    return {match[1]: statement for statement in all_statements() if (match := pattern.match(statement))}


def sql_type(datatype: snowpark.DataType) -> str:
    match datatype:
        case snowpark.DecimalType():
            return f"DECIMAL({datatype.precision}, {datatype.scale})"
        case snowpark.TimestampType():
            return f"TIMESTAMP{'LTZ' if datatype.tz == snowpark.TimestampTimeZone.LTZ else 'NTZ'}"
        case snowpark.StringType():
            return "VARCHAR"
        case snowpark.MapType():
            return "OBJECT"
        case _:
            return type(datatype).__name__.removesuffix("Type").upper()


def columns_of(statement: str) -> list[tuple[str, str, bool]]:
    table = sqlglot.parse_one(statement.replace("CREATE OR ALTER", "CREATE"), dialect="snowflake")
    return [
        (
            column.name,
            column.args["kind"].sql(),
            not any(
                isinstance(constraint.kind, exp.NotNullColumnConstraint) for constraint in column.constraints
            ),
        )
        for column in table.find_all(exp.ColumnDef)
    ]


def test_every_file_says_why_grain_reads_and_rerun() -> None:
    for path in (*FILES, *ACCOUNT_FILES):
        header = path.read_text(encoding="utf-8").split("\n\n")[0]
        for word in ("-- Why: ", "-- Grain: ", "-- Reads/Writes: ", "-- Rerun: "):
            assert word in header, f"{path.name} lacks {word!r}"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SCHEMA", names.SCHEMAS),
        ("TABLE", (*names.TABLES, *names.ALERT_TABLES, *names.DATA_LIFE_TABLES, names.DEPLOYMENTS)),
        ("STREAM", names.STREAMS),
        ("STAGE", names.STAGES),
        ("TASK", names.TASKS),
        ("ALERT", names.ALERTS),
        ("VIEW", (*names.VIEWS, names.OPEN_ALERTS)),
    ],
)
def test_deploy_creates_what_names_spells(kind: str, expected: tuple[str, ...]) -> None:
    assert sorted(created(kind)) == sorted(expected)


@pytest.mark.parametrize("table", schemas.TABLES)
def test_a_table_has_the_columns_of_its_schema_in_order(table: str) -> None:
    expected = [
        (field.name, sql_type(field.datatype), field.nullable) for field in schemas.TABLES[table].fields
    ]
    assert columns_of(created("TABLE")[table]) == expected


@pytest.mark.parametrize("stream", names.STREAMS)
def test_a_stream_is_on_its_table_and_append_only(stream: str) -> None:
    statement = " ".join(created("STREAM")[stream].split())
    assert f"ON TABLE {names.STREAM_SOURCES[stream]} APPEND_ONLY = TRUE" in statement


# PITFALL 13: a redeploy that replaces a stream or a table loses what is pending in it.
def test_nothing_that_holds_data_is_ever_replaced_or_dropped() -> None:
    for statement in all_statements():
        assert not re.match(
            r"CREATE OR REPLACE (?!TASK|VIEW|ALERT)|DROP|TRUNCATE|DELETE|UNDROP", statement
        ), statement
        if re.match(r"CREATE (?!OR REPLACE|OR ALTER TABLE)", statement):
            assert " IF NOT EXISTS " in statement.splitlines()[0], statement


# PITFALL 14: a root that watches only the raw stream leaves a failed child's backlog lying.
def test_the_root_task_wakes_for_any_stream() -> None:
    condition = created("TASK")[names.ROOT_TASK]
    watched = re.findall(r"SYSTEM\$STREAM_HAS_DATA\('([\w.]+)'\)", condition)
    assert sorted(watched) == sorted(names.STREAMS)
    assert condition.count("OR SYSTEM$STREAM_HAS_DATA") == len(names.STREAMS) - 1


@pytest.mark.parametrize("task", names.CHILD_TASKS)
def test_a_child_task_follows_the_root_and_has_a_condition_of_its_own(task: str) -> None:
    statement = " ".join(created("TASK")[task].split())
    assert f"AFTER {names.ROOT_TASK} WHEN SYSTEM$STREAM_HAS_DATA(" in statement
    assert "SCHEDULE" not in statement


@pytest.mark.parametrize("task", names.TASKS)
def test_a_task_is_one_call_of_its_procedure(task: str) -> None:
    assert created("TASK")[task].endswith(f"AS\n    CALL {names.TASK_PROCEDURES[task]}();")


# PITFALL 15: a graph is changed while its root is suspended, and resumed from its leaves.
def test_the_root_is_suspended_first_and_resumed_last() -> None:
    order = [" ".join(s.split()[:6]) for s in all_statements() if " TASK " in " ".join(s.split()[:5])]
    assert order[0].startswith(f"ALTER TASK IF EXISTS {names.ROOT_TASK}")
    resumed = [s.split()[2] for s in all_statements() if s.startswith("ALTER TASK") and s.endswith("RESUME;")]
    assert sorted(resumed[:-1]) == sorted(names.CHILD_TASKS)
    assert resumed[-1] == names.ROOT_TASK
    last_create = max(i for i, s in enumerate(all_statements()) if s.startswith("CREATE OR REPLACE TASK"))
    first_resume = min(i for i, s in enumerate(all_statements()) if s.endswith("RESUME;"))
    assert last_create < first_resume


@pytest.mark.parametrize("alert", names.ALERTS)
def test_an_alert_is_serverless_writes_under_its_name_and_is_resumed(alert: str) -> None:
    statement = created("ALERT")[alert]
    assert "WAREHOUSE =" not in statement
    name = alert.partition("ALERT_")[2]
    assert statement.count(f"'{name}'") == 2
    assert "MERGE INTO OPS.ALERT_LOG" in statement
    order = all_statements()
    assert order.index(statement) < order.index(f"ALTER ALERT {alert} RESUME;")


def test_all_alerts_write_to_the_journal_by_one_statement() -> None:
    """SQL has no way to share it: an alert is one statement, and what it found is known to that one alone."""
    actions = {statement.split("\nTHEN\n")[1].rstrip(";") for statement in created("ALERT").values()}
    assert len(created("ALERT")) == len(names.ALERTS)
    assert len(actions) == 1


def test_every_threshold_that_an_alert_asks_for_has_a_default() -> None:
    asked = set(re.findall(r"SETTING = '(\w+)'", "".join(created("ALERT").values())))
    (defaults,) = [s for s in all_statements() if s.startswith(f"MERGE INTO {names.ALERT_SETTINGS}")]
    assert set(re.findall(r"\('([A-Z_]+)', \d+, '\w+', '\w+: ", defaults)) == asked


# PITFALL 16: CREATE SCHEMA changes the current schema, so unqualified names land elsewhere the second time.
def test_every_object_is_named_with_its_schema() -> None:
    for kind in ("TABLE", "STREAM", "STAGE", "FILE FORMAT", "TASK", "VIEW", "ALERT"):
        for name in created(kind):
            assert name.partition(".")[0] in names.SCHEMAS, name
    assert not [s for s in all_statements() if re.match(r"USE (SCHEMA|WAREHOUSE)", s)]


def test_every_file_chooses_its_role_and_its_database() -> None:
    expected = [f"USE ROLE {names.DEFAULT_ROLES}_ADMIN;", f"USE DATABASE {names.DEFAULT_DATABASE};"]
    for path in FILES:
        assert statements_of(path)[:2] == expected, path.name


def test_only_the_files_for_the_account_use_an_administrators_role() -> None:
    roles = {
        path.name: re.findall(r"^USE ROLE (\w+)", path.read_text("utf-8"), re.MULTILINE)
        for path in ACCOUNT_FILES
    }
    assert roles == {
        "010_account.sql": ["ACCOUNTADMIN"],
        "012_hand_over.sql": ["ACCOUNTADMIN"],
        "015_alerts.sql": ["ACCOUNTADMIN"],
        "020_service_users.sql": ["USERADMIN", "ACCOUNTADMIN"],
    }
    assert not [s for s in all_statements() if "ACCOUNTADMIN" in s or " ON ACCOUNT " in s]


def test_no_file_holds_a_password() -> None:
    for path in (ROOT / "deploy").rglob("*.sql"):
        assert not re.search(r"\bPASSWORD\b\s*=", path.read_text(encoding="utf-8"), re.IGNORECASE), path.name


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_an_environment_sets_the_same_variables_as_the_others(environment: str) -> None:
    assert sql_files.of_environment(ROOT, environment).keys() == sql_files.of_environment(ROOT, "prod").keys()
    assert sql_files.of_environment(ROOT, environment).keys() < VALUES.keys()


def test_prod_is_what_snowflake_yml_says_and_no_two_environments_share_a_name() -> None:
    prod = sql_files.of_environment(ROOT, "prod")
    assert prod.items() <= VALUES.items()
    for name in ("CAVES_DATABASE", "CAVES_WAREHOUSE", "CAVES_ROLES"):
        values = [sql_files.of_environment(ROOT, each)[name] for each in sql_files.environments(ROOT)]
        assert len(set(values)) == len(values), name


# The ingestor cannot commit without KAFKA_OFFSETS: made last, it lets no event in before the streams watch.
def test_the_offsets_table_is_made_after_the_streams() -> None:
    order = all_statements()
    offsets = order.index(created("TABLE")[names.KAFKA_OFFSETS])
    assert all(order.index(statement) < offsets for statement in created("STREAM").values())
