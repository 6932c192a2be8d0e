"""Taking away what a deployment has made, and nothing else.

What is ours is known by its name, from the files of deploy/ and snowflake.yml; for what belongs to the whole
account (warehouse, roles, users) by its comment too, since a name such as COMPUTE_WH may be anybody's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from snowflake.connector import SnowflakeConnection

from caves_cli import deploy, sql_files
from caves_cli.connection import Target
from caves_cli.deployment_plan import quoted, rows
from caves_snowpark import names

# What can stand in a schema, in an order in which it can be dropped: first what runs, then what reads.
_IN_SCHEMAS: Final = (
    *("ALERT", "TASK", "STREAMLIT", "PROCEDURE", "VIEW", "STREAM", "TABLE", "STAGE", "FILE FORMAT", "TAG"),
    "MASKING POLICY",
)
# What could be somebody else's in one of our schemas; each is looked for, and none of ours is among them.
# Special kinds of tables and views (external, dynamic, materialized ...) stand in SHOW TABLES and SHOW VIEWS.
_OF_OTHERS: Final = (
    *("USER FUNCTION", "SEQUENCE", "PIPE", "ROW ACCESS POLICY", "SECRET", "GIT REPOSITORY", "SERVICE"),
    *("MODEL", "NOTEBOOK"),
)
_NOBODYS: Final = ("INFORMATION_SCHEMA", "PUBLIC")
_CREATED: Final = re.compile(
    rf"CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?P<kind>{'|'.join((*_IN_SCHEMAS, 'SCHEMA'))})\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>[\w.]+)",
    re.IGNORECASE,
)
_OF_ACCOUNT: Final = re.compile(
    r"CREATE\s+(?P<kind>ROLE|WAREHOUSE|USER)\s+IF\s+NOT\s+EXISTS\s+(?P<name>\w+)\b.*?"
    r"COMMENT\s*=\s*'(?P<comment>(?:[^']|'')*)'",
    re.IGNORECASE | re.DOTALL,
)


@dataclass
class Teardown:
    """What would be run, and what stays because somebody else made it."""

    statements: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def of_database(session: SnowflakeConnection, target: Target, folder: Path) -> Teardown:
    """The pipeline's objects; the database as a whole when nothing else is in it."""
    database = target.database.upper()
    if database not in {row["name"] for row in rows(session, "SHOW DATABASES")}:
        return Teardown()
    ours = set(_ours(folder, deploy.values(folder, target)))
    there = list(_there(session, database))
    schemas = {str(row["name"]) for row in rows(session, f"SHOW SCHEMAS IN DATABASE {quoted(database)}")}
    others = [(kind, name) for kind, name, _ in there if (kind, name) not in ours]
    foreign = {name for name in schemas if name.upper() not in _NOBODYS and ("SCHEMA", name) not in ours}
    found = Teardown(kept=[f"{kind.lower()} {database}.{name}" for kind, name in others])
    found.kept += [f"schema {database}.{name}" for name in sorted(foreign)]
    if not found.kept:
        found.statements = [f"DROP DATABASE {quoted(database)}"]
        return found
    found.kept.insert(0, f"database {database}")
    # A graph lets nothing be dropped from it while its root runs.
    root = f"{quoted(database)}.{names.ROOT_TASK}"
    if ("TASK", names.ROOT_TASK) in {(kind, name) for kind, name, _ in there}:
        found.statements.append(f"ALTER TASK {root} SUSPEND")
    for kind in _IN_SCHEMAS:
        found.statements += [
            f"DROP {kind} {quoted(database)}.{address}"
            for its_kind, name, address in there
            if its_kind == kind and (kind, name) in ours
        ]
    needed = {name.partition(".")[0] for _, name in others}
    for kind, name in sorted(ours):
        if kind == "SCHEMA" and name in schemas:
            if name in needed:
                found.kept.append(f"schema {database}.{name}")
            else:
                found.statements.append(f"DROP SCHEMA {quoted(database)}.{quoted(name)}")
    return found


def of_account(session: SnowflakeConnection, target: Target, folder: Path) -> Teardown:
    """Roles, users and the warehouse of the environment that deploy/account/ made, by name and comment."""
    found = Teardown()
    files = sorted(path.relative_to(folder) for path in (folder / "deploy" / "account").glob("*.sql"))
    text = "\n".join(
        f"{statement};" for _, statement in sql_files.statements(folder, files, deploy.values(folder, target))
    )
    for match in reversed(list(_OF_ACCOUNT.finditer(text))):
        kind, name = match["kind"].upper(), match["name"].upper()
        comment = match["comment"].replace("''", "'")
        for row in rows(session, f"SHOW {kind}S LIKE '{name}'"):
            if row.get("comment") == comment:
                found.statements.append(f"DROP {kind} {quoted(name)}")
            else:
                found.kept.append(f"{kind.lower()} {name}")
    return found


def _ours(folder: Path, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    files = sorted(path.relative_to(folder) for path in (folder / "deploy").rglob("*.sql"))
    for _, statement in sql_files.statements(folder, files, values):
        if match := _CREATED.match(statement):
            yield " ".join(match["kind"].upper().split()), match["name"].upper()
    entities = yaml.safe_load((folder / "snowflake.yml").read_text(encoding="utf-8"))["entities"].values()
    for entity in entities:
        identifier = entity["identifier"]
        yield entity["type"].upper(), f"{identifier['schema']}.{identifier['name']}"


def _there(session: SnowflakeConnection, database: str) -> Iterator[tuple[str, str, str]]:
    """Kind, SCHEMA.NAME, and how to name it in a DROP, of every object in the database's schemas."""
    for kind in (*_IN_SCHEMAS, *_OF_OTHERS):
        plural = f"{kind[:-1]}IES" if kind.endswith("Y") else f"{kind}S"
        for row in rows(session, f"SHOW {plural} IN DATABASE {quoted(database)}"):
            schema, name = str(row.get("schema_name") or ""), str(row["name"])
            if schema.upper() == "INFORMATION_SCHEMA" or not schema:
                continue
            yield kind, f"{schema}.{name}", f"{quoted(schema)}.{quoted(name)}{_arguments(kind, row)}"


def _arguments(kind: str, row: Mapping[str, object]) -> str:
    """(VARCHAR, ...) of a procedure; SHOW says `NAME(VARCHAR, DEFAULT VARCHAR) RETURN ...`."""
    if kind != "PROCEDURE":
        return ""
    inside = str(row["arguments"]).partition("(")[2].rpartition(") RETURN")[0]
    return f"({inside.replace('DEFAULT ', '')})"
