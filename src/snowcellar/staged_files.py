"""Querying staged files: SELECT $1:column, ... FROM @stage/path (FILE_FORMAT => name).

Source: https://docs.snowflake.com/en/user-guide/querying-stage
$1:name::TYPE of a Parquet file reads the column without going through JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakesnow.transforms import stage as fakesnow_stage
from sqlglot import exp

from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.loading import file_formats, scans
from snowcellar.loading.file_formats import Options
from snowcellar.names import NAME, PART, QualifiedName, literal, quote
from snowcellar.session import Session

_STAGED = re.compile(rf"@(?:(?P<own>~)|%(?P<table>{PART})|(?P<stage>{NAME}))(?:/(?P<path>.*))?\Z", re.DOTALL)


@dataclass(frozen=True)
class Scan:
    """A place in a translated statement that stands for the rows of files."""

    text: str
    query: str
    is_stream: bool = False

    def fill(self, _session: object, _transaction: object) -> str:
        """The DuckDB query for the rows."""
        return f"({self.query})"


def expand(session: Session, tree: exp.Expr) -> list[Scan]:
    """Put markers where a statement reads staged files."""
    return [
        _expand_one(session, table, position)
        for position, table in enumerate(list(tree.find_all(exp.Table)))
        if isinstance(table.this, exp.Var | exp.Literal) and table.this.name.startswith("@")
    ]


def _expand_one(session: Session, table: exp.Table, position: int) -> Scan:
    select = table.find_ancestor(exp.Select)
    if select is None:
        raise Unsupported("staged files outside a SELECT")
    pattern = table.args.get("pattern")
    files = files_at(session, table.this.name, pattern.name if pattern is not None else None)
    form = table.args.get("format")
    options = (
        file_formats.of_stage(session, stage_of(session, table.this.name))
        if form is None
        else file_formats.of_name(session, _format_name(form))
    )
    scan = Scan(quote(f"SNOWCELLAR$FILES_{position}"), _scan(session, select, files, options))
    put_marker(table, scan.text)
    return scan


def overwrites(put: exp.Expr) -> bool:
    """Whether a PUT says OVERWRITE = TRUE."""
    said = {each.name.upper(): each.args["value"] for each in put.find_all(exp.Property)}
    return isinstance(value := said.get("OVERWRITE"), exp.Boolean) and bool(value.this)


def put_marker(table: exp.Table, text: str) -> None:
    """Let a marker stand where a statement names staged files."""
    for key in ("format", "pattern"):
        table.set(key, None)
    if table.args.get("alias") is None:
        table.set("alias", exp.TableAlias(this=exp.to_identifier("STAGED_FILE", quoted=True)))
    table.set("this", exp.to_identifier(text.strip('"'), quoted=True))


def _scan(session: Session, select: exp.Select, files: dict[Path, str], options: Options) -> str:
    parameters = [each for each in select.find_all(exp.Parameter) if each.find_ancestor(exp.Select) is select]
    wants_file = any(scans.is_metadata(column.name) for column in select.find_all(exp.Column))
    if options["TYPE"] == "PARQUET" and not wants_file and all(map(_is_one_column, parameters)):
        for parameter in parameters:
            _bind_column(parameter)
        return f"SELECT * FROM read_parquet([{', '.join(literal(str(file)) for file in files)}])"
    fields = 0
    for parameter in parameters:
        fields = max(fields, int(parameter.name))
        _bind_position(parameter)
    with session.warehouse.cursor() as duck:
        return scans.rows(duck, files, options, fields=fields)


def _is_one_column(parameter: exp.Parameter) -> bool:
    """$1:name::TYPE, which reads a column of a Parquet file without going through JSON."""
    extract = _holder(parameter).parent
    if parameter.name != "1" or not isinstance(extract, exp.JSONExtract):
        return False
    return (
        isinstance(extract.parent, exp.Cast)
        and len(_keys(extract)) == len(extract.expression.expressions) - 1 == 1
    )


def _holder(parameter: exp.Parameter) -> exp.Expr:
    """The parameter, or the column that it is of a table: T.$1."""
    holder = parameter.parent
    return holder if isinstance(holder, exp.Column) else parameter


def _keys(extract: exp.JSONExtract) -> list[str]:
    return [str(part.this) for part in extract.expression.find_all(exp.JSONPathKey)]


def _bind_column(parameter: exp.Parameter) -> None:
    extract = _holder(parameter).parent
    assert isinstance(extract, exp.JSONExtract)
    extract.replace(exp.column(exp.to_identifier(_keys(extract)[0], quoted=True)))


def _bind_position(parameter: exp.Parameter) -> None:
    if not parameter.name.isdigit():
        raise CompilationError(f"syntax error: unexpected '{parameter.sql(dialect='snowflake')}'.")
    holder = _holder(parameter)
    name = exp.to_identifier(f"${parameter.name}", quoted=True)
    holder.replace(exp.column(name, table=holder.args.get("table")))


def bind_positions(select: exp.Select) -> None:
    """Read $1, $2 ... of a select as the columns of that name."""
    for parameter in list(select.find_all(exp.Parameter)):
        _bind_position(parameter)


def _format_name(form: Any) -> str:
    if isinstance(form, exp.Table):
        return ".".join(part.sql(dialect="snowflake") for part in form.parts)
    if isinstance(form, exp.Literal | exp.Var):
        return form.name
    raise Unsupported("an inline FILE_FORMAT", "Name a format that CREATE FILE FORMAT made.")


def stage_of(session: Session, location: str) -> QualifiedName | None:
    """The stage that @stage/path names; None for a table's own."""
    match = _matched(location)
    return session.qualify(match["stage"]) if match["stage"] else None


def path_of(location: str) -> str:
    """The path below the stage that @stage/path names."""
    return _matched(location)["path"] or ""


def _matched(location: str) -> re.Match[str]:
    match = _STAGED.match(location.strip("'"))
    if match is None:
        raise CompilationError(f"invalid stage location '{location}'")
    if match["own"]:
        raise Unsupported("the user's own stage @~", "CREATE a STAGE.")
    return match


def folder_of(session: Session, location: str) -> Path:
    """Where the files of the stage lie that @stage/path or @%table/path names."""
    match = _matched(location)
    if match["stage"]:
        return stage_folder(session, session.qualify(match["stage"]))
    table = session.qualify(match["table"])
    return Path(fakesnow_stage.LOCAL_BUCKET_PATH) / table.database / table.schema / f"%{table.name}"


def listed(session: Session, location: str, pattern: str | None = None) -> dict[Path, str]:
    """The files whose path starts as the location says, with their paths below the stage."""
    folder, prefix = folder_of(session, location), path_of(location)
    wanted = re.compile(pattern) if pattern is not None else None
    files = {file: str(file.relative_to(folder)) for file in sorted(folder.rglob("*")) if file.is_file()}
    return {
        file: path
        for file, path in files.items()
        if path.startswith(prefix) and (wanted is None or wanted.fullmatch(path))
    }


def files_at(session: Session, location: str, pattern: str | None = None) -> dict[Path, str]:
    """The same; that there are none is an error."""
    files = listed(session, location, pattern)
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
