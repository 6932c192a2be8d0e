"""Functions of LANGUAGE SQL: a call is replaced by the body, with the arguments in the place of their names.

Source: https://docs.snowflake.com/en/developer-guide/udf/sql/udf-sql-scalar-functions
Deviation: a view keeps the body that the function had when the view was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlglot
from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.names import fold
from snowcellar.procedures.data_types import SEMI_STRUCTURED, DataType
from snowcellar.procedures.definition import Procedure


def parse(function: Procedure) -> Any:
    """The tree of a body: an expression, or a query in parentheses."""
    text = str(function.body).strip().rstrip(";")
    tree = sqlglot.parse_one(f"SELECT ({text})", read="snowflake").expressions[0]
    if not isinstance(tree, exp.Paren | exp.Subquery):
        raise CompilationError(f"The body of function {function.name.name} is no expression.")
    return tree


def inlined(function: Procedure, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """What a call with the arguments means."""
    body: exp.Expr = parse(function)
    names = {argument.name: argument.type for argument in function.arguments}
    given = dict(zip(names, arguments, strict=True))
    for table in body.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            for part, name in (("db", function.name.schema), ("catalog", function.name.database)):
                if not table.args.get(part):
                    table.set(part, exp.to_identifier(name, quoted=True))
    for column in list(body.find_all(exp.Column)):
        name = column.name if column.this.args.get("quoted") else fold(column.name)
        if not column.table and name in given:
            column.replace(typed(given[name].copy(), names[name]))
    assert function.returns is not None
    return typed(body, function.returns)


def typed(value: exp.Expr, type_: DataType) -> exp.Expr:
    """A value as the type that was declared; what is semi-structured already is of one type here."""
    if type_.name in SEMI_STRUCTURED:
        return exp.paren(value, copy=False)
    return exp.cast(value, exp.DataType.build(str(type_), dialect="snowflake"), copy=False)
