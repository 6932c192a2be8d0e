"""AS_INTEGER, AS_VARCHAR and their kin: what a VARIANT holds if it is of that type, else NULL.

Source: https://docs.snowflake.com/en/sql-reference/functions/as
Deviation: a VARIANT holds what JSON can, so no date or time is in it as such: AS_DATE and its kin are NULL.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.functions.calls import Arguments, Call, by_macro, macro

_INTEGERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT')"

MACROS = f"""
CREATE OR REPLACE MACRO memory.main.sc_as_integer(v) AS
    CASE WHEN json_type(to_json(v)) IN {_INTEGERS} THEN CAST(v AS BIGINT) END;
CREATE OR REPLACE MACRO memory.main.sc_as_double(v) AS
    CASE WHEN json_type(to_json(v)) IN {_INTEGERS[:-1]}, 'DOUBLE') THEN CAST(v AS DOUBLE) END;
CREATE OR REPLACE MACRO memory.main.sc_as_varchar(v) AS
    CASE WHEN json_type(to_json(v)) = 'VARCHAR' THEN to_json(v) ->> '$' END;
CREATE OR REPLACE MACRO memory.main.sc_as_boolean(v) AS
    CASE WHEN json_type(to_json(v)) = 'BOOLEAN' THEN CAST(v AS BOOLEAN) END;
CREATE OR REPLACE MACRO memory.main.sc_as_array(v) AS
    CASE WHEN json_type(to_json(v)) = 'ARRAY' THEN to_json(v) END;
CREATE OR REPLACE MACRO memory.main.sc_as_object(v) AS
    CASE WHEN json_type(to_json(v)) = 'OBJECT' THEN to_json(v) END;
"""


def _as_number(arguments: Arguments) -> exp.Expr:
    value, *digits = arguments
    size = [exp.DataTypeParam(this=each.copy()) for each in digits] or [
        exp.DataTypeParam(this=exp.Literal.number(38))
    ]
    kind = exp.DataType(this=exp.DataType.Type.DECIMAL, expressions=size)
    return exp.cast(macro("as_double", value), kind)


def _never(kind: str) -> Call:
    return lambda arguments: exp.cast(exp.Null(), exp.DataType.build(kind, dialect="duckdb"))


CALLS: dict[str, Call] = {
    "AS_INTEGER": by_macro("as_integer"),
    "AS_DOUBLE": by_macro("as_double"),
    "AS_REAL": by_macro("as_double"),
    "AS_NUMBER": _as_number,
    "AS_DECIMAL": _as_number,
    "AS_VARCHAR": by_macro("as_varchar"),
    "AS_CHAR": by_macro("as_varchar"),
    "AS_BOOLEAN": by_macro("as_boolean"),
    "AS_ARRAY": by_macro("as_array"),
    "AS_OBJECT": by_macro("as_object"),
    "AS_DATE": _never("DATE"),
    "AS_TIME": _never("TIME"),
    "AS_TIMESTAMP_NTZ": _never("TIMESTAMP"),
    "AS_TIMESTAMP_LTZ": _never("TIMESTAMPTZ"),
    "AS_TIMESTAMP_TZ": _never("TIMESTAMPTZ"),
    "AS_BINARY": _never("BLOB"),
}
