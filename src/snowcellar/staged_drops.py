"""DROP STAGE, with its files, and DROP FILE FORMAT. fakesnow creates both, and leaves the rest to DuckDB."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import ObjectNotFound
from snowcellar.names import QualifiedName
from snowcellar.result import Result
from snowcellar.staged_files import stage_folder

if TYPE_CHECKING:
    from snowcellar.session import Session

_KEPT_IN = {
    "STAGE": "_fs_global._fs_information_schema._fs_stages",
    "FILE FORMAT": "_fs_global._fs_information_schema._fs_file_formats",
}


def drop(session: Session, tree: exp.Drop) -> Result | None:
    """Run the statement; None where it drops something else."""
    kept_in = _KEPT_IN.get(str(tree.args.get("kind")).upper())
    if kept_in is None:
        return None
    [table] = tree.args.get("tables") or [tree.this]
    name = relations.table_name(session, table)
    if name is None or not _forget(session, kept_in, name):
        if not tree.args.get("exists"):
            raise ObjectNotFound(str(tree.args["kind"]).capitalize(), str(name))
        return Result.status(
            "Drop statement executed successfully (object already dropped or not authorized).",
            statement_type.DDL,
        )
    return Result.status(f"{name.name} successfully dropped.", statement_type.DDL)


def _forget(session: Session, kept_in: str, name: QualifiedName) -> bool:
    # The row goes first: files without a stage are out of reach, a stage without its files would be wrong.
    where = "WHERE database_name = ? AND schema_name = ? AND name = ?"
    place = [name.database, name.schema, name.name]
    if not session.duck.execute(f"SELECT 1 FROM {kept_in} {where}", place).fetchall():
        return False
    folder = stage_folder(session, name) if kept_in == _KEPT_IN["STAGE"] else None
    session.duck.execute(f"DELETE FROM {kept_in} {where}", place)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return True
