"""What DDL on a tracked table means for its streams (SEMANTICS 7).

Replacing or dropping the table, or the view that a stream is on, makes its streams stale; renaming the table
does not. The table of before-images follows columns that are added, dropped, renamed or given another type.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import Unsupported
from snowcellar.names import QualifiedName, quote
from snowcellar.session import Session
from snowcellar.streams.registry import (
    HIDDEN_COLUMNS,
    columns_with_defaults,
    forget_table,
    make_stale,
    table_columns,
)
from snowcellar.transactions import Transaction

Follow = Callable[[Transaction], None]


def before(session: Session, tree: exp.Expr) -> Follow | None:
    """What must follow a DDL statement once it has run; None when no stream is concerned."""
    table = tree.find(exp.Table)
    name = relations.table_name(session, table) if table is not None else None
    if name is None:
        return None
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and (tree.args.get("clone") or _is_like(tree)):
        return lambda _: _drop_hidden_columns(session, name)
    if _kind(tree) == "VIEW" and (isinstance(tree, exp.Drop) or tree.args.get("replace")):
        return (
            (lambda transaction: _forget_view(session, transaction, name))
            if _is_watched(session, name)
            else None
        )
    if name not in session.warehouse.streams.tables:
        return None
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.args.get("replace"):
        return lambda transaction: _forget(session, transaction, name)
    if isinstance(tree, exp.Drop) and tree.args.get("kind") == "TABLE":
        return lambda transaction: _forget(session, transaction, name)
    if isinstance(tree, exp.Alter):
        columns = [column for column, _ in table_columns(session.duck, name)]
        return lambda _: _follow_columns(session, name, columns)
    return None


def rename(session: Session, tree: exp.Expr) -> bool:
    """ALTER TABLE ... RENAME TO of a tracked table: its streams go on. False for any other statement."""
    renaming = tree.find(exp.AlterRename) if isinstance(tree, exp.Alter) else None
    name = relations.table_name(session, tree.this) if renaming else None
    registry = session.warehouse.streams
    if renaming is None or name is None or name not in registry.tables:
        return False
    new = relations.table_name(session, renaming.this)
    if new is None or (new.database, new.schema) != (name.database, name.schema):
        raise Unsupported(f"renaming {name}, which has streams, into another schema")
    meta = session.warehouse.meta(name.database)
    with session.connection.statement(session):
        session.connection.lock(name)
        with registry.commit_lock:
            session.duck.execute(f"ALTER TABLE {name.quoted} RENAME TO {quote(new.name)}")
            for table in ("sc_tracked", "sc_streams"):
                session.duck.execute(
                    f"UPDATE {meta}.{table} SET table_name = ? WHERE table_schema = ? AND table_name = ?",
                    [new.name, name.schema, name.name],
                )
            session.connection.commit(session)
            registry.tables[new] = dataclasses.replace(registry.tables.pop(name), name=new)
            for stream in registry.streams.values():
                if stream.table == name:
                    registry.streams[stream.name] = dataclasses.replace(stream, table=new)
    return True


def _kind(tree: exp.Expr) -> str:
    return str(tree.args.get("kind")).upper()


def _is_watched(session: Session, view: QualifiedName) -> bool:
    return bool(session.warehouse.streams.of_table(view))


def _forget_view(session: Session, transaction: Transaction, view: QualifiedName) -> None:
    make_stale(session.duck, view, session.warehouse.meta(view.database))
    transaction.after_commit.append(lambda: _mark_stale(session, view))


def _mark_stale(session: Session, relation: QualifiedName) -> None:
    registry = session.warehouse.streams
    for stream in registry.of_table(relation):
        registry.streams[stream.name] = dataclasses.replace(stream, stale=True)


def _is_like(tree: exp.Create) -> bool:
    return tree.find(exp.LikeProperty) is not None


def _drop_hidden_columns(session: Session, name: QualifiedName) -> None:
    """A clone of a tracked table is a table of its own, which no stream tracks yet."""
    if name in session.warehouse.streams.tables:
        return
    for column in HIDDEN_COLUMNS:
        session.duck.execute(f"ALTER TABLE {name.quoted} DROP COLUMN IF EXISTS {quote(column)}")


def _forget(session: Session, transaction: Transaction, name: QualifiedName) -> None:
    registry = session.warehouse.streams
    forget_table(session.duck, registry.tables[name], session.warehouse.meta(name.database))

    def remember() -> None:
        registry.tables.pop(name, None)
        _mark_stale(session, name)

    transaction.after_commit.append(remember)


def _follow_columns(session: Session, name: QualifiedName, columns: list[str]) -> None:
    """columns: the table's columns before the change."""
    meta = session.warehouse.meta(name.database)
    images = session.warehouse.streams.tables[name].before_images(meta)
    now = {column: (kind, default) for column, kind, default in columns_with_defaults(session.duck, name)}
    gone = [column for column in columns if column not in now]
    new = [column for column in now if column not in columns]
    if len(gone) == len(new) == 1:
        session.duck.execute(f"ALTER TABLE {images} RENAME COLUMN {quote(gone[0])} TO {quote(new[0])}")
        return
    for column in gone:
        session.duck.execute(f"ALTER TABLE {images} DROP COLUMN {quote(column)}")
    for column in new:
        kind, default = now[column]
        clause = f" DEFAULT {default}" if default else ""
        session.duck.execute(f"ALTER TABLE {images} ADD COLUMN {quote(column)} {kind}{clause}")
    described = session.duck.execute(f"DESCRIBE {images}").fetchall()
    for column, kind in [(row[0], row[1]) for row in described if row[0] in now]:
        if kind != now[column][0]:
            session.duck.execute(
                f"ALTER TABLE {images} ALTER COLUMN {quote(column)} SET DATA TYPE {now[column][0]}"
            )
