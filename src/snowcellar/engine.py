"""The SQL engine: runs statements on DuckDB through fakesnow's rewrites.

Queries and DML run here, inside a transaction of the session; everything else (USE, DESCRIBE, CREATE
TABLE, PUT, ...) runs through fakesnow's cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from fakesnow import statement_type
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from snowcellar import merge, relations
from snowcellar.errors import Unsupported
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.streams import capture, consumption, table_changes
from snowcellar.transactions import Transaction
from snowcellar.translation import Translation, to_duckdb, translate

_DDL = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_FAKESNOW_COMMANDS = ("PUT", "GET", "LIST", "LS", "SET", "UNSET", "ALTER")
_CREATE_OR_ALTER = re.compile(r"CREATE\s+OR\s+ALTER\b", re.IGNORECASE)
_WIRE_TYPES = {"JSON": "variant", "TIMESTAMP WITH TIME ZONE": "timestamp_ltz", "TIMESTAMPTZ": "timestamp_ltz"}


def run(session: Session, statement: Statement, params: Params) -> Result:
    """Run one statement that no feature has claimed."""
    if (translation := translate(session, statement, params)) is not None:
        if translation.target is None:
            return _run_query(session, translation, params)
        return _run_dml(session, translation, params)
    tree = statement.tree
    if isinstance(tree, exp.Command) and tree.this.upper() not in _FAKESNOW_COMMANDS:
        raise Unsupported(statement.text.split("\n")[0][:120])
    if isinstance(tree, _DDL):
        return _run_ddl(session, statement, tree, params)
    return _run_with_fakesnow(session, tree, params)


def describe(session: Session, statement: Statement) -> Result:
    """The result's columns without the rows, for a describe-only request."""
    translation = translate(session, statement, None, describe=True)
    if translation is None:
        return Result.status("", statement_type.statement_type_id(statement.tree))
    if translation.target is not None:
        return _counts(translation, {})
    with session.connection.statement(session) as transaction:
        sql = translation.fill(session, transaction, translation.sql)
        return _fetch(session, f"SELECT * FROM ({sql}) LIMIT 0", None)


def _run_query(session: Session, translation: Translation, params: Params) -> Result:
    with session.connection.statement(session) as transaction:
        return _fetch(session, translation.fill(session, transaction, translation.sql), params)


def _fetch(session: Session, sql: str, params: Params) -> Result:
    relation = session.duck.sql(sql, params=params) if params else session.duck.sql(sql)
    types = _wire_types(zip(relation.columns, relation.types, strict=True))
    return Result(relation.to_arrow_table(), types, statement_type=statement_type.SELECT)


def _wire_types(columns: Iterable[Sequence[Any]]) -> dict[str, str]:
    return {name: kind for name, duck_type, *_ in columns if (kind := _WIRE_TYPES.get(str(duck_type)))}


def _run_dml(session: Session, translation: Translation, params: Params) -> Result:
    if not session.parameters["AUTOCOMMIT"] and session.connection.transaction is None:
        session.begin()
    with session.connection.statement(session) as transaction:
        for name in translation.streams:
            session.connection.lock(name)
        if translation.target is not None and translation.kind is not exp.Insert:
            session.connection.lock(translation.target)
        result = _write(session, transaction, translation, params)
        for name in translation.streams:
            consumption.consume(session, transaction, name)
    return result


def _write(session: Session, transaction: Transaction, translation: Translation, params: Params) -> Result:
    assert translation.target is not None
    tracked = capture.announce_write(session, transaction, translation.target)
    if tracked and translation.touched:
        touched = translation.fill(session, transaction, translation.touched)
        capture.record_before_images(session, transaction, tracked, touched)
    sql = translation.fill(session, transaction, translation.sql)
    if translation.kind is exp.Merge:
        duplicates = translation.fill(session, transaction, translation.duplicates or "")
        return _counts(translation, merge.run(session, sql, duplicates, params))
    count = session.duck.execute(sql, params or None).fetchall()[0][0]
    if translation.kind is exp.TruncateTable:
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
    session.commit_before_ddl()
    follow = table_changes.before(session, tree)
    if isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query):
        result = _create_as(session, tree, params)
    else:
        # Not inside a transaction: comments and stages are written to the account's own file.
        result = _run_with_fakesnow(session, tree, params)
    if follow:
        with session.connection.statement(session) as transaction:
            follow(transaction)
    session.warehouse.streams.version += 1
    return result


def _create_as(session: Session, tree: exp.Create, params: Params) -> Result:
    """CREATE TABLE or VIEW ... AS SELECT."""
    with session.connection.statement(session) as transaction:
        relations.expand_functions(session, tree.expression)
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
        result = _run_with_fakesnow(session, tree, params)
        for name in streams:
            consumption.consume(session, transaction, name)
    return result


def _run_with_fakesnow(session: Session, tree: exp.Expr, params: Params) -> Result:
    """Run a statement through fakesnow's cursor, which keeps the session's database and schema."""
    cursor = FakeSnowflakeCursor(session.fake, session.duck)
    cursor.check_db_and_schema(tree)
    transformed: Any = tree
    for part in cursor._transform_explode(tree):
        transformed = cursor._transform(part, params)
        cursor._execute(transformed, params if transformed.find(exp.Placeholder) else None)
    table: pa.Table = cursor._arrow_table
    upload = transformed.args.get("put_stage_data")
    if upload is not None:
        upload = {**upload, "stage_name": transformed.args["put_stage_name"]}
    types = _wire_types(session.duck.description or [])
    return Result(table, types, cursor.rowcount, statement_type.statement_type_id(tree), upload)


__all__ = ["describe", "run", "to_duckdb"]
