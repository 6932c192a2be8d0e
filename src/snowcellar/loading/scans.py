"""DuckDB queries for the rows of files: $1, $2 ... as Snowflake has them, METADATA$FILENAME and its kin.

Source: https://docs.snowflake.com/en/user-guide/querying-stage and .../querying-metadata
Of a CSV file $n is its n-th field as text; of JSON and Parquet $1 is the whole row as a VARIANT.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowcellar.loading import file_formats
from snowcellar.loading.file_formats import Options
from snowcellar.names import literal, quote

if TYPE_CHECKING:
    import duckdb

OVERFLOW = "SNOWCELLAR$MORE"
"""Of CSV: a field beyond those that are asked for."""
_METADATA = (
    "METADATA$FILENAME",
    "METADATA$FILE_ROW_NUMBER",
    "METADATA$FILE_LAST_MODIFIED",
    "METADATA$FILE_CONTENT_KEY",
    "METADATA$START_SCAN_TIME",
)


def is_metadata(name: str) -> bool:
    """Whether a column tells of the file."""
    return name.upper() in _METADATA


def rows(
    duck: duckdb.DuckDBPyConnection, files: dict[Path, str], options: Options, *, fields: int = 0
) -> str:
    """A query for the rows of files. files: with their names below the stage. fields: of CSV, at least."""
    kind = file_formats.require_known_type(options)
    paths = list(map(str, files))
    if kind == "CSV":
        scan = _csv(duck, paths, options, fields)
    elif kind == "JSON":
        scan = json_rows(paths, options)
    else:
        scan = parquet_rows(duck, paths, options)
    names = ", ".join(f"{literal(str(path))}: {literal(name)}" for path, name in files.items())
    return (
        f'SELECT * EXCLUDE (filename), MAP {{{names}}}[filename] AS "METADATA$FILENAME", '
        'row_number() OVER (PARTITION BY filename) AS "METADATA$FILE_ROW_NUMBER", '
        'CAST(NULL AS TIMESTAMP) AS "METADATA$FILE_LAST_MODIFIED", '
        'CAST(NULL AS VARCHAR) AS "METADATA$FILE_CONTENT_KEY", '
        'CURRENT_TIMESTAMP AS "METADATA$START_SCAN_TIME" '
        f"FROM ({scan})"
    )


def csv_fields(duck: duckdb.DuckDBPyConnection, path: str, options: Options) -> list[str]:
    """The fields of the first row: its texts with PARSE_HEADER, else column0, column1 ..."""
    arguments = file_formats.csv_reader(options)
    header = bool(options.get("PARSE_HEADER", False))
    given = ", ".join(f"{name} = {value}" for name, value in arguments.items() if name != "compression")
    found: list[dict[str, Any]] = duck.execute(
        f"SELECT Columns FROM sniff_csv({literal(path)}, {given}, header = {header}, all_varchar = true)"
    ).fetchall()[0][0]
    return [each["name"] for each in found]


def _csv(duck: duckdb.DuckDBPyConnection, paths: list[str], options: Options, fields: int) -> str:
    width = fields or max(len(csv_fields(duck, path, options)) for path in paths)
    arguments = file_formats.csv_reader(options)
    header = bool(options.get("PARSE_HEADER", False))
    names = [*(f"${position}" for position in range(1, width + 1)), OVERFLOW]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    given = ", ".join(f"{name} = {value}" for name, value in arguments.items())
    scan = (
        f"read_csv([{', '.join(map(literal, paths))}], {given}, header = {header}, auto_detect = false, "
        f"columns = {{{columns}}}, null_padding = true, strict_mode = false, allow_quoted_nulls = false, "
        "filename = true)"
    )
    if not options.get("TRIM_SPACE"):
        return f"SELECT * FROM {scan}"
    trimmed = ", ".join(f"trim({quote(name)}) AS {quote(name)}" for name in names)
    return f"SELECT {trimmed}, filename FROM {scan}"


def json_rows(paths: list[str], options: Options) -> str:
    """One row for each value."""
    file_formats.check_json(options)
    layout = "auto" if options.get("STRIP_OUTER_ARRAY") else "unstructured"
    return (
        f'SELECT json AS "$1", filename FROM read_json_objects([{", ".join(map(literal, paths))}], '
        f"format = '{layout}', filename = true, maximum_object_size = 134217728)"
    )


def json_lines(path: str) -> str:
    """One row for each line of a file in which some are not JSON: these are NULL."""
    return (
        f'SELECT CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS "$1", line, filename '
        f"FROM read_csv({literal(path)}, columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '', "
        "escape = '', header = false, auto_detect = false, filename = true) WHERE trim(line) <> ''"
    )


def parquet_columns(duck: duckdb.DuckDBPyConnection, path: str) -> list[str]:
    """The columns of a file."""
    return list(duck.sql(f"SELECT * FROM read_parquet({literal(path)}) LIMIT 0").columns)


def parquet_rows(duck: duckdb.DuckDBPyConnection, paths: list[str], options: Options) -> str:
    """The columns of the files, and each row as a VARIANT."""
    file_formats.check_parquet(options)
    return (
        'SELECT to_json(struct_pack(*COLUMNS(* EXCLUDE (filename)))) AS "$1", filename '
        f"FROM read_parquet([{', '.join(map(literal, paths))}], filename = true, union_by_name = true)"
    )
