"""FILE_FORMAT: what a statement says of its files, else what their stage does, else CSV.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-file-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fakesnow.transforms.options import parse_options
from sqlglot import exp

from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported
from snowcellar.names import QualifiedName
from snowcellar.session import Session

GLOBAL_DDL = """
CREATE TABLE IF NOT EXISTS _fs_global._fs_information_schema.sc_stage_formats (
    database_name VARCHAR, schema_name VARCHAR, name VARCHAR, options VARCHAR,
    PRIMARY KEY (database_name, schema_name, name))
"""
_FORMATS = "_fs_global._fs_information_schema._fs_file_formats"
STAGE_FORMATS = "_fs_global._fs_information_schema.sc_stage_formats"
"""What stages say of their files, kept beside fakesnow's list of them."""

Options = Mapping[str, Any]
"""The options of a format by upper-case name, with its TYPE."""


def of_statement(session: Session, written: Sequence[exp.Expr], stage: QualifiedName | None) -> Options:
    """The format that FILE_FORMAT = (...) says, over what the stage's says when it names no type."""
    options = read(session, written)
    return options if "TYPE" in options else {**of_stage(session, stage), **options}


def read(session: Session, written: Sequence[exp.Expr]) -> dict[str, Any]:
    """Written options, with those of the format that FORMAT_NAME names beneath them."""
    named: dict[str, Any] = {}
    rest = []
    for part in written:
        if isinstance(part, exp.Property) and part.name.upper() == "FORMAT_NAME":
            named = dict(of_name(session, _name(part.args["value"])))
        else:
            rest.append(part)
    options = {**named, **parse_options(rest)}
    if "TYPE" in options:
        options["TYPE"] = str(options["TYPE"]).upper()
    return options


def _name(value: exp.Expr) -> str:
    return value.sql(dialect="snowflake") if isinstance(value, exp.Table | exp.Identifier) else value.name


def of_name(session: Session, name: str) -> Options:
    """The options of a named file format."""
    full = session.qualify(name)
    rows = session.duck.execute(
        f"SELECT options FROM {_FORMATS} WHERE database_name = ? AND schema_name = ? AND name = ?",
        [full.database, full.schema, full.name],
    ).fetchall()
    if not rows:
        raise ObjectNotFound("File format", str(full))
    options: dict[str, Any] = json.loads(rows[0][0])
    return options


def of_stage(session: Session, stage: QualifiedName | None) -> Options:
    """What CREATE STAGE said of the stage's files; CSV if it said nothing."""
    if stage is None:
        return {"TYPE": "CSV"}
    rows = session.duck.execute(
        f"SELECT options FROM {STAGE_FORMATS} WHERE database_name = ? AND schema_name = ? AND name = ?",
        [stage.database, stage.schema, stage.name],
    ).fetchall()
    kept: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
    if name := kept.pop("FORMAT_NAME", None):
        kept = {**of_name(session, name), **kept}
    return {"TYPE": "CSV", **kept}


def keep(session: Session, stage: QualifiedName, tree: exp.Create) -> None:
    """Remember what a CREATE STAGE says of its files."""
    forget(session, stage)
    for written in tree.find_all(exp.FileFormatProperty):
        options: dict[str, Any] = {}
        for part in written.expressions:
            if part.name.upper() == "FORMAT_NAME":
                full = session.qualify(_name(part.args["value"]))
                of_name(session, full.quoted)
                options["FORMAT_NAME"] = full.quoted
            else:
                options.update(parse_options([part]))
        session.duck.execute(
            f"INSERT INTO {STAGE_FORMATS} VALUES (?, ?, ?, ?)",
            [stage.database, stage.schema, stage.name, json.dumps(options)],
        )


def forget(session: Session, stage: QualifiedName) -> None:
    """What is remembered of a stage goes with it."""
    session.duck.execute(
        f"DELETE FROM {STAGE_FORMATS} WHERE database_name = ? AND schema_name = ? AND name = ?",
        [stage.database, stage.schema, stage.name],
    )


def csv_reader(options: Options) -> dict[str, str]:
    """The arguments of DuckDB's read_csv for a CSV format; what it cannot do is refused by name."""
    empty = bool(options.get("EMPTY_FIELD_AS_NULL", True))
    nulls = options.get("NULL_IF", ["\\N"])
    texts = [str(each) for each in (nulls if isinstance(nulls, list) else [nulls])]
    if empty and "" not in texts:
        texts.insert(0, "")
    arguments = {
        "delim": _literal(options.get("FIELD_DELIMITER", ",")),
        "quote": _literal(_none(options.get("FIELD_OPTIONALLY_ENCLOSED_BY", ""))),
        "skip": str(int(options.get("SKIP_HEADER", 0))),
        "nullstr": f"[{', '.join(map(_literal, texts))}]",
    }
    arguments["escape"] = arguments["quote"]
    for name, value in options.items():
        _check_csv(name, value, arguments)
    return arguments


_READ = {
    *("TYPE", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "SKIP_HEADER", "NULL_IF", "PARSE_HEADER"),
    *("EMPTY_FIELD_AS_NULL", "ERROR_ON_COLUMN_COUNT_MISMATCH", "TRIM_SPACE", "COMMENT", "SKIP_BLANK_LINES"),
}
_HARMLESS = {
    "RECORD_DELIMITER": ("\\n", "\n", "\r\n", "\\r\\n"),
    "ESCAPE": ("NONE",),
    "ESCAPE_UNENCLOSED_FIELD": ("NONE", "\\", "\\\\"),
    "ENCODING": ("UTF8", "UTF-8"),
    "DATE_FORMAT": ("AUTO",),
    "TIME_FORMAT": ("AUTO",),
    "TIMESTAMP_FORMAT": ("AUTO",),
    "BINARY_AS_TEXT": (True, False),
    "REPLACE_INVALID_CHARACTERS": (False,),
    "MULTI_LINE": (True,),
}


def _check_csv(name: str, value: object, arguments: dict[str, str]) -> None:
    if name == "COMPRESSION":
        kind = str(value).upper()
        if kind in ("GZIP", "NONE", "ZSTD"):
            arguments["compression"] = _literal(kind.lower())
        elif kind not in ("AUTO", "AUTO_DETECT"):
            raise Unsupported(f"COMPRESSION = {value}")
    elif name not in _READ and _upper(value) not in _HARMLESS.get(name, ()):
        raise Unsupported(f"FILE_FORMAT option {name} = {value}")


def check_json(options: Options) -> None:
    """Refuse what DuckDB's reader of JSON cannot do."""
    known = {"TYPE", "STRIP_OUTER_ARRAY", "COMPRESSION", "COMMENT"}
    for name, value in options.items():
        if name not in known and not (value is False or _upper(value) in _HARMLESS.get(name, ())):
            raise Unsupported(f"FILE_FORMAT option {name} = {value}")


def check_parquet(options: Options) -> None:
    """Options of Parquet that change how values are read are refused."""
    known = {"TYPE", "COMPRESSION", "COMMENT", "SNAPPY_COMPRESSION", "USE_LOGICAL_TYPE", "BINARY_AS_TEXT"}
    known |= {"USE_VECTORIZED_SCANNER"}
    for name, value in options.items():
        if name not in known:
            raise Unsupported(f"FILE_FORMAT option {name} = {value}")


def require_known_type(options: Options) -> str:
    """The TYPE, of those that are read here."""
    kind = str(options.get("TYPE", "CSV"))
    if kind not in ("CSV", "JSON", "PARQUET"):
        raise Unsupported(f"files of TYPE = {kind}", "CSV, JSON and PARQUET are read.")
    return kind


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _none(value: object) -> str:
    return "" if str(value).upper() == "NONE" else str(value)


def _literal(value: object) -> str:
    text = {"\\t": "\t", "\\x01": "\x01", "TAB": "\t"}.get(str(value), str(value))
    if "\n" in text:
        raise CompilationError("a field delimiter cannot hold a line's end.")
    return "'" + text.replace("'", "''") + "'"
