"""FLATTEN, with OUTER, PATH and MODE, and SPLIT_TO_TABLE.

Source: https://docs.snowflake.com/en/sql-reference/functions/flatten and .../split_to_table
Deviation: SEQ is a number of the input's value, so equal inputs share it. RECURSIVE is refused.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.errors import CompilationError, Unsupported

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_flat(input) AS
    CASE WHEN input IS NULL THEN [] WHEN json_type(input) = 'OBJECT'
        THEN list_transform(memory.main.sc_entries(input),
            lambda x: {'key': x.key, 'index': NULL::BIGINT, 'value': x.value, 'path': x.key})
    WHEN json_type(input) = 'ARRAY'
        THEN list_transform(CAST(input AS JSON[]), lambda x, i: {'key': NULL::VARCHAR, 'index': i - 1,
            'value': x, 'path': '[' || (i - 1) || ']'})
    ELSE [] END;
CREATE OR REPLACE MACRO memory.main.sc_flatten(input, prefix, kept) AS TABLE
    SELECT CAST(hash(to_json(input)) >> 1 AS BIGINT) AS "SEQ", e.key AS "KEY",
        CASE WHEN prefix = '' OR e.path LIKE '[%' THEN prefix || e.path
        ELSE prefix || '.' || e.path END AS "PATH",
        e.index AS "INDEX", e.value AS "VALUE", to_json(input) AS "THIS"
    FROM (SELECT unnest(CASE WHEN kept AND len(memory.main.sc_flat(to_json(input))) = 0
        THEN [{'key': NULL::VARCHAR, 'index': NULL::BIGINT, 'value': NULL::JSON, 'path': NULL::VARCHAR}]
        ELSE memory.main.sc_flat(to_json(input)) END) AS e);
CREATE OR REPLACE MACRO memory.main.sc_split_to_table(s, d) AS TABLE
    SELECT 1::BIGINT AS "SEQ", e.i AS "INDEX", e.v AS "VALUE"
    FROM (SELECT unnest(list_transform(string_split(s, d), lambda x, i: {'i': i, 'v': x})) AS e);
CREATE OR REPLACE MACRO memory.main.sc_strtok_split_to_table(s, d := ' ') AS TABLE
    SELECT 1::BIGINT AS "SEQ", e.i AS "INDEX", e.v AS "VALUE"
    FROM (SELECT unnest(list_transform(
        list_filter(regexp_split_to_array(s, '[' || regexp_escape(d) || ']'), lambda x: x <> ''),
        lambda x, i: {'i': i, 'v': x})) AS e);
"""

_MODES = ("OBJECT", "ARRAY")


def expand(tree: exp.Expr) -> None:
    """Replace the table functions of a tree, in place."""
    for node in list(tree.find_all(exp.Lateral, exp.TableFromRows)):
        call = node.this
        if isinstance(call, exp.Explode):
            _replace(node, "sc_flatten", _arguments(call))
        elif isinstance(call, exp.SplitToTable):
            _replace(node, "sc_split_to_table", [call.this, call.expression])
        elif isinstance(call, exp.Anonymous) and str(call.this).upper() == "STRTOK_SPLIT_TO_TABLE":
            _replace(node, "sc_strtok_split_to_table", call.expressions)


def _replace(node: exp.Expr, name: str, arguments: list[exp.Expr]) -> None:
    call = exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])
    alias = node.args.get("alias")
    table = exp.Table(
        this=call,
        db=exp.to_identifier("main"),
        catalog=exp.to_identifier("memory"),
        alias=alias.copy() if alias else None,
    )
    for key in ("joins", "laterals", "pivots", "sample"):
        if value := node.args.get(key):
            table.set(key, value)
    node.replace(table)


def _arguments(call: exp.Explode) -> list[exp.Expr]:
    given: dict[str, exp.Expr] = {}
    for written in (call.this, *call.expressions):
        if isinstance(written, exp.Kwarg):
            given[written.this.name.upper()] = written.expression
        elif "INPUT" in given:
            raise CompilationError("invalid arguments for function FLATTEN", 1044, "42P13")
        else:
            given["INPUT"] = written
    if _is_true(given.get("RECURSIVE")):
        raise Unsupported("FLATTEN with RECURSIVE => TRUE", "FLATTEN each level.")
    rows = given["INPUT"].copy()
    path = given["PATH"].name if "PATH" in given else ""
    if path:
        rows = exp.JSONExtract(this=rows, expression=exp.Literal.string(f"$.{path}".replace("$.[", "$[")))
    mode = given["MODE"].name.upper() if "MODE" in given else "BOTH"
    if mode in _MODES:
        kind = exp.Anonymous(this="json_type", expressions=[rows.copy()])
        rows = exp.Case(ifs=[exp.If(this=kind.eq(mode), true=rows)])
    outer = exp.Boolean(this=_is_true(given.get("OUTER")))
    return [rows, exp.Literal.string(path), outer]


def _is_true(given: exp.Expr | None) -> bool:
    return isinstance(given, exp.Boolean) and bool(given.this)
