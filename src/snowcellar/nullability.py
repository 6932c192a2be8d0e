"""Which columns of a query cannot be NULL, as a describe tells it: DataFrame.schema shows them so.

Deviation: seen through a SELECT of columns and constants from one table or subquery; all else may be NULL.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.relations import fold_identifier, table_name
from snowcellar.session import Session

_SHAPING = ("joins", "group", "pivots", "laterals", "with_")


def required_columns(session: Session, query: exp.Expr) -> frozenset[str]:
    """The names of the columns that are never NULL."""
    if isinstance(query, exp.Subquery) and not query.args.get("joins"):
        return required_columns(session, query.this)
    if not isinstance(query, exp.Select) or any(query.args.get(key) for key in _SHAPING):
        return frozenset()
    source = query.args.get("from_")
    known = _of_source(session, source.this) if source is not None else frozenset()
    found: set[str] = set()
    for listed in query.expressions:
        if isinstance(listed, exp.Star):
            found |= known
            continue
        value = listed.this if isinstance(listed, exp.Alias) else listed
        name = listed.args["alias"] if isinstance(listed, exp.Alias) else value.this
        if isinstance(name, exp.Identifier) and _is_required(value, known):
            found.add(fold_identifier(name))
    return frozenset(found)


def _is_required(value: exp.Expr, known: frozenset[str]) -> bool:
    if type(value) is exp.Cast:  # and not TRY_CAST, which is one of its kind
        return _is_required(value.this, known)
    if isinstance(value, exp.Column) and isinstance(value.this, exp.Identifier):
        return fold_identifier(value.this) in known
    return isinstance(value, exp.Literal | exp.Boolean)


def _of_source(session: Session, source: exp.Expr) -> frozenset[str]:
    if isinstance(source, exp.Subquery):
        return required_columns(session, source)
    name = table_name(session, source) if isinstance(source, exp.Table) else None
    if name is None or any(source.args.get(key) for key in _SHAPING):
        return frozenset()
    place = [name.database, name.schema] if name not in session.temporary else ["temp", "main"]
    rows = session.duck.execute(
        "SELECT column_name FROM duckdb_columns() "
        "WHERE NOT is_nullable AND database_name = ? AND schema_name = ? AND table_name = ?",
        [*place, name.name],
    ).fetchall()
    return frozenset(column for (column,) in rows)
