"""Which of a function's overloads a call means, by the types that its arguments have where it stands.

Source: https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-naming-conventions#overloading-procedures-and-functions
Deviation: a column of type ARRAY or OBJECT counts as VARIANT; a cast says which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from snowcellar import binds
from snowcellar.names import QualifiedName
from snowcellar.procedures.arguments import Given, bound, choose, constant, described_type
from snowcellar.procedures.definition import Procedure
from snowcellar.session import Params, Session
from snowcellar.statement import Statement


def of_call(
    session: Session,
    name: QualifiedName,
    overloads: Sequence[Procedure],
    call: exp.Anonymous,
    params: Params,
) -> Procedure:
    """The overload that the arguments of a call fit best."""
    types: dict[int, str | None] = {}
    computed: dict[int, exp.Expr] = {}
    for i, argument in enumerate(call.expressions):
        if (value := constant(argument)) is not None:
            types[i] = value[1]
        elif isinstance(argument, exp.Placeholder) and params is not None:
            types[i] = bound(_value(argument, params))[1]
        else:
            computed[i] = argument
    types |= _computed_types(session, call, computed, params) if computed else {}
    return choose(name, overloads, [Given(None, None, types[i]) for i in range(len(call.expressions))])


def _value(placeholder: exp.Placeholder, params: Params) -> Any:
    return (binds.values([placeholder.name], params) or {})[placeholder.name]


def _computed_types(
    session: Session, call: exp.Anonymous, computed: dict[int, exp.Expr], params: Params
) -> dict[int, str | None]:
    """The types of expressions, which a query from the same tables is asked for."""
    from snowcellar import engine

    query = _beside(call, list(computed.values()))
    for placeholder in list(query.find_all(exp.Placeholder)):
        placeholder.replace(exp.convert(_value(placeholder, params)) if params is not None else exp.null())
    columns = engine.describe(session, Statement(query.sql(dialect="snowflake")))
    first = columns.table.num_columns - len(computed)
    return {i: described_type(tree, columns, first + n) for n, (i, tree) in enumerate(computed.items())}


def _beside(call: exp.Anonymous, arguments: Sequence[exp.Expr]) -> exp.Select:
    """A query whose last columns are the arguments, from what the statement around the call reads."""
    holder = call.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Merge)
    if holder is not None and isinstance(holder.parent, exp.When):
        holder = holder.find_ancestor(exp.Merge)
    query = exp.Select(expressions=[*_aliased(holder, arguments), *(_named(each) for each in arguments)])
    if isinstance(holder, exp.Select):
        for key in ("from_", "joins", "laterals"):
            value = holder.args.get(key)
            if key != "laterals" or not any(
                call in lateral.find_all(exp.Anonymous) for lateral in value or ()
            ):
                query.set(key, _copied(value))
        if any(argument.find(exp.AggFunc) for argument in arguments):
            query.set("group", _copied(holder.args.get("group")))
        for join in query.args.get("joins") or ():
            if join.args.get("on"):
                # It may hold the call itself.
                join.set("on", exp.true())
    elif holder is not None:
        tables = [holder.this, holder.args.get("from_"), holder.args.get("using")]
        for table in tables:
            if table:
                query = _from_too(query, table.this if isinstance(table, exp.From) else table)
    _add_ctes(query, call)
    return query


def _from_too(query: exp.Select, table: exp.Expr | list[exp.Expr]) -> exp.Select:
    for each in table if isinstance(table, list) else [table]:
        query = (
            query.join(each.copy(), join_type="cross")
            if query.args.get("from_")
            else query.from_(each.copy())
        )
    return query


def _named(argument: exp.Expr) -> exp.Expr:
    return exp.alias_(argument.copy(), f"SNOWCELLAR_{id(argument)}")


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [each.copy() for each in value]
    return value.copy() if value is not None else None


def _aliased(holder: exp.Expr | None, arguments: Sequence[exp.Expr]) -> list[exp.Expr]:
    """The columns of a SELECT that the arguments name by their aliases."""
    if not isinstance(holder, exp.Select):
        return []
    names = {
        column.name.upper() for each in arguments for column in each.find_all(exp.Column) if not column.table
    }
    return [
        each.copy()
        for each in holder.expressions
        if isinstance(each, exp.Alias) and each.alias.upper() in names and not each.find(exp.Anonymous)
    ]


def _add_ctes(query: exp.Select, call: exp.Expr) -> None:
    """The common table expressions that a call may read: those of the statements around it, before it."""
    found: list[exp.Expr] = []
    inner: exp.Expr = call
    while (outer := inner.parent) is not None:
        if isinstance(outer, exp.With):
            found = [*outer.expressions[: outer.expressions.index(inner)], *found]
        elif (with_ := outer.args.get("with_")) is not None and with_ is not inner:
            found = [*with_.expressions, *found]
        inner = outer
    if found:
        query.set("with_", exp.With(expressions=[each.copy() for each in found]))
