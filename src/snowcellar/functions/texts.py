"""Text functions that DuckDB has, which the parser's model of them loses an argument of.

Source: https://docs.snowflake.com/en/sql-reference/functions-string
"""

from __future__ import annotations

from snowcellar.functions.calls import Call, as_json, by_macro, function

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_offset(z) AS
    CASE WHEN z = '+00' THEN 'Z' WHEN length(z) = 3 THEN z || '00' ELSE replace(z, ':', '') END;
CREATE OR REPLACE MACRO memory.main.sc_text(v) AS
    CASE typeof(v)
    WHEN 'JSON' THEN CASE json_type(to_json(v)) WHEN 'VARCHAR' THEN to_json(v) ->> '$' WHEN 'NULL' THEN NULL
        ELSE CAST(v AS VARCHAR) END
    WHEN 'TIMESTAMP' THEN
        strftime(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN
        strftime(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g ')
        || memory.main.sc_offset(strftime(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMPTZ), '%z'))
    WHEN 'DOUBLE' THEN regexp_replace(CAST(v AS VARCHAR), '[.]0$', '')
    ELSE CAST(v AS VARCHAR) END;
CREATE OR REPLACE MACRO memory.main.sc_strtok_to_array(s, d := ' ') AS
    to_json(list_filter(regexp_split_to_array(s, '[' || regexp_escape(d) || ']'), lambda x: x <> ''));
"""

CALLS: dict[str, Call] = {
    "LTRIM": function("ltrim"),
    "RTRIM": function("rtrim"),
    "TRIM": function("trim"),
    "OCTET_LENGTH": lambda arguments: function("octet_length")([function("encode")(arguments)]),
    "STRTOK_TO_ARRAY": by_macro("strtok_to_array"),
    "REGEXP_SUBSTR_ALL": lambda arguments: as_json(function("regexp_extract_all")(arguments[:2])),
    "HLL": function("approx_count_distinct"),
}
