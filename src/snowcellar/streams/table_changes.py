"""What DDL on a tracked table means for its streams (SEMANTICS 7).

Replacing or dropping the table makes its streams stale; added and dropped columns are followed by the
table of before-images. Renaming a tracked table is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import Unsupported
from snowcellar.names import QualifiedName, literal, quote
from snowcellar.session import Session
from snowcellar.streams.registry import table_columns
from snowcellar.transactions import Transaction

Follow = Callable[[Transaction], None]


def before(session: Session, tree: exp.Expr) -> Follow | None:
    """What must follow a DDL statement once it has run; None when no stream is concerned."""
    table = tree.find(exp.Table)
    name = relations.table_name(session, table) if table is not None else None
    if name is None or name not in session.warehouse.streams.tables:
        return None
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.args.get("replace"):
        return lambda transaction: _forget(session, transaction, name)
    if isinstance(tree, exp.Drop) and tree.args.get("kind") == "TABLE":
        return lambda transaction: _forget(session, transaction, name)
    if isinstance(tree, exp.Alter):
        if tree.find(exp.AlterRename):
            raise Unsupported(f"renaming {name}, which has streams")
        return lambda transaction: _follow_columns(session, name)
    return None


def _forget(session: Session, transaction: Transaction, name: QualifiedName) -> None:
    registry = session.warehouse.streams
    meta = session.warehouse.meta(name.database)
    tracked = registry.tables[name]
    where = f"table_schema = {literal(name.schema)} AND table_name = {literal(name.name)}"
    session.duck.execute(f"UPDATE {meta}.sc_streams SET stale = TRUE WHERE {where}")
    session.duck.execute(f"DELETE FROM {meta}.sc_tracked WHERE table_id = {tracked.table_id}")
    session.duck.execute(f"DROP TABLE {tracked.before_images(meta)}")

    def remember() -> None:
        registry.tables.pop(name, None)
        for stream in registry.of_table(name):
            registry.streams[stream.name] = dataclasses.replace(stream, stale=True)

    transaction.after_commit.append(remember)


def _follow_columns(session: Session, name: QualifiedName) -> None:
    meta = session.warehouse.meta(name.database)
    tracked = session.warehouse.streams.tables[name]
    images = tracked.before_images(meta)
    rows = session.duck.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = ?",
        [name.database, f"sc_before_{tracked.table_id}"],
    ).fetchall()
    followed = {column for (column,) in rows}
    for column, kind in table_columns(session.duck, name):
        if column not in followed:
            session.duck.execute(f"ALTER TABLE {images} ADD COLUMN {quote(column)} {kind}")
