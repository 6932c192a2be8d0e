"""SHA2 of every size, and hashes as signed numbers, which DuckDB lacks.

Source: https://docs.snowflake.com/en/sql-reference/functions/sha2, .../hash and .../hash_agg
Deviation: HASH and HASH_AGG give other numbers than Snowflake, which does not say how it makes them.
"""

from __future__ import annotations

import hashlib

import duckdb
from sqlglot import exp

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.functions.calls import Arguments, Call, function, macro

_SIZES = (224, 256, 384, 512)
_SHA2 = "sc_sha2"

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_hash(h) AS CAST(h::HUGEINT - 9223372036854775808 AS BIGINT);
CREATE OR REPLACE MACRO memory.main.sc_hash_agg(h) AS
    CAST(coalesce(sum(h::HUGEINT) % 9223372036854775807, 0) AS BIGINT);
"""


def make_known(duck: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB call what is written in Python."""
    duck.create_function(_SHA2, _sha2, ["VARCHAR", "INTEGER"], "VARCHAR")


def _sha2(text: str, size: int) -> str:
    return hashlib.new(f"sha{size}", text.encode()).hexdigest()


def _by_size(arguments: Arguments) -> exp.Expr:
    text, *rest = arguments
    size = rest[0].name if rest else "256"
    if size == "256":
        return function("sha256")([exp.cast(text.copy(), "TEXT")])
    if size not in map(str, _SIZES):
        raise CompilationError(f"Invalid digest size {size} for SHA2; use one of {_SIZES}.", 1003, "22023")
    return function(_SHA2)([exp.cast(text.copy(), "TEXT"), exp.Literal.number(size)])


def _hashed(arguments: Arguments) -> exp.Expr:
    if any(isinstance(each, exp.Distinct) for each in arguments):
        raise Unsupported("HASH_AGG(DISTINCT ...)", "Hash the rows of a SELECT DISTINCT.")
    if any(isinstance(each, exp.Star) for each in arguments):
        return exp.maybe_parse("hash(*COLUMNS(*))", dialect="duckdb")
    return function("hash")(arguments)


CALLS: dict[str, Call] = {
    "SHA2": _by_size,
    "SHA2_HEX": _by_size,
    "HASH": lambda arguments: macro("hash", _hashed(arguments)),
    "HASH_AGG": lambda arguments: macro("hash_agg", _hashed(arguments)),
}
