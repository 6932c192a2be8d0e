"""The SQL engine: runs statements on DuckDB through fakesnow's rewrites.

Queries and DML run here, inside a transaction of the session; everything else (USE, DESCRIBE, CREATE
TABLE, PUT, ...) runs through fakesnow's cursor.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from fakesnow import statement_type
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from snowcellar import (
    account_notes,
    binds,
    create_table_as,
    ddl,
    information_schema,
    kept_descriptions,
    large_results,
    merge,
    nullability,
    relations,
    rewrites,
    staged_drops,
    staged_files,
    table_alterations,
    temporary_tables,
    transient_tables,
    view_comments,
    window_functions,
)
from snowcellar.binds import DuckSql, Params
from snowcellar.errors import Unsupported
from snowcellar.grants import authorization
from snowcellar.loading import copy_into_location, copy_into_table, file_formats, load_history
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.statement import Statement
from snowcellar.streams import capture, consumption, table_changes
from snowcellar.transactions import Transaction
from snowcellar.translation import Translation, to_duckdb, translate
from snowcellar.user_functions import calls

_DDL = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_BY_FAKESNOW = (exp.Describe, exp.Show, exp.Set, exp.Put, exp.ListStage)
_UNSET = re.compile(r"UNSET\s", re.IGNORECASE)
_CREATE_OR_ALTER = re.compile(r"CREATE\s+OR\s+ALTER\b", re.IGNORECASE)
_WIRE_TYPES = {"JSON": "variant", "TIMESTAMP WITH TIME ZONE": "timestamp_ltz", "TIMESTAMPTZ": "timestamp_ltz"}


def run(session: Session, statement: Statement, params: Params) -> Result:
    """Run one statement that no feature has claimed, if the session's roles may."""
    return authorization.authorize(session, statement, params, lambda: _run(session, statement, params))


def _run(session: Session, statement: Statement, params: Params) -> Result:
    if (translation := translate(session, statement, params)) is not None:
        if translation.target is None:
            return _run_query(session, statement, translation, params)
        return _run_dml(session, statement, translation, params)
    tree = statement.tree
    binds.name_identifiers(tree, params)
    if isinstance(tree, _DDL):
        return _run_ddl(session, statement, tree, params)
    if isinstance(tree, exp.Copy):
        return _run_copy(session, tree, params)
    if isinstance(tree, _BY_FAKESNOW) or _UNSET.match(statement.text):
        session.connection.require_usable()
        return _run_with_fakesnow(session, tree, params)
    raise Unsupported(statement.text.split("\n")[0][:120])


def describe(session: Session, statement: Statement) -> Result:
    """The result's columns without the rows, for a describe-only request."""
    return authorization.authorize(
        session, statement, None, lambda: _describe(session, statement), describe=True
    )


def _describe(session: Session, statement: Statement) -> Result:
    session.connection.require_usable()
    kept, key = session.warehouse.descriptions, kept_descriptions.key_of(session, statement)
    if key is not None and (known := kept.get(key)) is not None:
        return known
    version = kept.version
    described, lasting = _described(session, statement)
    if key is not None and lasting:
        kept.put(key, described, version)
    return described


def _described(session: Session, statement: Statement) -> tuple[Result, bool]:
    """The columns of a statement, and whether they stay so as long as the catalogue does."""
    required = nullability.required_columns(session, statement.tree)
    translation = translate(session, statement, None, describe=True)
    if translation is None:
        return Result.status("", statement_type.statement_type_id(statement.tree)), False
    if translation.target is not None:
        return _counts(translation, {}), False
    with session.connection.statement(session) as transaction:
        seen = dict(transaction.seen)
        sql = translation.fill(session, transaction, translation.sql)
        # A stream whose columns were asked for has not been read.
        transaction.seen = seen
        columns = _fetch(session, DuckSql(f"SELECT * FROM ({sql.text}) LIMIT 0", sql.binds), None)
        return dataclasses.replace(columns, required=required), translation.lasting


def _run_query(session: Session, statement: Statement, translation: Translation, params: Params) -> Result:
    with session.connection.statement(session) as transaction:
        if transaction.explicit:
            for name in translation.streams:
                session.connection.lock(name)
            if translation.streams and session.connection.look_again():
                translation = translate(session, Statement(statement.text), params) or translation
        return _fetch(session, translation.fill(session, transaction, translation.sql), params)


def _fetch(session: Session, sql: DuckSql, params: Params) -> Result:
    values = sql.values(params)
    relation = session.duck.sql(sql.text, params=values) if values else session.duck.sql(sql.text)
    types = _wire_types(zip(relation.columns, relation.types, strict=True))
    rows = large_results.table_of(relation, session.warehouse.results_folder)
    return Result(rows, types, statement_type=statement_type.SELECT)


def _wire_types(columns: Iterable[Sequence[Any]]) -> dict[str, str]:
    return {name: kind for name, duck_type, *_ in columns if (kind := _WIRE_TYPES.get(str(duck_type)))}


def _run_dml(session: Session, statement: Statement, translation: Translation, params: Params) -> Result:
    lock_timeout = float(session.parameters["LOCK_TIMEOUT"])
    with session.writing() as transaction:
        for name in translation.streams:
            session.connection.lock(name, lock_timeout)
        if translation.target is not None and translation.kind is not exp.Insert:
            session.connection.lock(translation.target, lock_timeout)
        # The last holder of a lock has left something to see, or a stream was created while this waited.
        stale = translation.tracked != (translation.target in session.warehouse.streams.tables)
        if session.connection.look_again() or stale:
            translation = translate(session, Statement(statement.text), params) or translation
        result = _write(session, transaction, translation, params)
        for name in translation.streams:
            consumption.consume(session, transaction, name)
    return result


def _write(session: Session, transaction: Transaction, translation: Translation, params: Params) -> Result:
    assert translation.target is not None
    tracked = capture.announce_write(session, transaction, translation.target)
    if tracked and translation.touched:
        touched = translation.fill(session, transaction, translation.touched)
        capture.record_before_images(session, transaction, tracked, touched, params)
    sql = translation.fill(session, transaction, translation.sql)
    if translation.kind is exp.Merge:
        duplicates = translation.fill(session, transaction, translation.duplicates or DuckSql(""))
        return _counts(translation, merge.run(session, sql, duplicates, params))
    count = session.duck.execute(sql.text, sql.values(params)).fetchall()[0][0]
    if translation.kind is exp.TruncateTable:
        load_history.forget(session, translation.target)
        return Result.status("Statement executed successfully.", translation.statement_type)
    return _counts(translation, {translation.count_columns[0]: count})


def _counts(translation: Translation, counts: dict[str, int]) -> Result:
    columns = {name: pa.array([counts.get(name, 0)], pa.int64()) for name in translation.count_columns}
    total = sum(counts.values())
    return Result(pa.table(columns), rows_affected=total, statement_type=translation.statement_type)


def _run_ddl(session: Session, statement: Statement, tree: exp.Expr, params: Params) -> Result:
    """DDL, in a transaction of its own; CREATE TABLE AS from a stream consumes it (SEMANTICS 1, 24)."""
    if _CREATE_OR_ALTER.match(statement.text):
        # sqlglot reads it as CREATE OR REPLACE, which would empty the table.
        raise Unsupported("CREATE OR ALTER", "Use CREATE ... IF NOT EXISTS and ALTER.")
    no_effect = isinstance(tree, exp.Alter) and table_alterations.has_no_effect(tree)
    if not no_effect:
        ddl.refuse_unsupported(tree)
    session.commit_before_ddl()
    if no_effect or ddl.declares_only_keys(tree):
        return Result.status("Statement executed successfully.", statement_type.DDL)
    if isinstance(tree, exp.Drop) and (dropped := staged_drops.drop(session, tree)):
        return dropped
    if table_changes.rename(session, tree):
        session.warehouse.streams.version += 1
        return Result.status("Statement executed successfully.", statement_type.DDL)
    ddl.drop_unenforced_keys(tree)
    if isinstance(tree, exp.Create) and tree.kind == "STAGE":
        return _create_stage(session, tree, params)
    follow = table_changes.before(session, tree)
    column_comments = table_alterations.take_column_comments(session, tree)
    try:
        if isinstance(tree, exp.Alter) and table_alterations.run(session, tree):
            result = Result.status("Statement executed successfully.", statement_type.DDL)
        elif isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query):
            result = _create_as(session, tree, params)
        elif isinstance(tree, exp.Comment) and (comment := view_comments.comment_on_view(session, tree)):
            with session.connection.statement(session):
                session.duck.execute(comment)
            result = Result.status("")
        else:
            # Not inside a transaction: comments and stages are written to the account's own file.
            result = _run_with_fakesnow(session, tree, params)
        transient_tables.remember(session, tree)
        for comment in column_comments:
            session.duck.execute(comment)
        if follow:
            with session.connection.statement(session) as transaction:
                follow(transaction)
    finally:
        session.warehouse.streams.version += 1
    if isinstance(tree, exp.Comment):
        return Result.status("Statement executed successfully.", statement_type.DDL)
    return result


def _create_stage(session: Session, tree: exp.Create, params: Params) -> Result:
    """CREATE STAGE, with what it says of the files in it."""
    written, stage = tree.copy(), relations.table_name(session, tree.this)
    result = _run_with_fakesnow(session, tree, params)
    if stage is not None and "successfully created" in str(result.table.to_pylist()[0]):
        file_formats.keep(session, stage, written)
    return result


def _run_copy(session: Session, tree: exp.Copy, params: Params) -> Result:
    """COPY INTO a table, or a location."""
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    target = relations.table_name(session, table) if isinstance(table, exp.Table) else None
    if target is None:
        return copy_into_location.run(session, tree, params)
    return copy_into_table.run(session, tree, target, params)


def _create_as(session: Session, tree: exp.Create, params: Params) -> Result:
    """CREATE TABLE or VIEW ... AS SELECT."""
    comments = view_comments.take(session, tree) if tree.kind == "VIEW" else []
    with session.connection.statement(session) as transaction:
        calls.refuse_in_view(session, tree)
        window_functions.require_order(tree)
        relations.expand_functions(session, tree.expression)
        information_schema.restrict_definition(session, tree)
        markers = relations.mark(session, tree.expression)
        streams = [marker.name for marker in markers if marker.is_stream]
        if streams and tree.kind != "TABLE":
            raise Unsupported(f"a view on stream {streams[0]}")
        for marker in markers:
            for table in list(tree.expression.find_all(exp.Table)):
                if table.name == marker.text.strip('"'):
                    rows = relations.parse_duckdb(
                        marker.fill(session, transaction).removeprefix("(").removesuffix(")")
                    )
                    table.replace(exp.Subquery(this=rows, alias=table.args["alias"].copy()))
        tree.set("expression", rewrites.apply(session, tree.expression))
        if tree.kind == "VIEW" and tree.expression.find(exp.Star):
            _name_columns(session, tree, params)
        required = []
        if tree.kind == "TABLE" and isinstance(tree.this, exp.Schema):
            required = create_table_as.take_definition(tree, _columns_of(session, tree, params))
        later: list[str] = []
        result = _run_with_fakesnow(session, tree, params, later)
        for column in required:
            session.duck.execute(f"ALTER TABLE {_created(tree)} ALTER COLUMN {column} SET NOT NULL")
        for comment in comments:
            session.duck.execute(comment)
        for name in streams:
            consumption.consume(session, transaction, name)
    for note in later:
        session.duck.execute(note)
    return result


def _created(tree: exp.Create) -> str:
    return str(tree.this.sql(dialect="duckdb", identify=True))


def _columns_of(session: Session, tree: exp.Create, params: Params) -> list[str]:
    """The names of the columns of a CREATE's query."""
    query = FakeSnowflakeCursor(session.fake, session.duck)._transform(tree.expression.copy(), None)
    sql = f"SELECT * FROM ({query.sql(dialect='duckdb')}) LIMIT 0"
    values = binds.values(binds.wanted(query), params)
    return list(session.duck.sql(sql, params=values).columns if values else session.duck.sql(sql).columns)


def _name_columns(session: Session, tree: exp.Create, params: Params) -> None:
    """Replace a view's * by the columns there are now, as Snowflake does: hidden ones may come later."""
    columns = _columns_of(session, tree, params)
    named = [exp.column(exp.to_identifier(name, quoted=True)) for name in columns]
    rows = exp.Subquery(this=tree.expression.copy(), alias=exp.TableAlias(this=exp.to_identifier("V")))
    tree.set("expression", exp.select(*named).from_(rows))


def _run_with_fakesnow(
    session: Session, tree: exp.Expr, params: Params, later: list[str] | None = None
) -> Result:
    """Run a statement through fakesnow's cursor, which keeps the session's database and schema.

    later: takes what fakesnow would write into the account's own file, for after the transaction.
    """
    cursor = FakeSnowflakeCursor(session.fake, session.duck)
    cursor.check_db_and_schema(tree)
    temporary_tables.use_last_parts(session, tree)
    transformed: Any = tree
    for part in cursor._transform_explode(tree):
        transformed = cursor._transform(part, None)
        if later is not None:
            later += account_notes.take(session, transformed)
        cursor._execute(transformed, binds.values(binds.wanted(transformed), params))
    table: pa.Table = cursor._arrow_table
    upload = transformed.args.get("put_stage_data")
    if upload is not None:
        upload = {
            **upload,
            "stage_name": transformed.args["put_stage_name"],
            "overwrite": staged_files.overwrites(tree),
        }
    types = _wire_types(session.duck.description or [])
    return Result(table, types, cursor.rowcount, statement_type.statement_type_id(tree), upload)


__all__ = ["describe", "run", "to_duckdb"]
