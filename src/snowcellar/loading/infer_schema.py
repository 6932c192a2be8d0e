"""INFER_SCHEMA: the columns of staged Parquet files, and of CSV files with a header as texts.

Source: https://docs.snowflake.com/en/sql-reference/functions/infer_schema
Deviation: the columns of JSON files are not guessed: refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations, staged_files
from snowcellar.errors import CompilationError, Unsupported
from snowcellar.loading import file_formats, scans
from snowcellar.names import literal
from snowcellar.session import Session

_TYPES = {
    "BIGINT": "NUMBER(38, 0)", "INTEGER": "NUMBER(38, 0)", "SMALLINT": "NUMBER(38, 0)",
    "TINYINT": "NUMBER(38, 0)", "UBIGINT": "NUMBER(38, 0)", "UINTEGER": "NUMBER(38, 0)",
    "DOUBLE": "REAL", "FLOAT": "REAL", "VARCHAR": "TEXT", "BLOB": "BINARY", "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_LTZ", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIME": "TIME",
}  # fmt: skip


def infer_schema(session: Session, arguments: Mapping[str, exp.Expr]) -> exp.Query:
    """TABLE(INFER_SCHEMA(LOCATION => '@stage/path', FILE_FORMAT => 'name'))."""
    if "LOCATION" not in arguments or "FILE_FORMAT" not in arguments:
        raise CompilationError("INFER_SCHEMA needs LOCATION and FILE_FORMAT.", 1044, "42P13")
    location = arguments["LOCATION"].name
    options = file_formats.of_name(session, arguments["FILE_FORMAT"].name)
    files = staged_files.files_at(session, location)
    rows: dict[str, list[object]] = {}
    with session.warehouse.cursor() as duck:
        for file, path in files.items():
            if options["TYPE"] == "PARQUET":
                described = duck.execute(
                    f"DESCRIBE SELECT * FROM read_parquet({literal(str(file))})"
                ).fetchall()
                columns = [(row[0], _snowflake_type(str(row[1]))) for row in described]
            elif options["TYPE"] == "CSV" and options.get("PARSE_HEADER"):
                columns = [(name, "TEXT") for name in scans.csv_fields(duck, str(file), options)]
            else:
                raise Unsupported(f"INFER_SCHEMA of {options['TYPE']} files", "Give the schema.")
            for name, kind in columns:
                rows.setdefault(name, [name, kind, True, f"$1:{name}::{kind}", path, len(rows)])
    names = ("COLUMN_NAME", "TYPE", "NULLABLE", "EXPRESSION", "FILENAMES", "ORDER_ID")
    types = (pa.string(), pa.string(), pa.bool_(), pa.string(), pa.string(), pa.int64())
    arrays = [pa.array([row[i] for row in rows.values()], kind) for i, kind in enumerate(types)]
    return relations.arrow_query(session, pa.Table.from_arrays(arrays, names=list(names)))


def _snowflake_type(duck_type: str) -> str:
    if duck_type.startswith("DECIMAL("):
        return duck_type.replace("DECIMAL(", "NUMBER(").replace(",", ", ")
    return _TYPES.get(duck_type, "VARIANT")


TABLE_FUNCTIONS = {"INFER_SCHEMA": infer_schema}
