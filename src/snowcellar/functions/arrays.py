"""ARRAY functions on JSON text, which is what an ARRAY is here.

Source: https://docs.snowflake.com/en/sql-reference/functions-semistructured
Deviation: values are equal when their JSON texts are, so 1 and 1.0 are two values; `undefined` is null.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.errors import Unsupported
from snowcellar.functions.calls import Arguments, Call, as_json, by_macro, function, macro

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_list(a) AS CAST(to_json(a) AS JSON[]);
CREATE OR REPLACE MACRO memory.main.sc_place(a, i) AS
    CASE WHEN i < 0 THEN greatest(len(memory.main.sc_list(a)) + i, 0) ELSE i END;
CREATE OR REPLACE MACRO memory.main.sc_array_append(a, v) AS
    CASE WHEN a IS NULL THEN NULL ELSE to_json(list_append(memory.main.sc_list(a), to_json(v))) END;
CREATE OR REPLACE MACRO memory.main.sc_array_prepend(a, v) AS
    CASE WHEN a IS NULL THEN NULL ELSE to_json(list_prepend(to_json(v), memory.main.sc_list(a))) END;
CREATE OR REPLACE MACRO memory.main.sc_array_cat(a, b) AS
    CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE to_json(list_concat(memory.main.sc_list(a), memory.main.sc_list(b))) END;
CREATE OR REPLACE MACRO memory.main.sc_array_compact(a) AS
    to_json(list_filter(memory.main.sc_list(a), lambda x: x IS NOT NULL AND json_type(x) <> 'NULL'));
CREATE OR REPLACE MACRO memory.main.sc_array_contains(v, a) AS
    list_contains(memory.main.sc_list(a), to_json(v));
CREATE OR REPLACE MACRO memory.main.sc_array_distinct(a) AS
    to_json(list_filter(memory.main.sc_list(a),
        lambda x, i: list_position(memory.main.sc_list(a), x) = i));
CREATE OR REPLACE MACRO memory.main.sc_array_except(a, b) AS
    to_json(list_filter(memory.main.sc_list(a), lambda x, i:
        len(list_filter(memory.main.sc_list(a)[:i], lambda y: y = x))
        > len(list_filter(memory.main.sc_list(b), lambda y: y = x))));
CREATE OR REPLACE MACRO memory.main.sc_array_intersection(a, b) AS
    to_json(list_filter(memory.main.sc_list(a), lambda x, i:
        len(list_filter(memory.main.sc_list(a)[:i], lambda y: y = x))
        <= len(list_filter(memory.main.sc_list(b), lambda y: y = x))));
CREATE OR REPLACE MACRO memory.main.sc_arrays_overlap(a, b) AS
    list_has_any(memory.main.sc_list(a), memory.main.sc_list(b));
CREATE OR REPLACE MACRO memory.main.sc_array_flatten(a) AS
    to_json(flatten(list_transform(memory.main.sc_list(a), lambda x: CAST(x AS JSON[]))));
CREATE OR REPLACE MACRO memory.main.sc_array_insert(a, i, v) AS
    to_json(list_concat(
        memory.main.sc_list(a)[:memory.main.sc_place(a, i)],
        [to_json(v)],
        memory.main.sc_list(a)[memory.main.sc_place(a, i) + 1:]));
CREATE OR REPLACE MACRO memory.main.sc_ordered(a) AS
    list_transform(
        list_filter(memory.main.sc_list(a), lambda x: x IS NOT NULL AND json_type(x) <> 'NULL'),
        lambda x: {'n': CASE WHEN json_type(x) <> 'VARCHAR' THEN TRY_CAST(x AS DOUBLE) END,
                   's': x ->> '$', 'v': x});
CREATE OR REPLACE MACRO memory.main.sc_array_max(a) AS (list_max(memory.main.sc_ordered(a))).v;
CREATE OR REPLACE MACRO memory.main.sc_array_min(a) AS (list_min(memory.main.sc_ordered(a))).v;
CREATE OR REPLACE MACRO memory.main.sc_array_sort(a, up := TRUE) AS
    to_json(CASE WHEN up THEN list_concat(
        list_transform(list_sort(memory.main.sc_ordered(a)), lambda e: e.v),
        list_filter(memory.main.sc_list(a), lambda x: x IS NULL OR json_type(x) = 'NULL'))
    ELSE list_concat(
        list_filter(memory.main.sc_list(a), lambda x: x IS NULL OR json_type(x) = 'NULL'),
        list_transform(list_reverse_sort(memory.main.sc_ordered(a)), lambda e: e.v)) END);
CREATE OR REPLACE MACRO memory.main.sc_array_position(v, a) AS
    nullif(list_position(memory.main.sc_list(a), to_json(v)), 0) - 1;
CREATE OR REPLACE MACRO memory.main.sc_array_remove(a, v) AS
    to_json(list_filter(memory.main.sc_list(a), lambda x: x IS DISTINCT FROM to_json(v)));
CREATE OR REPLACE MACRO memory.main.sc_array_remove_at(a, i) AS
    to_json(list_filter(memory.main.sc_list(a), lambda x, j: j <> memory.main.sc_place(a, i) + 1));
CREATE OR REPLACE MACRO memory.main.sc_array_size(a) AS
    CASE WHEN json_type(to_json(a)) = 'ARRAY' THEN CAST(json_array_length(to_json(a)) AS BIGINT) END;
CREATE OR REPLACE MACRO memory.main.sc_array_slice(a, i, j) AS
    to_json(memory.main.sc_list(a)[memory.main.sc_place(a, i) + 1:memory.main.sc_place(a, j)]);
CREATE OR REPLACE MACRO memory.main.sc_array_to_string(a, s) AS
    CASE WHEN a IS NULL OR s IS NULL THEN NULL
    ELSE array_to_string(
        list_transform(memory.main.sc_list(a), lambda x: coalesce(x ->> '$', '')), s) END;
CREATE OR REPLACE MACRO memory.main.sc_arrays_to_object(k, v) AS
    to_json(map(list_transform(memory.main.sc_list(k), lambda x: x ->> '$'), memory.main.sc_list(v)));
CREATE OR REPLACE MACRO memory.main.sc_to_array(v) AS
    CASE WHEN v IS NULL THEN NULL WHEN json_type(to_json(v)) = 'ARRAY' THEN to_json(v)
    ELSE to_json([to_json(v)]) END;
"""


def _sort(arguments: Arguments) -> exp.Expr:
    if len(arguments) > 2:
        raise Unsupported("ARRAY_SORT with the place of NULLs")
    return macro("array_sort", *arguments)


def _refused(name: str) -> Call:
    def refuse(arguments: Arguments) -> exp.Expr:
        raise Unsupported(f"the function {name}")

    return refuse


CALLS: dict[str, Call] = {
    "ARRAY_APPEND": by_macro("array_append"),
    "ARRAY_CAT": by_macro("array_cat"),
    "ARRAY_COMPACT": by_macro("array_compact"),
    "ARRAY_CONTAINS": by_macro("array_contains"),
    "ARRAY_DISTINCT": by_macro("array_distinct"),
    "ARRAY_EXCEPT": by_macro("array_except"),
    "ARRAY_FLATTEN": by_macro("array_flatten"),
    "ARRAY_GENERATE_RANGE": lambda arguments: as_json(function("range")(arguments)),
    "ARRAY_INSERT": by_macro("array_insert"),
    "ARRAY_INTERSECTION": by_macro("array_intersection"),
    "ARRAY_MAX": by_macro("array_max"),
    "ARRAY_MIN": by_macro("array_min"),
    "ARRAY_POSITION": by_macro("array_position"),
    "ARRAY_PREPEND": by_macro("array_prepend"),
    "ARRAY_REMOVE": by_macro("array_remove"),
    "ARRAY_REMOVE_AT": by_macro("array_remove_at"),
    "ARRAY_SIZE": by_macro("array_size"),
    "ARRAY_SLICE": by_macro("array_slice"),
    "ARRAY_SORT": _sort,
    "ARRAY_TO_STRING": by_macro("array_to_string"),
    "ARRAYS_OVERLAP": by_macro("arrays_overlap"),
    "ARRAYS_TO_OBJECT": by_macro("arrays_to_object"),
    "TO_ARRAY": by_macro("to_array"),
    **{
        name: _refused(name)
        for name in (
            *("ARRAY_REVERSE", "ARRAY_UNION_AGG", "ARRAYS_ZIP"),
            *("FILTER", "TRANSFORM", "REDUCE", "MAP_CAT"),
        )
    },
}
