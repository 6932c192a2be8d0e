"""COPY INTO a stage from a table or a query: CSV, JSON or Parquet, as one file.

Source: https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
Deviation: the rows are not split over several files; PARTITION BY and MAX_FILE_SIZE are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from fakesnow import statement_type
from sqlglot import exp

from snowcellar import staged_files
from snowcellar.binds import Params
from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.loading import file_formats
from snowcellar.loading.file_formats import Options
from snowcellar.names import literal
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.statement import Statement
from snowcellar.streams import consumption
from snowcellar.translation import translate

_SUFFIXES = {"CSV": ".csv", "JSON": ".json", "PARQUET": ".parquet"}
_COMPRESSIONS = {"AUTO": "gzip", "GZIP": "gzip", "ZSTD": "zstd", "NONE": ""}
_ENDINGS = {"gzip": ".gz", "zstd": ".zst", "": ""}


def run(session: Session, tree: exp.Copy, params: Params) -> Result:
    """Write the rows, which consumes the streams that they come from (SEMANTICS 1)."""
    location = tree.this.this.name
    if not location.startswith("@"):
        raise Unsupported(
            f"COPY INTO {tree.this.sql(dialect='snowflake')}", "Unload to a stage: INTO @stage."
        )
    said = {each.name.upper(): each for each in tree.args.get("params") or []}
    written = said.pop("FILE_FORMAT", None)
    flags = {name: _flag(said.pop(name, None)) for name in ("HEADER", "OVERWRITE", "SINGLE")}
    said.pop("MAX_FILE_SIZE", None)
    for other in said.values():
        raise Unsupported(f"COPY INTO a location ... {other.sql(dialect='snowflake')}")
    stage = staged_files.stage_of(session, location)
    form = file_formats.of_statement(session, _written(written), stage)
    kind = file_formats.require_known_type(form)
    packed = _compression(form)
    target = _target(session, location, kind, packed, single=flags["SINGLE"])
    if target.exists() and not flags["OVERWRITE"]:
        raise WarehouseError(
            f"Files already existing at the unload destination: {location}. Use overwrite option to force "
            "unloading.",
            1030,
            "22000",
        )
    source = tree.args["files"][0]
    query = source.this if isinstance(source, exp.Subquery) else exp.select("*").from_(source.copy())
    statement = Statement(query.sql(dialect="snowflake"))
    with session.connection.statement(session) as transaction:
        translation = translate(session, statement, params)
        assert translation is not None
        sql = translation.fill(session, transaction, translation.sql)
        for name in translation.streams:
            session.connection.lock(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        columns = session.duck.sql(f"SELECT * FROM ({sql.text}) LIMIT 0", params=sql.values(params)).columns
        text = _rows(sql.text, kind, columns, header=flags["HEADER"])
        if values := sql.values(params):
            for bound, value in values.items():
                session.duck.execute(f"SET VARIABLE sc_bind_{bound} = ?", [value])
                text = text.replace(f"${bound}", f"getvariable('sc_bind_{bound}')")
        count = session.duck.execute(
            f"COPY ({text}) TO {literal(str(partial))} ({_how(kind, form, packed, header=flags['HEADER'])})"
        ).fetchall()[0][0]
        partial.replace(target)
        for name in translation.streams:
            consumption.consume(session, transaction, name)
    size = target.stat().st_size
    names = ("rows_unloaded", "input_bytes", "output_bytes")
    result = Result.rows([(name, pa.int64()) for name in names], [[count, size, size]])
    return Result(result.table, {}, count, statement_type.COPY)


def _flag(parameter: exp.Expr | None) -> bool:
    value = parameter.args.get("expression") if parameter is not None else None
    return isinstance(value, exp.Boolean) and bool(value.this)


def _written(parameter: exp.Expr | None) -> list[exp.Expr]:
    if parameter is None:
        return []
    named = parameter.args.get("expression")
    return parameter.expressions or [exp.Property(this=exp.Var(this="FORMAT_NAME"), value=named)]


def _compression(form: Options) -> str:
    said = str(form.get("COMPRESSION", "AUTO")).upper()
    if form["TYPE"] == "PARQUET":
        return ""
    if said not in _COMPRESSIONS:
        raise Unsupported(f"COMPRESSION = {said}")
    return _COMPRESSIONS[said]


def _target(session: Session, location: str, kind: str, packed: str, *, single: bool) -> Path:
    path = staged_files.path_of(location)
    if single:
        path = f"{path}data" if path.endswith("/") or not path else path
    else:
        path = f"{path}data_0_0_0" if path.endswith("/") or not path else f"{path}_0_0_0"
        path += ".snappy.parquet" if kind == "PARQUET" else f"{_SUFFIXES[kind]}{_ENDINGS[packed]}"
    folder = staged_files.folder_of(session, location).resolve()
    target = (folder / path).resolve()
    if folder not in target.parents:
        raise WarehouseError(f"invalid stage location '{location}'", 1003, "42000")
    return target


def _rows(text: str, kind: str, columns: list[str], *, header: bool) -> str:
    if kind == "JSON":
        if len(columns) != 1:
            raise WarehouseError(
                "SQL compilation error:\nJSON file format can produce one and only one column of type "
                "variant, object, or array.",
                2019,
                "0A000",
            )
        return f"SELECT CAST(to_json(v) AS VARCHAR) AS v FROM ({text}) AS t(v)"
    if kind == "PARQUET" and not header:
        names = ", ".join(f'"_COL_{position}"' for position in range(len(columns)))
        return f"SELECT * FROM ({text}) AS t({names})"
    return text


def _how(kind: str, form: Options, packed: str, *, header: bool) -> str:
    if kind == "PARQUET":
        return "FORMAT parquet, COMPRESSION snappy"
    options: dict[str, Any] = {"FORMAT": "csv", "HEADER": header and kind == "CSV"}
    if kind == "JSON":
        options |= {"QUOTE": "''", "ESCAPE": "''", "DELIMITER": "'\x01'"}
    else:
        reader = file_formats.csv_reader({**form, "SKIP_HEADER": 0})
        nulls = form.get("NULL_IF", ["\\N"])
        null = str(nulls[0] if isinstance(nulls, list) and nulls else nulls or "")
        options |= {"DELIMITER": reader["delim"], "NULLSTR": literal(null)}
    if packed:
        options["COMPRESSION"] = packed
    return ", ".join(f"{name} {value}" for name, value in options.items())
