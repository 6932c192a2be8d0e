"""Temporary tables and views by their full names.

DuckDB keeps those of a connection in a database of their own, where they have no other name than the last
part of theirs. Deviation: so two of one name, in two schemas, are one.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from snowcellar import show
from snowcellar.relations import table_name
from snowcellar.result import Result
from snowcellar.session import Session

_SHOW_TABLES = re.compile(r"SHOW\s+(?:TERSE\s+)?TABLES\b(?P<clauses>.*)\Z", re.IGNORECASE | re.DOTALL)


def last_part(session: Session, node: exp.Expr) -> exp.Expr:
    """The name of a temporary table or view by its last part."""
    if not isinstance(node, exp.Table) or not node.args.get("db"):
        return node
    if _is_being_made(node) or table_name(session, node) in session.temporary:
        node.set("db", None)
        node.set("catalog", None)
    return node


def use_last_parts(session: Session, tree: exp.Expr) -> None:
    """The same for every table of a tree; DESCRIBE looks where DuckDB has them."""
    for table in list(tree.find_all(exp.Table)):
        if isinstance(tree, exp.Describe) and table_name(session, table) in session.temporary:
            table.set("db", exp.to_identifier("main", quoted=True))
            table.set("catalog", exp.to_identifier("temp", quoted=True))
        else:
            last_part(session, table)


def _is_being_made(table: exp.Table) -> bool:
    holder = table.parent if isinstance(table.parent, exp.Schema) else table
    made = holder.parent
    if not isinstance(made, exp.Create) or holder.arg_key != "this":
        return False
    properties = made.args.get("properties")
    return (
        made.kind in ("TABLE", "VIEW")
        and properties is not None
        and (properties.find(exp.TemporaryProperty) is not None)
    )


def listed_too(session: Session, statement: str, result: Result) -> Result:
    """The rows of SHOW TABLES with the session's temporary tables; of any other SHOW, as they are."""
    match = _SHOW_TABLES.match(statement)
    if match is None or not session.temporary:
        return result
    schema = result.table.schema
    there = session.duck.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    rows = []
    for name in sorted(session.temporary):
        if (name.name,) in there:
            known = {
                "created_on": datetime.now(UTC),
                "name": name.name,
                "kind": "TEMPORARY",
                "database_name": name.database,
                "schema_name": name.schema,
                "comment": "",
                "owner": session.role,
            }
            rows.append([known.get(column) for column in schema.names])
    columns = [(field.name, field.type) for field in schema]
    added = show.answer(session, match["clauses"], columns, rows).table
    return dataclasses.replace(result, table=pa.concat_tables([result.table, added.cast(schema)]))
