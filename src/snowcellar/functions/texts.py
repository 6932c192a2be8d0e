"""Text functions that DuckDB lacks, or that the parser's model loses an argument of.

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
CREATE OR REPLACE MACRO memory.main.sc_sound_codes(letters) AS
    translate(letters, 'AEIOUYBFPVCGJKQSXZDTLMNRHW', '00000011112222222233455600');
CREATE OR REPLACE MACRO memory.main.sc_single(codes) AS
    list_reduce(['1', '2', '3', '4', '5', '6'], lambda s, c: regexp_replace(s, c || '+', c, 'g'), codes);
CREATE OR REPLACE MACRO memory.main.sc_sounds(first, others) AS memory.main.sc_single(
    memory.main.sc_sound_codes(first || regexp_replace(others, '[HW]', '', 'g')));
CREATE OR REPLACE MACRO memory.main.sc_soundex_of(first, others) AS CASE WHEN first = '' THEN '' ELSE
    left(first || replace(substr(memory.main.sc_sounds(first, others), 2), '0', '') || '000', 4) END;
CREATE OR REPLACE MACRO memory.main.sc_letters(s) AS regexp_replace(upper(s), '[^A-Z]', '', 'g');
CREATE OR REPLACE MACRO memory.main.sc_soundex(s) AS
    memory.main.sc_soundex_of(left(memory.main.sc_letters(s), 1), substr(memory.main.sc_letters(s), 2));
"""

CALLS: dict[str, Call] = {
    "LTRIM": function("ltrim"),
    "RTRIM": function("rtrim"),
    "TRIM": function("trim"),
    "OCTET_LENGTH": lambda arguments: function("octet_length")([function("encode")(arguments)]),
    "STRTOK_TO_ARRAY": by_macro("strtok_to_array"),
    "REGEXP_SUBSTR_ALL": lambda arguments: as_json(function("regexp_extract_all")(arguments[:2])),
    "HLL": function("approx_count_distinct"),
    "SOUNDEX": by_macro("soundex"),
}
