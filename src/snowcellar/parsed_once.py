"""Fields of a VARIANT that a SELECT takes from one column, by one reading of its text instead of one a field.

DuckDB reads the whole text for each `v ->> '$.a'`, but only once for a list of paths. So a SELECT that asks a
column for several fields, or for their types, gets two lists from below and takes its fields out of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

_ROWID = "rowid"
_PATH = re.compile(r"'(\$[.][A-Za-z_][A-Za-z0-9_]*)'")
_FEWEST = 2
_CLAUSES = ("expressions", "where", "group", "having", "qualify", "order", "windows", "distinct")
_BESIDE_ONE_SOURCE = ("joins", "laterals", "pivots", "sample", "match", "connect")
# Ways by which a query stands in another statement and sees no columns but its own.
_PLACES: dict[type, tuple[str, ...]] = {
    exp.From: ("this",),
    exp.Subquery: ("this",),
    exp.Union: ("this", "expression"),
    exp.CTE: ("this",),
    exp.With: ("expressions",),
    exp.Select: ("from_", "with_"),
    exp.Insert: ("expression",),
    exp.Merge: ("using",),
}


@dataclass
class _Column:
    """What a SELECT asks one column for: the paths of texts and of types, and where."""

    column: exp.Column
    texts: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    asked: list[tuple[exp.Expr, list[str], str]] = field(default_factory=list)

    def ask(self, node: exp.Expr, paths: list[str], path: str) -> None:
        if path not in paths:
            paths.append(path)
        self.asked.append((node, paths, path))


def read_once(tree: exp.Expr) -> exp.Expr:
    """A tree in DuckDB's terms, with its fields taken from lists."""
    for select in list(tree.find_all(exp.Select)):
        if not (_has_one_source(select) and _stands_alone(select)):
            continue
        columns = [each for each in _columns(select) if len(each.texts) + len(each.types) >= _FEWEST]
        if columns:
            _take_from_lists(select, columns)
    return tree


def _has_one_source(select: exp.Select) -> bool:
    source = select.args["from_"].this if select.args.get("from_") else None
    if not isinstance(source, exp.Table | exp.Subquery) or select.is_star:
        return False
    return not any(node.args.get(key) for node in (select, source) for key in _BESIDE_ONE_SOURCE)


def _stands_alone(select: exp.Expr) -> bool:
    """Whether no name in a query can be a column of a query around it."""
    node = select
    while (around := node.parent) is not None:
        if node.arg_key not in _PLACES.get(type(around), ()):
            return False
        node = around
    return True


def _columns(select: exp.Select) -> list[_Column]:
    """What the SELECT asks of each column of its source; nothing where a name may be another's."""
    found: dict[str, _Column] = {}
    source = select.args["from_"].this.alias_or_name
    computed = {each.alias.lower() for each in select.expressions if isinstance(each, exp.Alias)}
    for node in _own_nodes(select):
        if isinstance(node, exp.Column) and (
            node.args.get("db") or (node.table and node.table != source) or node.name.lower() == _ROWID
        ):
            return []
        column, path = _asked_for(node)
        if column is None or column.name.lower() in computed:
            continue
        known = found.setdefault(column.name.lower(), _Column(column))
        known.ask(node, known.texts if isinstance(node, exp.JSONExtractScalar) else known.types, path)
    return list(found.values())


def _own_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """The nodes of a SELECT's clauses, without those of queries in them."""
    for clause in _CLAUSES:
        parts = select.args.get(clause) or []
        for part in parts if isinstance(parts, list) else [parts]:
            yield from part.dfs(prune=lambda each: isinstance(each, exp.Query))


def _asked_for(node: exp.Expr) -> tuple[exp.Column | None, str]:
    """The column and the path of `v ->> '$.a'` or `json_type(v -> '$.a')`; None of any other node."""
    extract = node
    if (
        isinstance(node, exp.Anonymous)
        and str(node.this).lower() == "json_type"
        and len(node.expressions) == 1
    ):
        extract = node.expressions[0].unnest()
        if not isinstance(extract, exp.JSONExtract):
            return None, ""
    elif not isinstance(node, exp.JSONExtractScalar):
        return None, ""
    path = _PATH.fullmatch(extract.expression.sql(dialect="duckdb"))
    column = extract.this.unnest()
    return (column, path[1]) if path and isinstance(column, exp.Column) else (None, "")


def _take_from_lists(select: exp.Select, columns: list[_Column]) -> None:
    below = exp.select("*")
    for number, each in enumerate(columns):
        lists = (
            (each.texts, "json_extract_string", f"SC$TEXTS_{number}"),
            (each.types, "json_type", f"SC$TYPES_{number}"),
        )
        for paths, function, name in lists:
            if not paths:
                continue
            listed = exp.Array(expressions=[exp.Literal.string(path) for path in paths])
            read = exp.Anonymous(this=function, expressions=[each.column.copy(), listed])
            below.select(exp.alias_(read, name, quoted=True), copy=False)
            for node, asked, path in each.asked:
                if asked is paths:
                    place = exp.Literal.number(paths.index(path) + 1)
                    node.replace(
                        exp.Anonymous(this="list_extract", expressions=[exp.column(name, quoted=True), place])
                    )
    from_ = select.args["from_"]
    source = from_.this
    alias = source.alias_or_name
    below.set("from_", exp.From(this=source.copy()))
    named = exp.TableAlias(this=exp.to_identifier(alias, quoted=True)) if alias else None
    from_.set("this", exp.Subquery(this=below, alias=named))
