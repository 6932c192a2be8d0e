"""What deploy/ creates, read from its statements: the one source of the reference and of the diagrams."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp

from caves_cli import sql_files
from caves_snowpark import names
from tests.docs.pages import ROOT

_WATCHED: Final = re.compile(r"SYSTEM\$STREAM_HAS_DATA\('([\w.]+)'\)")


@dataclass(frozen=True)
class Column:
    """A column of a table or of a view; a view's has no type in the SQL."""

    name: str
    type: str
    required: bool
    comment: str


@dataclass(frozen=True)
class Relation:
    """A table or a view."""

    name: str
    comment: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Stream:
    name: str
    table: str
    append_only: bool
    comment: str


@dataclass(frozen=True)
class Task:
    name: str
    schedule: str
    after: tuple[str, ...]
    watches: tuple[str, ...]
    calls: str
    comment: str


@dataclass(frozen=True)
class Alert:
    name: str
    schedule: str
    comment: str


def statements() -> Iterator[str]:
    """Every statement of `caves deploy`, in order, without its comments."""
    files = sorted((ROOT / "deploy").glob("[0-9]*.sql"))
    for _, statement in sql_files.statements(ROOT, files, sql_files.defaults(ROOT)):
        yield f"{statement};"


def _created(kind: str) -> Iterator[tuple[str, str]]:
    pattern = re.compile(rf"CREATE (?:OR REPLACE |OR ALTER )?{kind} (?:IF NOT EXISTS )?([\w.]+)")
    for statement in statements():
        if match := pattern.match(statement):
            yield match[1], statement


def relations(kind: str) -> list[Relation]:
    """The tables or the views, by the order in which they are created."""
    found = []
    for name, statement in _created(kind):
        tree = sqlglot.parse_one(statement.replace("CREATE OR ALTER", "CREATE", 1), read="snowflake")
        comment = tree.find(exp.SchemaCommentProperty)
        columns = tuple(_column(column) for column in tree.this.expressions)
        found.append(Relation(name, comment.this.name if comment else "", columns))
    return found


def _column(tree: exp.Expr) -> Column:
    comment = tree.find(exp.CommentColumnConstraint)
    kind = tree.args.get("kind")
    return Column(
        tree.name,
        _type(kind) if kind else "",
        tree.find(exp.NotNullColumnConstraint) is not None,
        comment.this.name if comment else "",
    )


def _type(kind: exp.Expr) -> str:
    text = kind.sql(dialect="snowflake").replace("DECIMAL", "NUMBER")
    return re.sub(r"TIMESTAMP(?=[NL]TZ)", "TIMESTAMP_", text)


def streams() -> list[Stream]:
    return [
        Stream(
            name,
            _one(r"ON TABLE ([\w.]+)", text),
            "APPEND_ONLY = TRUE" in text,
            _one("COMMENT = '(.*)'", text),
        )
        for name, text in _created("STREAM")
    ]


def tasks() -> list[Task]:
    return [
        Task(
            name,
            _one("SCHEDULE = '(.*)'", text),
            tuple(re.findall(r"AFTER ([\w.]+)", text)),
            tuple(_WATCHED.findall(text)),
            _one(r"CALL ([\w.]+)\(", text),
            _one("COMMENT = '(.*)'", text),
        )
        for name, text in _created("TASK")
    ]


def alerts() -> list[Alert]:
    return [
        Alert(name, _one("SCHEDULE = '(.*)'", text), _one("COMMENT = '(.*)'", text))
        for name, text in _created("ALERT")
    ]


def thresholds() -> list[tuple[str, str, str, str]]:
    """The rows that deploy/ puts into OPS.ALERT_SETTINGS."""
    (text,) = (text for text in statements() if text.startswith(f"MERGE INTO {names.ALERT_SETTINGS}"))
    tree = sqlglot.parse_one(text, read="snowflake")
    values = tree.find(exp.Values)
    assert values is not None
    return [(*(cell.name for cell in row.expressions),) for row in values.expressions]


def _one(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return found[0].replace("''", "'") if found else ""
