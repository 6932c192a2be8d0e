"""The kinds of statements in deploy/, and which tools know each: the table in docs/deployment.md.

`python -m tests.deploy.kinds` writes it anew.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from caves_cli import sql_files

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "deployment.md"
BEGIN: Final = "| statement | how many | sqlfluff | sqlglot |\n"
# The words that tell a kind; what follows is a name.
_KIND: Final = re.compile(
    r"(?P<verb>CREATE|ALTER|GRANT|REVOKE|USE|MERGE|INSERT|UPDATE)(?:\s+OR\s+(?:REPLACE|ALTER))?\s+"
    r"(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_THING: Final = re.compile(
    r"(?:ON\s+FUTURE\s+)?(FILE FORMAT|MASKING POLICY|DATABASE ROLE|[A-Z]+)", re.IGNORECASE
)
# A statement that runs another one, and where that begins.
_INNER: Final = (
    re.compile(r"\ACREATE OR REPLACE TASK\b.*?\bWHEN\s+(?P<sql>SYSTEM\$.*?)\s+AS\s+CALL", re.DOTALL),
    re.compile(r"\ACREATE OR REPLACE TASK\b.*?\bAS\s+(?P<sql>CALL\b.*)\Z", re.DOTALL),
    re.compile(r"\ACREATE OR REPLACE ALERT\b.*?\bIF \(EXISTS \((?P<sql>.*)\)\)\s*THEN\b", re.DOTALL),
    re.compile(r"\ACREATE OR REPLACE ALERT\b.*?\bTHEN\n\s*(?P<sql>.*)\Z", re.DOTALL),
    re.compile(r"\ACREATE OR REPLACE VIEW\b.*?\nAS\n(?P<sql>.*)\Z", re.DOTALL),
)


@dataclass(frozen=True)
class Kind:
    name: str
    count: int
    sqlfluff: bool
    sqlglot: bool


def statements() -> Iterator[tuple[Path, str]]:
    """Every statement below deploy/, with the default values of its variables."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "deploy").rglob("*.sql"))
    yield from sql_files.statements(ROOT, files, sql_files.defaults(ROOT))


def kind_of(statement: str) -> str:
    """CREATE TABLE, ALTER TASK, GRANT ... ON FUTURE TABLES, GRANT ROLE, MERGE, ..."""
    match = _KIND.match(statement)
    assert match is not None, statement
    verb, rest = match["verb"].upper(), match["rest"]
    if verb in ("MERGE", "INSERT", "UPDATE"):
        return verb
    if verb == "GRANT" and not re.match(r"(DATABASE )?ROLE\b", rest):
        future, thing = re.findall(r"\bON\s+(FUTURE\s+)?([A-Z]+(?:\s+FORMAT)?)\b", rest)[0]
        privilege = "OWNERSHIP" if rest.startswith("OWNERSHIP") else "..."
        return f"GRANT {privilege} ON {'FUTURE ' if future else ''}{' '.join(thing.split())}"
    thing = _THING.match(rest)
    assert thing is not None, statement
    how = re.match(r"CREATE OR ALTER", statement)
    return f"{'CREATE OR ALTER' if how else verb} {thing[1].upper()}"


def inner(statement: str) -> list[str]:
    """The SQL that a task, an alert or a view runs."""
    return [match["sql"] for pattern in _INNER if (match := pattern.match(statement))]


@cache
def known_to_sqlfluff(statement: str) -> bool:
    linter = Linter(config=FluffConfig(overrides={"dialect": "snowflake", "large_file_skip_byte_limit": 0}))
    return not linter.parse_string(statement + ";").violations


@cache
def known_to_sqlglot(statement: str) -> bool:
    """Whether it is more to sqlglot than some command."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    plain = re.sub(r"\ACREATE OR ALTER", "CREATE", statement)
    try:
        return not isinstance(sqlglot.parse_one(plain, read="snowflake"), exp.Command)
    except sqlglot.ParseError:
        return False


@cache
def kinds() -> list[Kind]:
    by_name: dict[str, list[str]] = {}
    for _, statement in statements():
        by_name.setdefault(kind_of(statement), []).append(statement)
    return [
        Kind(name, len(found), all(map(known_to_sqlfluff, found)), all(map(known_to_sqlglot, found)))
        for name, found in sorted(by_name.items())
    ]


def table() -> str:
    lines = [BEGIN.rstrip("\n"), "| --- | --- | --- | --- |"]
    for kind in kinds():
        marks = ["parses" if known else "does not know it" for known in (kind.sqlfluff, kind.sqlglot)]
        lines.append(f"| {kind.name} | {kind.count} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """docs/deployment.md with the table of today."""
    before, _, after = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    rest = after.split("\n\n", 1)
    return before + table() + ("\n" + rest[1] if len(rest) > 1 else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
