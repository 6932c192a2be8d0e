"""From a Snowflake statement to DuckDB text, once: translations are kept by the statement's text.

A pipeline sends the same few statements at every tick; the second time costs a look-up.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from fakesnow import statement_type
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from snowcellar import (
    binds,
    column_names,
    information_schema,
    merge,
    parsed_once,
    pivots,
    relations,
    rewrites,
    staged_files,
    window_functions,
)
from snowcellar.binds import DuckSql
from snowcellar.errors import Unsupported
from snowcellar.grants import visibility
from snowcellar.names import QualifiedName
from snowcellar.passes import Passes
from snowcellar.relations import Marker
from snowcellar.session import Params, Session
from snowcellar.staged_files import Scan
from snowcellar.statement import Statement
from snowcellar.streams.registry import table_columns
from snowcellar.transactions import Transaction

KEPT = 512
_LONGEST_KEPT = 200_000
_DEPENDS_ON_BINDS = re.compile(r"IDENTIFIER\s*\(|TABLE\s*\(\s*[?:]", re.IGNORECASE)


@dataclass(frozen=True)
class Translation:
    """A query or DML statement in DuckDB's SQL, with markers for what must be looked up at every run."""

    kind: type[exp.Expr]
    sql: DuckSql
    markers: tuple[Marker | Scan, ...]
    target: QualifiedName | None = None
    touched: DuckSql | None = None
    """If the target is tracked: SELECT * of its rows that the statement may change."""
    tracked: bool = False
    """Whether the target was tracked when this was made."""
    count_columns: tuple[str, ...] = ()
    duplicates: DuckSql | None = None
    """For MERGE: a query for target rows that the source matches twice."""
    lasting: bool = False
    """Whether the same text means the same the next time, as long as the catalogue does."""

    @property
    def statement_type(self) -> int:
        """Snowflake's number for this kind of statement."""
        return statement_type.SELECT if issubclass(self.kind, exp.Query) else _TYPE_IDS[self.kind]

    @property
    def streams(self) -> list[QualifiedName]:
        """The streams that the statement reads."""
        return [marker.name for marker in self.markers if isinstance(marker, Marker) and marker.is_stream]

    def fill(self, session: Session, transaction: Transaction, sql: DuckSql) -> DuckSql:
        """A text of this translation with its markers filled, as of the transaction."""
        text = sql.text
        for marker in self.markers:
            if marker.text in text:
                text = text.replace(marker.text, marker.fill(session, transaction))
        return DuckSql(text, sql.binds)


_TYPE_IDS: dict[type[exp.Expr], int] = {
    exp.Insert: statement_type.INSERT,
    exp.Update: statement_type.UPDATE,
    exp.Delete: statement_type.DELETE,
    exp.Merge: statement_type.MERGE,
    exp.TruncateTable: statement_type.DDL,
}
_COUNT_COLUMNS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Insert: ("number of rows inserted",),
    exp.Update: ("number of rows updated", "number of multi-joined rows updated"),
    exp.Delete: ("number of rows deleted",),
    exp.TruncateTable: ("status",),
}
DML = tuple(_TYPE_IDS)


class TranslationCache:
    """The translations that were used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Translation] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> Translation | None:
        """A kept translation."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[object, ...], translation: Translation) -> None:
        """Keep a translation, and drop the one that was not used for longest."""
        with self._lock:
            self._kept[key] = translation
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


def translate(
    session: Session, statement: Statement, params: Params, *, describe: bool = False
) -> Translation | None:
    """The translation of a query or DML statement; None for any other."""
    streams = session.warehouse.streams
    temporary = frozenset(session.temporary)
    merges = session.parameters["ERROR_ON_NONDETERMINISTIC_MERGE"]
    key = (statement.text, session.database, session.schema, streams.version, describe, temporary, merges)
    cache = session.warehouse.translations
    kept = cache.get(key)
    if kept is not None and kept.tracked == (kept.target in streams.tables):
        return kept
    tree = statement.tree
    if not isinstance(tree, (exp.Query, *DML)):
        return None
    binds.name_identifiers(tree, params)
    column_names.name_columns(statement.text, tree)
    relations.require_context(session, tree)
    window_functions.require_order(tree)
    scanned = staged_files.expand(session, tree)
    if describe:
        tree = tree.transform(lambda node: exp.Null() if isinstance(node, exp.Placeholder) else node)
    calls = relations.expand_functions(session, tree, params)
    listed = information_schema.expand(session, tree)
    restricted = visibility.restrict(session, tree)
    # The next run of the same text may find other files.
    volatile = bool(scanned) or calls or listed or restricted or rewrites.depends_on_session(tree)
    volatile = volatile or pivots.finds_values(tree)
    translation = _translate(session, tree, scanned)
    if volatile or depends_on_binds(statement.text):
        return translation
    translation = dataclasses.replace(translation, lasting=True)
    if len(statement.text) < _LONGEST_KEPT:
        cache.put(key, translation)
    return translation


def depends_on_binds(text: str) -> bool:
    """Whether a bound value may name a table of a statement."""
    return _DEPENDS_ON_BINDS.search(text) is not None


def to_duckdb(session: Session, tree: exp.Expr) -> DuckSql:
    """The DuckDB text of a tree, after our rewrites and fakesnow's."""
    cursor = FakeSnowflakeCursor(session.fake, session.duck)
    passes = Passes(rewrites.apply(session, tree))
    cursor._transform(cast(exp.Expr, passes), None)
    translated = parsed_once.read_once(passes.tree)
    return DuckSql(translated.sql(dialect="duckdb"), binds.wanted(translated))


def _translate(session: Session, tree: exp.Expr, scanned: Sequence[Scan]) -> Translation:
    target_table = relations.dml_target(tree)
    target = relations.table_name(session, target_table) if target_table is not None else None
    tracked = target in session.warehouse.streams.tables
    if isinstance(tree, exp.Insert):
        if tree.args.get("overwrite"):
            raise Unsupported("INSERT OVERWRITE", "Use TRUNCATE TABLE and INSERT in one transaction.")
        if tracked:
            _name_columns(session, tree, target)
    if isinstance(tree, exp.Merge) and tracked and target is not None:
        merge.name_inserted_columns(tree, column_identifiers(session, target))
    markers: tuple[Marker | Scan, ...] = (*relations.mark(session, tree), *scanned)
    if isinstance(tree, exp.Query):
        return Translation(exp.Query, to_duckdb(session, tree), markers)
    counts = merge.count_columns(tree) if isinstance(tree, exp.Merge) else _COUNT_COLUMNS[type(tree)]
    duplicates = None
    if isinstance(tree, exp.Merge):
        merge.unqualify_set_columns(tree)
        duplicates = to_duckdb(session, merge.duplicate_rows(tree))
    touched = None
    if tracked and target is not None and not isinstance(tree, exp.Insert):
        touched = to_duckdb(session, _touched_rows(tree, target))
    kind = type(tree)
    deterministic = bool(session.parameters["ERROR_ON_NONDETERMINISTIC_MERGE"])
    if isinstance(tree, exp.Merge) and merge.may_match_twice(tree, deterministic=deterministic):
        merge.match_once(tree, deterministic=deterministic)
    if isinstance(tree, exp.TruncateTable):
        tree = exp.delete(tree.expressions[0])
    sql = to_duckdb(session, tree)
    if kind is exp.Merge:
        sql = DuckSql(f"{sql.text} RETURNING merge_action", sql.binds)
    return Translation(kind, sql, markers, target, touched, tracked, counts, duplicates)


def _name_columns(session: Session, tree: exp.Insert, target: QualifiedName | None) -> None:
    """Name the columns of an INSERT that names none, so that hidden columns are left to their defaults."""
    if target is not None and isinstance(tree.this, exp.Table):
        tree.set("this", exp.Schema(this=tree.this, expressions=column_identifiers(session, target)))


def column_identifiers(session: Session, table: QualifiedName) -> list[exp.Identifier]:
    """The columns of a table that a user sees."""
    return [exp.to_identifier(column, quoted=True) for column, _ in table_columns(session.duck, table)]


def _touched_rows(tree: exp.Expr, target: QualifiedName) -> exp.Select:
    """SELECT * over the rows of its target that a statement may change: more of them do no harm."""
    if isinstance(tree, exp.Merge):
        return merge.pairs(tree, "*", "semi")
    if (
        isinstance(tree, exp.Update | exp.Delete)
        and not tree.args.get("using")
        and not tree.args.get("from_")
    ):
        query = exp.select("*").from_(tree.this.copy())
        where = tree.args.get("where")
        return query.where(where.this.copy()) if where else query
    return exp.select("*").from_(exp.table_(target.name, target.schema, target.database, quoted=True))
