"""Snowflake's data types as procedures declare them: synonyms, overload keys, Arrow types.

Source: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from snowcellar.errors import CompilationError, Unsupported

_SYNONYMS = {
    "NUMBER": "NUMBER NUMERIC DECIMAL DEC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT",
    "FLOAT": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL",
    "VARCHAR": "VARCHAR STRING TEXT CHAR CHARACTER NCHAR NVARCHAR NVARCHAR2",
    "BOOLEAN": "BOOLEAN BOOL",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP_NTZ TIMESTAMPNTZ TIMESTAMP DATETIME",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ TIMESTAMPTZ",
    "BINARY": "BINARY VARBINARY",
    "VARIANT": "VARIANT",
    "ARRAY": "ARRAY",
    "OBJECT": "OBJECT",
}
_CANONICAL = {synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms.split()}
_NOT_SUPPORTED = {"GEOGRAPHY", "GEOMETRY", "VECTOR", "MAP", "FILE", "UUID", "INTERVAL", "DECFLOAT"}

SEMI_STRUCTURED = frozenset({"VARIANT", "ARRAY", "OBJECT"})
"""Types whose values are JSON documents."""

TYPE = r"[A-Za-z_]\w*(?:\s+(?:PRECISION|VARYING))?(?:\s*\([^()]*\))?"
"""A data type, as a regular expression for the patterns that recognise declarations."""

_TYPE = re.compile(
    r"\s*(?P<words>[A-Za-z_][\w\s]*?)\s*(?:\(\s*(?P<precision>\d+)\s*(?:,\s*(?P<scale>\d+)\s*)?\))?\s*\Z"
)

_ARROW: dict[str, pa.DataType] = {
    "FLOAT": pa.float64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP_NTZ": pa.timestamp("us"),
    "TIMESTAMP_LTZ": pa.timestamp("us", "UTC"),
    "TIMESTAMP_TZ": pa.timestamp("us", "UTC"),
    "BINARY": pa.binary(),
    "VARIANT": pa.string(),
    "ARRAY": pa.string(),
    "OBJECT": pa.string(),
}


@dataclass(frozen=True)
class DataType:
    """A type by its canonical name; precision and scale for NUMBER only."""

    name: str
    precision: int = 38
    scale: int = 0

    def __str__(self) -> str:
        return f"NUMBER({self.precision},{self.scale})" if self.name == "NUMBER" else self.name

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of a result column."""
        return pa.decimal128(self.precision, self.scale) if self.name == "NUMBER" else _ARROW[self.name]

    @property
    def wire(self) -> str | None:
        """Snowflake's name of the type on the wire, where Arrow's says too little."""
        return self.name.lower() if self.name in SEMI_STRUCTURED or self.name == "TIMESTAMP_LTZ" else None


def parse_type(text: str) -> DataType:
    """The type that a declaration names; lengths of texts are not kept."""
    match = _TYPE.match(text)
    word = re.sub(r"\s+", " ", match["words"]).upper() if match else ""
    first = word.split(" ")[0]
    if first in _NOT_SUPPORTED:
        raise Unsupported(f"the data type {first} in a procedure")
    name = _CANONICAL.get(first)
    if match is None or name is None:
        raise CompilationError(f"Unsupported data type '{text.strip()}'.", 2040, "42601")
    if name != "NUMBER":
        return DataType(name)
    return DataType(name, int(match["precision"] or 38), int(match["scale"] or 0))
