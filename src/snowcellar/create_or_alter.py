"""CREATE OR ALTER TABLE: create the table, or change its columns to those that are written; rows stay.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-or-alter
Deviation: a default value is not compared.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from snowcellar.errors import CompilationError, WarehouseError
from snowcellar.names import NAME, QualifiedName, literal, quote
from snowcellar.result import Result
from snowcellar.session import Session

_CREATE_OR_ALTER = re.compile(
    rf"CREATE\s+OR\s+ALTER\s+TABLE\s+(?P<name>{NAME})\s*(?P<rest>\(.+)\Z", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Column:
    """What DESCRIBE TABLE tells of a column."""

    name: str
    type: str
    nullable: bool
    comment: str


def create_or_alter_table(session: Session, match: re.Match[str]) -> Result:
    """CREATE OR ALTER TABLE."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    if not _exists(session, name):
        return session.execute(f"CREATE TABLE {name.quoted} {match['rest']}")
    definition = sqlglot.parse_one(f"CREATE TABLE {name.quoted} {match['rest']}", read="snowflake")
    for change in _changes(name, _columns(session, name), _wanted(session, name, match["rest"]), definition):
        session.execute(change)
    return Result.status(f"{name.name} successfully altered.")


def _exists(session: Session, name: QualifiedName) -> bool:
    with session.warehouse.cursor() as duck:
        found = duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            [name.database, name.schema, name.name],
        ).fetchall()
    return bool(found)


def _columns(session: Session, name: QualifiedName) -> list[Column]:
    rows = session.execute(f"DESCRIBE TABLE {name.quoted}").table.to_pylist()
    return [Column(row["name"], row["type"], row["null?"] == "Y", row["comment"] or "") for row in rows]


def _wanted(session: Session, name: QualifiedName, rest: str) -> list[Column]:
    # A table of that definition says how its types are spelled in full.
    model = QualifiedName(name.database, name.schema, f"SNOWCELLAR$MODEL_{secrets.token_hex(8)}")
    session.execute(f"CREATE TABLE {model.quoted} {rest}")
    try:
        return _columns(session, model)
    finally:
        session.execute(f"DROP TABLE {model.quoted}")


def _changes(
    name: QualifiedName, there: list[Column], wanted: list[Column], definition: exp.Expr
) -> Iterator[str]:
    table = f"ALTER TABLE {name.quoted}"
    old, new = {column.name: column for column in there}, {column.name for column in wanted}
    kept = [column.name for column in there if column.name in new]
    added = [column.name for column in wanted if column.name not in old]
    if [column.name for column in wanted] != [*kept, *added]:
        raise WarehouseError(
            f"SQL compilation error:\nTable '{name.name}': CREATE OR ALTER cannot change the order of its "
            "columns. New ones come last.",
            1003,
            "42000",
        )
    written = {column.name.upper(): column for column in definition.find_all(exp.ColumnDef)}
    for column in there:
        if column.name not in new:
            yield f"{table} DROP COLUMN {quote(column.name)}"
    for column in wanted:
        before = old.get(column.name)
        if before is None:
            spelled = written.get(column.name.upper())
            if spelled is None:
                raise CompilationError(f"invalid identifier '{column.name}'")
            yield f"{table} ADD COLUMN {spelled.sql(dialect='snowflake')}"
            continue
        if before.type != column.type:
            yield f"{table} ALTER COLUMN {quote(column.name)} SET DATA TYPE {column.type}"
        if before.nullable != column.nullable:
            yield f"{table} ALTER COLUMN {quote(column.name)} {'DROP' if column.nullable else 'SET'} NOT NULL"
        if before.comment != column.comment:
            yield f"COMMENT ON COLUMN {name.quoted}.{quote(column.name)} IS {literal(column.comment)}"
    comment = definition.find(exp.SchemaCommentProperty)
    if comment is not None:
        yield f"COMMENT ON TABLE {name.quoted} IS {literal(comment.this.this)}"


STATEMENTS = [(_CREATE_OR_ALTER, create_or_alter_table)]
