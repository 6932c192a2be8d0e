"""Querying staged files: SELECT $1:column, ... FROM @stage/path (FILE_FORMAT => name).

Source: https://docs.snowflake.com/en/user-guide/querying-stage
Parquet only: $1 is the row as a VARIANT, and $1:name::TYPE reads the column without going through JSON.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fakesnow.transforms import stage as fakesnow_stage
from sqlglot import exp

from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.names import NAME, QualifiedName, literal, qualify
from snowcellar.session import Session

_STAGED = re.compile(rf"@(?P<stage>~|{NAME})(?:/(?P<path>[^\s()]*))?\Z")


def expand(session: Session, tree: exp.Expr) -> bool:
    """Replace the staged files that a statement reads by DuckDB scans, in place; whether there were any."""
    found = False
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.Var | exp.Literal) and table.this.name.startswith("@"):
            _expand_one(session, table)
            found = True
    return found


def _expand_one(session: Session, table: exp.Table) -> None:
    if (form := _format_type(session, table.args.get("format"))) != "PARQUET":
        raise Unsupported(f"querying staged files of type {form}", "Only TYPE = PARQUET is read in place.")
    files = _files(session, table.this.name, table.args.get("pattern"))
    select = table.find_ancestor(exp.Select)
    if select is None:
        raise Unsupported("staged files outside a SELECT")
    _bind_columns(select)
    listing = ", ".join(literal(str(file)) for file in files)
    scan = f"SELECT * FROM read_parquet([{listing}])"
    from snowcellar.relations import parse_duckdb

    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("STAGED_FILE", quoted=True))
    table.replace(exp.Subquery(this=parse_duckdb(scan), alias=alias.copy()))


def _bind_columns(select: exp.Select) -> None:
    """Read `$1:name::TYPE` as the Parquet column `name`; a bare `$1` would be the whole row."""
    for parameter in list(select.find_all(exp.Parameter)):
        if parameter.find_ancestor(exp.Select) is not select:
            continue
        extract = parameter.parent
        if parameter.name != "1" or not isinstance(extract, exp.JSONExtract):
            raise Unsupported(f"${parameter.name} of a staged Parquet file", "Write $1:column::TYPE.")
        keys = [part.this for part in extract.expression.find_all(exp.JSONPathKey)]
        if len(keys) != 1 or not isinstance(extract.parent, exp.Cast):
            raise Unsupported(extract.sql(dialect="snowflake"), "Write $1:column::TYPE.")
        extract.replace(exp.column(exp.to_identifier(str(keys[0]), quoted=True)))


def _format_type(session: Session, form: Any) -> str:
    if form is None:
        return "CSV"
    if isinstance(form, exp.Table):
        name = ".".join(part.sql(dialect="snowflake") for part in form.parts)
    elif isinstance(form, exp.Literal | exp.Var):
        name = form.name
    else:
        raise Unsupported("an inline FILE_FORMAT", "Name a format that CREATE FILE FORMAT made.")
    return file_format_type(session, qualify(name, session.database, session.schema))


def file_format_type(session: Session, name: QualifiedName) -> str:
    """The TYPE of a named file format."""
    rows = session.duck.execute(
        "SELECT type FROM _fs_global._fs_information_schema._fs_file_formats "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [name.database, name.schema, name.name],
    ).fetchall()
    if not rows:
        raise ObjectNotFound("File format", str(name))
    return str(rows[0][0]).upper()


def _files(session: Session, location: str, pattern: Any) -> list[Path]:
    match = _STAGED.match(location)
    if match is None or match["stage"] == "~":
        raise CompilationError(f"invalid stage location '{location}'")
    if pattern is not None:
        raise Unsupported("PATTERN on staged files")
    folder, prefix = stage_folder(session, session.qualify(match["stage"])), match["path"] or ""
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and str(file.relative_to(folder)).startswith(prefix)
    )
    if not files:
        raise WarehouseError(f"Remote file '{location}' was not found.", 91016, "22000")
    return files


def stage_folder(session: Session, name: QualifiedName) -> Path:
    """Where a stage's files lie."""
    rows = session.duck.execute(
        "SELECT 1 FROM _fs_global._fs_information_schema._fs_stages "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [name.database, name.schema, name.name],
    ).fetchall()
    if not rows:
        raise ObjectNotFound("Stage", str(name))
    return Path(fakesnow_stage.LOCAL_BUCKET_PATH) / name.database / name.schema / name.name
