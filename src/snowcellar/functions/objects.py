"""OBJECT functions on JSON text, which is what an OBJECT is here. Keys come out in order, as in Snowflake.

Source: https://docs.snowflake.com/en/sql-reference/functions-semistructured
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.functions.calls import Arguments, Call, by_macro, listed, macro

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_entries(o) AS
    list_transform(json_keys(to_json(o)), lambda k:
        {'key': k, 'value': json_extract(to_json(o), '/' || replace(replace(k, '~', '~0'), '/', '~1'))});
CREATE OR REPLACE MACRO memory.main.sc_object(e) AS
    to_json(map_from_entries(CAST(list_sort(e) AS STRUCT(key VARCHAR, value JSON)[])));
CREATE OR REPLACE MACRO memory.main.sc_object_insert(o, k, v, upd := FALSE) AS
    CASE WHEN o IS NULL OR k IS NULL THEN NULL
    WHEN NOT upd AND list_contains(json_keys(to_json(o)), k)
        THEN error('Duplicate field key ''' || k || '''')::JSON
    WHEN v IS NULL THEN memory.main.sc_object(
        list_filter(memory.main.sc_entries(o), lambda e: e.key <> k))
    ELSE memory.main.sc_object(list_append(
        list_filter(memory.main.sc_entries(o), lambda e: e.key <> k), {'key': k, 'value': to_json(v)})) END;
CREATE OR REPLACE MACRO memory.main.sc_names(ks) AS
    flatten(list_transform(ks, lambda x: CASE WHEN json_type(x) = 'ARRAY'
        THEN list_transform(CAST(x AS JSON[]), lambda y: y ->> '$') ELSE [x ->> '$'] END));
CREATE OR REPLACE MACRO memory.main.sc_object_delete(o, ks) AS
    CASE WHEN o IS NULL THEN NULL ELSE memory.main.sc_object(list_filter(memory.main.sc_entries(o),
        lambda e: NOT list_contains(memory.main.sc_names(ks), e.key))) END;
CREATE OR REPLACE MACRO memory.main.sc_object_pick(o, ks) AS
    CASE WHEN o IS NULL THEN NULL ELSE memory.main.sc_object(list_filter(memory.main.sc_entries(o),
        lambda e: list_contains(memory.main.sc_names(ks), e.key))) END;
CREATE OR REPLACE MACRO memory.main.sc_object_keys(o) AS
    to_json(list_sort(json_keys(to_json(o))));
CREATE OR REPLACE MACRO memory.main.sc_to_object(v) AS
    CASE WHEN v IS NULL OR json_type(to_json(v)) = 'NULL' THEN NULL
    WHEN json_type(to_json(v)) = 'OBJECT' THEN to_json(v)
    ELSE error('Failed to cast variant value ' || CAST(v AS VARCHAR) || ' to OBJECT')::JSON END;
CREATE OR REPLACE MACRO memory.main.sc_get_ignore_case(o, k) AS
    list_filter(memory.main.sc_entries(o), lambda e: upper(e.key) = upper(k))[1].value;
"""


def _with_keys(name: str) -> Call:
    def call(arguments: Arguments) -> exp.Expr:
        return macro(name, arguments[0], listed(*arguments[1:]))

    return call


CALLS: dict[str, Call] = {
    "OBJECT_INSERT": by_macro("object_insert"),
    "OBJECT_DELETE": _with_keys("object_delete"),
    "OBJECT_PICK": _with_keys("object_pick"),
    "OBJECT_KEYS": by_macro("object_keys"),
    "TO_OBJECT": by_macro("to_object"),
    "GET_IGNORE_CASE": by_macro("get_ignore_case"),
}
