"""ARRAY_CONSTRUCT and [...], {'key': ...}, and casts to VARIANT and to BINARY.

Source: https://docs.snowflake.com/en/sql-reference/data-types-semistructured and .../binary-input-output
Values of any type are within one JSON text; a text that is cast to BINARY is read as hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from snowcellar.functions.calls import Arguments, Call, as_json, function, listed, macro


def _array(arguments: Arguments) -> exp.Expr:
    return as_json(listed(*arguments))


def _literal_array(node: exp.Expr) -> exp.Expr:
    # The files of a scan that stands where a statement names staged files are DuckDB's own.
    return node if isinstance(node.parent, exp.ReadParquet | exp.ReadCSV) else _array(node.expressions)


def _literal_object(node: exp.Expr) -> exp.Expr:
    """{'a': 1}, whose keys the parser takes for names, which would be folded."""
    pairs = []
    for pair in node.expressions:
        if not isinstance(pair, exp.PropertyEQ):
            return node
        key = exp.Literal.string(pair.this.name) if isinstance(pair.this, exp.Identifier) else pair.this
        pairs.append(exp.PropertyEQ(this=key.copy(), expression=pair.expression.copy()))
    return exp.Struct(expressions=pairs)


def _cast(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Cast) and node.to.is_type(exp.DataType.Type.VARIANT):
        return as_json(node.this.copy())
    if isinstance(node, exp.Cast) and node.to.is_type(exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY):
        return macro("to_binary", node.this)
    return node


MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_to_binary(v) AS
    CASE typeof(v) WHEN 'BLOB' THEN TRY_CAST(v AS BLOB) ELSE unhex(CAST(v AS VARCHAR)) END;
"""

CALLS: dict[str, Call] = {
    "ARRAY_CONSTRUCT": _array,
    "TO_VARIANT": lambda arguments: as_json(arguments[0].copy()),
    "ARRAY_UNIQUE_AGG": lambda arguments: as_json(
        function("list")([exp.Distinct(expressions=list(arguments))])
    ),
}
NODES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Array: _literal_array,
    exp.Struct: _literal_object,
    exp.Cast: _cast,
}
