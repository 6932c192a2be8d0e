"""TO_TIMESTAMP and its kin from whatever they are given: a text, a number of seconds, a date or another time.

Source: https://docs.snowflake.com/en/sql-reference/functions/to_timestamp
A number is counted from 1970 in UTC; a text of digits is in seconds, milliseconds ... by its size.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.functions.calls import Arguments, Call, macro
from snowcellar.functions.parsed_times import parsed

MACROS = r"""
CREATE OR REPLACE MACRO memory.main.sc_micros(n, scale) AS
    CAST(round(n * power(10::DECIMAL(38, 9), 6 - scale)) AS BIGINT);
CREATE OR REPLACE MACRO memory.main.sc_scale(n) AS
    CASE WHEN abs(n) < 31536000000 THEN 0 WHEN abs(n) < 31536000000000 THEN 3
    WHEN abs(n) < 31536000000000000 THEN 6 ELSE 9 END;
CREATE OR REPLACE MACRO memory.main.sc_number(v) AS
    CASE WHEN typeof(v) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE') THEN NULL
    ELSE TRY_CAST(CASE WHEN typeof(v) = 'JSON' THEN to_json(v) ->> '$' ELSE CAST(v AS VARCHAR) END
        AS DECIMAL(38, 9)) END;
CREATE OR REPLACE MACRO memory.main.sc_written(v) AS
    CASE WHEN typeof(v) = 'JSON' THEN to_json(v) ->> '$' ELSE CAST(v AS VARCHAR) END;
CREATE OR REPLACE MACRO memory.main.sc_given(v) AS
    memory.main.sc_written(v) IS NOT NULL;
CREATE OR REPLACE MACRO memory.main.sc_local(v) AS
    CASE WHEN typeof(v) = 'TIMESTAMP WITH TIME ZONE'
        THEN CAST(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMPTZ) AS TIMESTAMP)
    ELSE CAST(CAST(v AS VARCHAR) AS TIMESTAMP) END;
CREATE OR REPLACE MACRO memory.main.sc_to_timestamp_ntz(v) AS
    CASE WHEN memory.main.sc_number(v) IS NULL
        THEN CASE WHEN typeof(v) IN ('JSON', 'VARCHAR')
            THEN CAST(regexp_replace(
                memory.main.sc_written(v), ' ?(Z|[+-][0-9]{2}:?[0-9]{2})$', '') AS TIMESTAMP)
            ELSE CAST(memory.main.sc_local(v) AS TIMESTAMP) END
    ELSE make_timestamp(memory.main.sc_micros(memory.main.sc_number(v), CASE
        WHEN typeof(v) IN ('JSON', 'VARCHAR') THEN memory.main.sc_scale(memory.main.sc_number(v))
        ELSE 0 END)) END;
CREATE OR REPLACE MACRO memory.main.sc_to_timestamp_ltz(v) AS
    CASE WHEN memory.main.sc_number(v) IS NULL THEN CAST(
        regexp_replace(memory.main.sc_written(v), ' ?([+-][0-9]{2}):?([0-9]{2})$', '\1:\2') AS TIMESTAMPTZ)
    ELSE make_timestamp(memory.main.sc_micros(memory.main.sc_number(v), CASE
        WHEN typeof(v) IN ('JSON', 'VARCHAR') THEN memory.main.sc_scale(memory.main.sc_number(v))
        ELSE 0 END)) AT TIME ZONE 'UTC' END;
CREATE OR REPLACE MACRO memory.main.sc_scaled(v, scale) AS
    make_timestamp(memory.main.sc_micros(memory.main.sc_number(v), scale));
"""

_NTZ = ("TO_TIMESTAMP", "TO_TIMESTAMP_NTZ")
_LTZ = ("TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_TZ")


def _to_timestamp(name: str) -> Call:
    from_anything = "to_timestamp_ntz" if name in _NTZ else "to_timestamp_ltz"

    def call(arguments: Arguments) -> exp.Expr:
        value, *how = arguments
        if not how:
            return macro(from_anything, value)
        if how[0].is_int:
            at = macro("scaled", value, how[0])
            return at if name in _NTZ else exp.AtTimeZone(this=at, zone=exp.Literal.string("UTC"))
        return parsed(name, arguments)

    return call


CALLS: dict[str, Call] = {name: _to_timestamp(name) for name in (*_NTZ, *_LTZ)}
