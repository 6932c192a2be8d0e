"""TO_DATE, TO_TIMESTAMP, TO_TIME and their TRY_ forms with a format.

Source: https://docs.snowflake.com/en/sql-reference/functions/try_to_date
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.functions.calls import Arguments, Call
from snowcellar.functions.time_formats import duckdb_format

_TYPES = {
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "TIMESTAMP_TZ": "TIMESTAMPTZ",
}


def parsed(name: str, arguments: Arguments) -> exp.Expr:
    """A text read by a format."""
    reader = "try_strptime" if name.startswith("TRY_") else "strptime"
    text, given = arguments
    read = exp.Anonymous(
        this=reader,
        expressions=[exp.cast(text.copy(), "TEXT"), duckdb_format(given, name, reads=True)],
    )
    kind = _TYPES[name.removeprefix("TRY_").removeprefix("TO_")]
    # fakesnow gives its own meaning to the types that it knows by name.
    return exp.Cast(this=read, to=exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=kind))


def with_format(name: str, otherwise: Call) -> Call:
    """The function, which without a format is something else."""
    return lambda arguments: (
        parsed(name, arguments) if len(arguments) == 2 and not arguments[1].is_int else otherwise(arguments)
    )


def _plain(name: str) -> Call:
    def call(arguments: Arguments) -> exp.Expr:
        if name.startswith("TRY_"):
            return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])
        return exp.func(name, *(each.copy() for each in arguments), dialect="snowflake")

    return call


CALLS: dict[str, Call] = {
    name: with_format(name, _plain(name))
    for name in (
        *("TO_DATE", "TO_TIME", "TRY_TO_DATE", "TRY_TO_TIME", "TRY_TO_TIMESTAMP"),
        *("TRY_TO_TIMESTAMP_NTZ", "TRY_TO_TIMESTAMP_LTZ", "TRY_TO_TIMESTAMP_TZ"),
    )
}
