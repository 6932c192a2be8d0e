"""The calls of functions in a statement, each replaced by one of the function that DuckDB was given for it.

Deviation: Snowpark and what it needs are there without being named in PACKAGES, for the workers are those of
procedures.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.grants.executions import may_call
from snowcellar.names import QualifiedName
from snowcellar.procedures.data_types import SEMI_STRUCTURED, DataType
from snowcellar.procedures.definition import Procedure
from snowcellar.session import Params, Session
from snowcellar.user_functions import overloads, sql_bodies
from snowcellar.user_functions.batches import Batches

MAX_DEPTH = 20
"""How deep functions of LANGUAGE SQL may call functions."""


def expand(session: Session, tree: exp.Expr, params: Params = None, depth: int = 0) -> bool:
    """Put SQL functions' bodies for their calls and make Python's known to DuckDB; whether there were any."""
    known: dict[Procedure, Batches] = {}
    found_any = False
    if depth > MAX_DEPTH:
        raise CompilationError(f"Functions call each other more than {MAX_DEPTH} levels deep.")
    for call in list(tree.find_all(exp.Anonymous)):
        name = _name(session, call)
        known_overloads = functions_named(session, name) if name is not None else []
        # A call in the arguments of one in SQL went with it: the body has copies of it.
        if name is None or not known_overloads or not _is_within(call, tree):
            continue
        found_any = True
        function = _choose(session, name, known_overloads, call, params)
        place = _outermost(call)
        text = place.sql(dialect="snowflake").upper()
        if function.language == "SQL":
            found = sql_bodies.inlined(function, call.expressions)
            expand(session, found, params, depth + 1)
        else:
            batches = known.get(function) or known.setdefault(function, Batches(session, function))
            found = _call(batches, function, call)
        if isinstance(place.parent, exp.Select) and place.arg_key == "expressions":
            found = exp.alias_(found, text, quoted=True, copy=False)
        place.replace(found)
    return found_any


def refuse_in_view(session: Session, tree: exp.Create) -> None:
    """A view that calls a function would outlive what DuckDB is given for a statement."""
    if tree.kind != "VIEW":
        return
    for call in tree.find_all(exp.Anonymous):
        name = _name(session, call)
        functions = functions_named(session, name) if name is not None else []
        if name is not None and any(function.language != "SQL" for function in functions):
            raise Unsupported(f"a view that calls function {name.name}")


def functions_named(session: Session, name: QualifiedName) -> list[Procedure]:
    """The functions of a name: those of the session hide others with the same types."""
    found = {
        function.types: function
        for registry in (session.warehouse.functions, session.temporary_functions)
        for function in registry.overloads(name)
    }
    return list(found.values())


def _is_within(node: exp.Expr | None, tree: exp.Expr) -> bool:
    while node is not None and node is not tree:
        node = node.parent
    return node is tree


def _outermost(call: exp.Expr) -> exp.Expr:
    return _outermost(call.parent) if isinstance(call.parent, exp.Dot) else call


def _name(session: Session, call: exp.Anonymous) -> QualifiedName | None:
    written = [part.sql(dialect="snowflake") for part in _parts(_outermost(call), call)]
    if call.find_ancestor(exp.TableFromRows) or len(written) > 3:
        return None
    if (len(written) < 3 and session.database is None) or (len(written) < 2 and session.schema is None):
        return None
    return session.qualify(".".join(written))


def _parts(node: exp.Expr, call: exp.Anonymous) -> list[exp.Expr]:
    if node is call:
        quoted = isinstance(call.this, exp.Identifier) and call.this.args.get("quoted")
        return [exp.to_identifier(call.name, quoted=bool(quoted))]
    if isinstance(node, exp.Dot):
        return [*_parts(node.this, call), *_parts(node.expression, call)]
    if isinstance(node, exp.Column):
        return list(node.parts)
    return [node]


def _choose(
    session: Session, name: QualifiedName, found: list[Procedure], call: exp.Anonymous, params: Params
) -> Procedure:
    count = len(call.expressions)
    fitting = [each for each in found if len(each.arguments) == count and _may_call(session, each)]
    if len(fitting) > 1:
        return overloads.of_call(session, name, fitting, call, params)
    if not fitting:
        raise WarehouseError(
            "SQL compilation error: error line 1 at position 7\n"
            f"Invalid argument types for function '{name.name}': ({count} arguments)",
            1044,
            "42P13",
        )
    return fitting[0]


def _may_call(session: Session, function: Procedure) -> bool:
    temporary = function in session.temporary_functions.overloads(function.name)
    return temporary or may_call(session, function, "FUNCTION")


def _call(batches: Batches, function: Procedure, call: exp.Anonymous) -> exp.Expr:
    arguments = [
        _given(argument, declared.type)
        for argument, declared in zip(call.expressions, function.arguments, strict=True)
    ]
    found: exp.Expr = exp.Anonymous(this=batches.name, expressions=arguments)
    if function.returns is not None and function.returns.name in SEMI_STRUCTURED:
        found = exp.cast(found, exp.DataType.build("JSON", dialect="duckdb"), copy=False)
    return found


def _given(argument: exp.Expr, type_: DataType) -> exp.Expr:
    # Not copied: calls within it are yet to be replaced.
    if type_.name in SEMI_STRUCTURED:
        return exp.Anonymous(this="json_quote", expressions=[argument])
    return sql_bodies.typed(argument, type_)
