"""DROP STAGE, with its files, and DROP FILE FORMAT. fakesnow creates both, and leaves the rest to DuckDB.

They are kept in the account's own file, as are the comments of tables and the lengths of their texts: they go
with their schema and database too.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fakesnow import statement_type
from fakesnow.transforms import stage as fakesnow_stage
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import ObjectNotFound
from snowcellar.loading import file_formats
from snowcellar.names import QualifiedName
from snowcellar.result import Result
from snowcellar.staged_files import stage_folder

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

_KEPT_IN = {
    "STAGE": "_fs_global._fs_information_schema._fs_stages",
    "FILE FORMAT": "_fs_global._fs_information_schema._fs_file_formats",
}
_NOTED_IN = (
    "_fs_global._fs_information_schema._fs_tables_ext",
    "_fs_global._fs_information_schema._fs_columns_ext",
)


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
        file_formats.forget(session, name)
        shutil.rmtree(folder, ignore_errors=True)
    return True


def on_drop(warehouse: Warehouse, database: str) -> None:
    """Forget what a database had in the account's own file, and its stages' files."""
    _forget_all(warehouse, database)


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """The same for a schema."""
    _forget_all(warehouse, database, schema)


def _forget_all(warehouse: Warehouse, *place: str) -> None:
    with warehouse.cursor() as duck:
        for kept_in in (*_KEPT_IN.values(), file_formats.STAGE_FORMATS):
            columns = ("database_name", "schema_name")[: len(place)]
            duck.execute(f"DELETE FROM {kept_in} WHERE " + _equal(columns), place)
        for noted_in in _NOTED_IN:
            columns = ("ext_table_catalog", "ext_table_schema")[: len(place)]
            duck.execute(f"DELETE FROM {noted_in} WHERE " + _equal(columns), place)
    # A quoted name may be anything, also one that leads elsewhere.
    if not any(part in (".", "..") or "/" in part for part in place):
        shutil.rmtree(Path(fakesnow_stage.LOCAL_BUCKET_PATH).joinpath(*place), ignore_errors=True)


def _equal(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)
