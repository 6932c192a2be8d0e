"""Streams on views: the view's query over its tables as they were at the offset, and as they are.

Source: https://docs.snowflake.com/en/user-guide/streams-intro (SEMANTICS 8): projections, filters, inner and
cross joins and UNION ALL, in views on tables and on other such views. A row of the view is told from others
by the rows of the tables that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlglot
from sqlglot import exp

from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported
from snowcellar.names import QualifiedName, literal, quote
from snowcellar.session import Session
from snowcellar.streams.registry import ROW_COLUMN, Stream, table_columns
from snowcellar.streams.shown import show
from snowcellar.streams.table_image import TableImage
from snowcellar.transactions import Offset, Transaction

KEY = "SNOWCELLAR$KEY"
_REFUSED_CLAUSES = {
    "group": "GROUP BY",
    "having": "HAVING",
    "distinct": "DISTINCT",
    "qualify": "QUALIFY",
    "limit": "LIMIT",
    "offset": "OFFSET",
    "with_": "WITH",
    "laterals": "LATERAL",
}
_REFUSED_EXPRESSIONS = (exp.AggFunc, exp.Window, exp.Subquery, exp.Exists, exp.Query)

Rows = Callable[[QualifiedName], str]
"""A query for a table's rows, with their KEY."""


def relations_behind(session: Session, view: QualifiedName) -> tuple[QualifiedName, ...]:
    """The views and tables that a view reads, itself first; an error for a view that no stream can follow."""
    found: dict[QualifiedName, None] = {}

    def rows(table: QualifiedName) -> str:
        if not table_columns(session.duck, table):
            raise ObjectNotFound("Table", str(table))
        if table.database != view.database:
            raise Unsupported("a stream on a view of another database")
        return "SELECT 1"

    _Keyed(session, rows, found).of_view(view)
    return tuple(found)


def select_changes(session: Session, transaction: Transaction, stream: Stream, at: Offset) -> str:
    """A DuckDB query for the rows of a stream on a view."""

    def query(image_of: Callable[[TableImage], str]) -> str:
        def rows(table: QualifiedName) -> str:
            image = TableImage(session, transaction, table, at)
            columns = ", ".join([f'CAST("{ROW_COLUMN}" AS VARCHAR) AS "{KEY}"', *image.names])
            return f"SELECT {columns} FROM ({image_of(image)})"

        return _Keyed(session, rows, {}).of_view(stream.table)

    def shown(rows: str, action: str, is_update: bool) -> str:
        return show(names, f'{literal(f"{stream.table}.")} || "{KEY}"', rows, action, is_update)

    names = [quote(name) for name, _ in table_columns(session.duck, stream.table)]
    then = query(lambda image: image.then())
    if at.initial_rows:
        return shown(f"({then})", "INSERT", False)
    if stream.append_only:
        ever = query(lambda image: f"{image.then()} UNION ALL {image.added()}")
        return shown(f'({ever}) WHERE "{KEY}" NOT IN (SELECT "{KEY}" FROM ({then}))', "INSERT", False)
    now = query(lambda image: image.now())
    differs = " OR ".join(f"b.{name} IS DISTINCT FROM n.{name}" for name in names)
    updated = f'({then}) AS b JOIN ({now}) AS n ON n."{KEY}" = b."{KEY}" WHERE {differs}'
    return " UNION ALL ".join(
        [
            shown(f'({now}) WHERE "{KEY}" NOT IN (SELECT "{KEY}" FROM ({then}))', "INSERT", False),
            shown(f'({then}) WHERE "{KEY}" NOT IN (SELECT "{KEY}" FROM ({now}))', "DELETE", False),
            shown(f"(SELECT b.* FROM {updated})", "DELETE", True),
            shown(f"(SELECT n.* FROM {updated})", "INSERT", True),
        ]
    )


class _Keyed:
    """A view's query with a column KEY before its own, over images of its tables."""

    def __init__(self, session: Session, rows: Rows, found: dict[QualifiedName, None]) -> None:
        self._session = session
        self._rows = rows
        self._found = found

    def of_view(self, view: QualifiedName) -> str:
        """The query of a view, by the names of the view's columns."""
        self._found[view] = None
        columns = [quote(name) for name in (KEY, *(name for name, _ in self._columns(view)))]
        query = self._of_query(_definition(self._session, view), view)
        return f"SELECT * FROM ({query}) AS V({', '.join(columns)})"

    def _columns(self, view: QualifiedName) -> list[tuple[str, str]]:
        return table_columns(self._session.duck, view)

    def _of_query(self, query: exp.Expr, view: QualifiedName) -> str:
        if isinstance(query, exp.Subquery):
            return self._of_query(query.this, view)
        if isinstance(query, exp.Union) and not query.args.get("distinct"):
            sides = [self._of_query(side, view) for side in (query.this, query.expression)]
            return " UNION ALL ".join(
                f'SELECT \'{number}.\' || "{KEY}" AS "{KEY}", * EXCLUDE ("{KEY}") FROM ({side})'
                for number, side in enumerate(sides)
            )
        if not isinstance(query, exp.Select):
            raise _refused(query.key.upper())
        return self._of_select(query.copy(), view)

    def _of_select(self, select: exp.Select, view: QualifiedName) -> str:
        _open_parentheses(select)
        _require_plain(select)
        keys = []
        for number, source in enumerate(_sources(select)):
            alias = source.args.get("alias") or exp.TableAlias(
                this=exp.to_identifier(source.alias_or_name or f"SNOWCELLAR${number}", quoted=True)
            )
            rows = self._of_source(source, view)
            source.replace(exp.Subquery(this=sqlglot.parse_one(rows, read="duckdb"), alias=alias.copy()))
            keys.append(f"{exp.column(KEY, table=alias.this.copy(), quoted=True).sql(dialect='duckdb')}")
        for column in select.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)
        for star in [star for part in select.expressions for star in part.find_all(exp.Star)]:
            star.set("except_", [exp.to_identifier(KEY, quoted=True)])
        key = sqlglot.parse_one(" || ',' || ".join(keys), read="duckdb")
        select.set("expressions", [exp.alias_(key, KEY, quoted=True), *select.expressions])
        return select.sql(dialect="duckdb")

    def _of_source(self, source: exp.Expr, view: QualifiedName) -> str:
        if isinstance(source, exp.Subquery):
            return self._of_query(source.this, view)
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            raise _refused("TABLE FUNCTION")
        parts = [part.name for part in source.parts]
        name = QualifiedName(*[view.database, view.schema][: 3 - len(parts)], *parts)
        if is_view(self._session, name):
            return self.of_view(name)
        self._found[name] = None
        return self._rows(name)


def _open_parentheses(select: exp.Select) -> None:
    """FROM (a JOIN b), as DuckDB keeps it, becomes FROM a JOIN b."""
    from_ = select.args.get("from_")
    while from_ is not None and isinstance(from_.this, exp.Subquery | exp.Paren):
        outer, inner = from_.this, from_.this.this
        if outer.args.get("alias") or not isinstance(inner, exp.Table | exp.Subquery):
            return
        joins = [join for part in (inner, outer, select) for join in part.args.get("joins") or []]
        inner.set("joins", None)
        from_.set("this", inner)
        select.set("joins", joins)


def _require_plain(select: exp.Select) -> None:
    for clause, words in _REFUSED_CLAUSES.items():
        if select.args.get(clause):
            raise _refused(words)
    where = select.args.get("where")
    for part in (*select.expressions, *([where] if where else [])):
        # DuckDB has a name of its own for COUNT(*).
        counts = any(call.name == "count_star" for call in part.find_all(exp.Anonymous))
        if counts or part.find(*_REFUSED_EXPRESSIONS):
            raise _refused("AGGREGATES, WINDOW FUNCTIONS OR SUBQUERIES")


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    from_ = select.args.get("from_")
    if from_ is None:
        raise _refused("NO TABLE")
    yield from_.this
    for join in select.args.get("joins") or []:
        if join.side or join.method or join.kind not in ("", "INNER", "CROSS"):
            raise CompilationError(
                "Change tracking is not supported on queries with joins of type "
                f"'[{'_'.join(filter(None, (join.method, join.side, join.kind or 'OUTER')))}_JOIN]'."
            )
        yield join.this


def _definition(session: Session, view: QualifiedName) -> Any:
    rows = session.duck.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
        [view.database, view.schema, view.name],
    ).fetchall()
    if not rows:
        raise ObjectNotFound("View", str(view))
    return sqlglot.parse_one(rows[0][0], read="duckdb").expression


def is_view(session: Session, name: QualifiedName) -> bool:
    """Whether a name is that of a view."""
    return bool(
        session.duck.execute(
            "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
            [name.database, name.schema, name.name],
        ).fetchall()
    )


def _refused(what: str) -> CompilationError:
    return CompilationError(f"Change tracking is not supported on queries with '{what}'.")
