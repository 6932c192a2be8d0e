"""COPY INTO a table: each file is looked through first, so that ON_ERROR knows what is wrong in it.

Source: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
Deviations: a file's columns are counted in its first row; a row is wrong where a cast that is written in a
transformation fails.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from fakesnow import statement_type
from sqlglot import exp

from snowcellar import relations, staged_files
from snowcellar.binds import Params
from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported
from snowcellar.functions import calls
from snowcellar.loading import copy_options, file_formats, load_errors, load_history, scans
from snowcellar.loading.copy_options import CopyOptions
from snowcellar.loading.file_formats import Options
from snowcellar.loading.load_errors import LoadError
from snowcellar.names import QualifiedName, literal, quote
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.streams import capture
from snowcellar.translation import to_duckdb

_SCANNED = quote("SNOWCELLAR$FILES")
_COLUMNS = (
    ("file", pa.string()),
    ("status", pa.string()),
    ("rows_parsed", pa.int64()),
    ("rows_loaded", pa.int64()),
    ("error_limit", pa.int64()),
    ("errors_seen", pa.int64()),
    ("first_error", pa.string()),
    ("first_error_line", pa.int64()),
    ("first_error_character", pa.int64()),
    ("first_error_column_name", pa.string()),
)


@dataclass(frozen=True)
class Column:
    """A column of the table that is loaded."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True)
class Load:
    """What was found in a file and done with it."""

    file: str
    parsed: int
    loaded: int
    errors: int
    first: LoadError | None
    status: str


_md5 = functools.partial(hashlib.md5, usedforsecurity=False)


def run(session: Session, tree: exp.Copy, target: QualifiedName, params: Params) -> Result:
    """Load the files; all of them or none, but for what ON_ERROR lets be."""
    options = copy_options.read(tree, params)
    source = tree.args["files"][0]
    select = source.this if isinstance(source, exp.Subquery) else None
    location = _location(select.args["from_"].this if select is not None else source)
    stage = staged_files.stage_of(session, location)
    form = file_formats.of_statement(session, options.file_format, stage)
    file_formats.require_known_type(form)
    with session.connection.statement(session) as transaction:
        columns = _columns(session, tree, target)
        capture.announce_write(session, transaction, target)
        loads = []
        for file, path in _files(session, location, options).items():
            with file.open("rb") as opened:
                etag = hashlib.file_digest(opened, _md5).hexdigest()
            shown = f"{stage.name.lower()}/{path}" if stage else path
            key = str(file.relative_to(staged_files.folder_of(session, location).parents[2]))
            if not options.force and load_history.is_loaded(session, target, key, etag):
                loads.append(Load(shown, 0, 0, 1, None, "LOAD_SKIPPED"))
                continue
            reading = _Reading(session, form, options, columns, select, target)
            load = reading.load(file, path, shown)
            loads.append(load)
            if load.status != "LOAD_FAILED":
                load_history.record(session, target, key, etag, load.loaded, load.parsed)
                if options.purge:
                    transaction.after_commit.append(functools.partial(file.unlink, missing_ok=True))
    return _result(loads, options)


def _location(source: exp.Expr) -> str:
    named = source.this if isinstance(source, exp.Table) else source
    if not isinstance(named, exp.Var | exp.Literal) or not named.name.startswith("@"):
        raise Unsupported(
            f"COPY INTO ... FROM {source.sql(dialect='snowflake')}", "Load from a stage: FROM @stage."
        )
    return named.name


def _files(session: Session, location: str, options: CopyOptions) -> dict[Path, str]:
    if options.files and options.pattern:
        raise CompilationError("FILES and PATTERN cannot both be given.")
    if not options.files:
        return staged_files.listed(session, location, options.pattern)
    found: dict[Path, str] = {}
    for name in options.files:
        folder, path = staged_files.folder_of(session, location), f"{staged_files.path_of(location)}{name}"
        file = (folder / path).resolve()
        if not file.is_file() and staged_files.path_of(location):
            path = f"{staged_files.path_of(location).rstrip('/')}/{name}"
            file = (folder / path).resolve()
        if folder.resolve() not in file.parents or not file.is_file():
            raise CompilationError(f"Remote file '{location}/{name}' was not found.", 91016, "22000")
        found[file] = path
    return found


def _columns(session: Session, tree: exp.Copy, target: QualifiedName) -> list[Column]:
    rows = session.duck.execute(
        "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns() WHERE schema_name = ? "
        "AND table_name = ? AND (database_name = ? OR database_name = 'temp') ORDER BY column_index",
        [target.schema, target.name, target.database],
    ).fetchall()
    if not rows:
        rows = session.duck.execute(
            "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns() "
            "WHERE database_name = 'temp' AND table_name = ? ORDER BY column_index",
            [target.name],
        ).fetchall()
    known = {row[0]: Column(*row) for row in rows if row[0] not in load_history.HIDDEN_COLUMNS}
    if not known:
        raise ObjectNotFound("Table", str(target))
    if not isinstance(tree.this, exp.Schema):
        return list(known.values())
    names = [relations.fold_identifier(each) for each in tree.this.expressions]
    for name in names:
        if name not in known:
            raise CompilationError(f"invalid identifier '{name}'", 904)
    return [known[name] for name in names]


@dataclass(frozen=True)
class _Reading:
    """How the files of one COPY are read."""

    session: Session
    form: Options
    options: CopyOptions
    columns: Sequence[Column]
    select: exp.Select | None
    target: QualifiedName

    def load(self, file: Path, path: str, shown: str) -> Load:
        """Look a file through and load of it what may be."""
        with self.session.warehouse.cursor() as duck:
            duck.execute(f"SET TimeZone = {literal(str(self.session.parameters['TIMEZONE']))}")
            if (mismatch := self._count_mismatch(duck, file)) is not None:
                return self._with_errors("", shown, 1, 1, mismatch)
            rows = self._rows(duck, file, path)
            try:
                parsed, errors = duck.execute(
                    f"SELECT count(*), count(*) FILTER (WHERE {self._is_bad()}) FROM ({rows})"
                ).fetchall()[0]
            except duckdb.InvalidInputException as error:
                if self.form["TYPE"] != "JSON":
                    raise
                rows = self._rows(duck, file, path, lines=True)
                parsed, errors = duck.execute(
                    f"SELECT count(*), count(*) FILTER (WHERE {self._is_bad()}) FROM ({rows})"
                ).fetchall()[0]
                if not errors:
                    raise error
            first = self._first_error(duck, rows) if errors else None
        return self._with_errors(rows, shown, parsed, errors, first)

    def _with_errors(
        self,
        rows: str,
        shown: str,
        parsed: int,
        errors: int,
        first: LoadError | None,
    ) -> Load:
        if first is not None and self.options.on_error == "ABORT_STATEMENT":
            raise first.as_failure(shown)
        if parsed and (errors == parsed or self.options.skips_file(parsed, errors)):
            return Load(shown, parsed, 0, errors, first, "LOAD_FAILED")
        names = ", ".join(quote(column.name) for column in self.columns)
        values = ", ".join(self._value(position) for position in range(len(self.columns)))
        loaded = self.session.duck.execute(
            f"INSERT INTO {self._table()} ({names}) SELECT {values} FROM ({rows}) "
            f"WHERE NOT ({self._is_bad()})"
        ).fetchall()[0][0]
        return Load(shown, parsed, loaded, errors, first, "PARTIALLY_LOADED" if errors else "LOADED")

    def _table(self) -> str:
        return quote(self.target.name) if self.target in self.session.temporary else self.target.quoted

    def _value(self, position: int) -> str:
        column = self.columns[position]
        given = f"v{position + 1}"
        if column.type == "JSON":
            return f"to_json({given})" if self._is_json() else f"TRY_CAST({given} AS JSON)"
        return f"TRY_CAST(memory.main.sc_written({given}) AS {column.type})"

    def _is_json(self) -> bool:
        return bool(self.form["TYPE"] != "CSV")

    def _is_bad(self) -> str:
        faults = ["NOT well_formed"]
        for position, column in enumerate(self.columns):
            given = f"memory.main.sc_written(v{position + 1})"
            if column.type not in ("VARCHAR", "JSON") or (column.type == "JSON" and not self._is_json()):
                faults.append(f"({given} IS NOT NULL AND {self._value(position)} IS NULL)")
            if column.required:
                faults.append(f"{given} IS NULL")
        return " OR ".join(faults)

    def _first_error(self, duck: duckdb.DuckDBPyConnection, rows: str) -> LoadError:
        checked = [
            f"[memory.main.sc_written(v{i + 1}), CAST({self._value(i)} AS VARCHAR)]"
            for i in range(len(self.columns))
        ]
        [row, well_formed, *values] = duck.execute(
            f"SELECT row, well_formed, {', '.join(checked)} FROM ({rows}) "
            f"WHERE {self._is_bad()} ORDER BY row LIMIT 1"
        ).fetchall()[0]
        for position, (column, (given, kept)) in enumerate(zip(self.columns, values, strict=True), start=1):
            shown = f'"{self.target.name}"["{column.name}":{position}]'
            if given is None and column.required:
                return load_errors.null_in(row, shown)
            if given is not None and kept is None:
                return load_errors.not_recognized(given, column.type, row, shown)
        text = "invalid JSON" if not well_formed else "a cast failed"
        return load_errors.not_recognized(text, "JSON", row, f'"{self.target.name}"["$1":1]')

    def _count_mismatch(self, duck: duckdb.DuckDBPyConnection, file: Path) -> LoadError | None:
        if self.form["TYPE"] != "CSV" or self.select is not None or self.options.match != "NONE":
            return None
        if not self.form.get("ERROR_ON_COLUMN_COUNT_MISMATCH", True) or not file.stat().st_size:
            return None
        found = len(scans.csv_fields(duck, str(file), self.form))
        return None if found == len(self.columns) else load_errors.column_count(found, len(self.columns))

    def _rows(self, duck: duckdb.DuckDBPyConnection, file: Path, path: str, *, lines: bool = False) -> str:
        """v1, v2 ...: what goes into the columns; its row in the file, and whether it could be read."""
        if self.select is not None:
            return self._transformed(duck, file, path)
        width = len(self.columns)
        if lines:
            scan = scans.json_lines(str(file))
            good, row = '"$1" IS NOT NULL', "row_number() OVER ()"
        else:
            fields = width if self.options.match == "NONE" else 0
            scan = scans.rows(duck, {file: path}, self.form, fields=fields)
            good, row = "TRUE", '"METADATA$FILE_ROW_NUMBER"'
        values = ", ".join(
            f"{value} AS v{position}" for position, value in enumerate(self._given(duck, file), start=1)
        )
        return f"SELECT {values}, {row} AS row, {good} AS well_formed FROM ({scan})"

    def _given(self, duck: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
        """Where each column's value comes from, without a transformation."""
        kind = str(self.form["TYPE"])
        if self.options.match != "NONE":
            return [self._matched(duck, file, column) for column in self.columns]
        if kind == "CSV":
            return [quote(f"${position}") for position in range(1, len(self.columns) + 1)]
        if [column.type for column in self.columns] != ["JSON"]:
            raise CompilationError(
                f"{kind} file format can produce one and only one column of type variant, object, or array. "
                "Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with "
                "transformation.",
                2019,
                "0A000",
            )
        return ['"$1"']

    def _matched(self, duck: duckdb.DuckDBPyConnection, file: Path, column: Column) -> str:
        exact = self.options.match == "CASE_SENSITIVE"
        if self.form["TYPE"] == "CSV":
            if not self.form.get("PARSE_HEADER"):
                raise CompilationError("MATCH_BY_COLUMN_NAME with CSV needs PARSE_HEADER = TRUE.", 1003)
            names = scans.csv_fields(duck, str(file), self.form)
            for position, name in enumerate(names, start=1):
                if name == column.name or (not exact and name.upper() == column.name.upper()):
                    return quote(f"${position}")
            return "NULL::VARCHAR"
        if exact:
            return f"""json_extract("$1", {literal('$."' + column.name.replace('"', "") + '"')})"""
        return f'memory.main.sc_get_ignore_case("$1", {literal(column.name)})'

    def _transformed(self, duck: duckdb.DuckDBPyConnection, file: Path, path: str) -> str:
        """The rows of FROM (SELECT ... FROM @stage); a cast that fails is a fault of the row."""
        assert self.select is not None
        select = self.select.copy()
        if len(select.expressions) != len(self.columns):
            raise CompilationError(
                f"Insert value list does not match column list expecting {len(self.columns)} but got "
                f"{len(select.expressions)}",
                2020,
                "21S01",
            )
        table = select.args["from_"].this
        fields = max(
            (int(each.name) for each in select.find_all(exp.Parameter) if each.name.isdigit()), default=0
        )
        scan = scans.rows(duck, {file: path}, self.form, fields=fields)
        staged_files.bind_positions(select)
        staged_files.put_marker(table, _SCANNED)
        faults = []
        for cast in list(select.find_all(exp.Cast)):
            if isinstance(cast, exp.TryCast):
                continue
            tried = exp.TryCast(this=cast.this.copy(), to=cast.to.copy())
            faults.append(
                exp.and_(calls.macro("given", cast.this), exp.Is(this=tried.copy(), expression=exp.null()))
            )
            cast.replace(tried)
        values = [
            exp.alias_(each.unalias().copy(), f"v{position}")
            for position, each in enumerate(select.expressions, start=1)
        ]
        row = exp.alias_(exp.column(exp.to_identifier("METADATA$FILE_ROW_NUMBER", quoted=True)), "row")
        bad = exp.or_(*faults) if faults else exp.false()
        well = exp.alias_(exp.not_(exp.func("COALESCE", exp.paren(bad), exp.false())), "well_formed")
        select.set("expressions", [*values, row, well])
        return to_duckdb(self.session, select).text.replace(_SCANNED, f"({scan})")


def _result(loads: list[Load], options: CopyOptions) -> Result:
    if not loads:
        return Result.status("Copy executed with 0 files processed.", statement_type.COPY)
    rows: list[list[Any]] = []
    for load in loads:
        skipped = load.status == "LOAD_SKIPPED"
        limit = None if skipped else load.parsed if options.on_error == "CONTINUE" else 1
        first = load.first
        rows.append(
            [
                *(load.file, load.status, load.parsed, load.loaded, limit, load.errors),
                "File was loaded before." if skipped else first.message if first else None,
                *((first.row, 1, first.column) if first else (None, None, None)),
            ]
        )
    result = Result.rows(_COLUMNS, rows, statement_type=statement_type.COPY)
    return Result(result.table, {}, sum(load.loaded for load in loads), statement_type.COPY)
