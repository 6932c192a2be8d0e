"""PARSE_URL: the parts of a URL as an OBJECT.

Source: https://docs.snowflake.com/en/sql-reference/functions/parse_url
Deviation: a text is a URL if it has a scheme; escapes are left as they are written.
"""

from __future__ import annotations

from snowcellar.functions.calls import Call, by_macro

MACROS = r"""
CREATE OR REPLACE MACRO memory.main.sc_url_rest(u) AS
    regexp_replace(regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*:(//)?([^?#]*)', 2), '^[^/]*', '');
CREATE OR REPLACE MACRO memory.main.sc_url_place(u) AS
    regexp_extract(u, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)', 1);
CREATE OR REPLACE MACRO memory.main.sc_url_parameters(q) AS
    CASE WHEN q IS NULL THEN NULL ELSE to_json(map_from_entries(list_transform(
        string_split(q, '&'),
        lambda p: {'k': split_part(p, '=', 1), 'v': substr(p, strpos(p || '=', '=') + 1)}
    ))) END;
CREATE OR REPLACE MACRO memory.main.sc_url_parts(u) AS to_json({
    'fragment': nullif(regexp_extract(u, '#(.*)$', 1), ''),
    'host': nullif(regexp_replace(memory.main.sc_url_place(u), ':[0-9]+$', ''), ''),
    'parameters': memory.main.sc_url_parameters(nullif(regexp_extract(u, '^[^?#]*[?]([^#]*)', 1), '')),
    'path': CASE WHEN regexp_matches(u, '^[^:]*://') THEN regexp_replace(memory.main.sc_url_rest(u), '^/', '')
        ELSE regexp_extract(u, '^[^:]*:([^?#]*)', 1) END,
    'port': nullif(regexp_extract(memory.main.sc_url_place(u), ':([0-9]+)$', 1), ''),
    'query': nullif(regexp_extract(u, '^[^?#]*[?]([^#]*)', 1), ''),
    'scheme': lower(regexp_extract(u, '^([A-Za-z][A-Za-z0-9+.-]*):', 1))
});
CREATE OR REPLACE MACRO memory.main.sc_parse_url(u, permissive := 0) AS CASE
    WHEN u IS NULL OR permissive IS NULL THEN NULL
    WHEN regexp_matches(u, '^[A-Za-z][A-Za-z0-9+.-]*:') THEN memory.main.sc_url_parts(u)
    WHEN permissive = 1 THEN to_json({'error': 'scheme not specified'})
    ELSE error('Error parsing URL: scheme not specified') END;
"""

CALLS: dict[str, Call] = {"PARSE_URL": by_macro("parse_url")}
