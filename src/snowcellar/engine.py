"""The SQL engine: runs a statement's tree on DuckDB through fakesnow's rewrites.

Queries and DML run here, inside a transaction of the session; everything else (USE, DESCRIBE, CREATE
TABLE, PUT, ...) runs through fakesnow's cursor.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from fakesnow import statement_type
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from snowcellar import merge, relations, rewrites
from snowcellar.errors import Unsupported
from snowcellar.names import QualifiedName
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.streams import capture, consumption, table_changes
from snowcellar.streams.registry import TrackedTable, table_columns
from snowcellar.transactions import Transaction

_DDL = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_COUNT_COLUMNS: dict[type[exp.Expression], tuple[str, ...]] = {
    exp.Insert: ("number of rows inserted",),
    exp.Update: ("number of rows updated", "number of multi-joined rows updated"),
    exp.Delete: ("number of rows deleted",),
}

_CREATE_OR_ALTER = re.compile(r"CREATE\s+OR\s+ALTER\b", re.IGNORECASE)


def run(session: Session, statement: Statement, params: Params) -> Result:
    """Run one statement that no feature has claimed."""
    tree = statement.tree
    if isinstance(tree, exp.Query | exp.DML):
        FakeSnowflakeCursor(session.fake, session.duck).check_db_and_schema(tree)
    if isinstance(tree, exp.Query):
        return _run_query(session, tree, params)
    if isinstance(tree, _DML):
        return _run_dml(session, tree, params)
    if isinstance(tree, exp.Command) and tree.this.upper() not in (
        "PUT",
        "GET",
        "LIST",
        "LS",
        "SET",
        "UNSET",
        "ALTER",
    ):
        raise Unsupported(statement.text.split("\n")[0][:120])
    if isinstance(tree, _DDL):
        return _run_ddl(session, statement, tree, params)
    return run_with_fakesnow(session, tree, params)


def _run_ddl(session: Session, statement: Statement, tree: exp.Expression, params: Params) -> Result:
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
        result = run_with_fakesnow(session, tree, params)
    if follow:
        with session.connection.statement(session) as transaction:
            follow(transaction)
    return result


def _create_as(session: Session, tree: exp.Create, params: Params) -> Result:
    """CREATE TABLE or VIEW ... AS SELECT."""
    streams = relations.streams_read(session, tree)
    if streams and tree.kind != "TABLE":
        raise Unsupported(f"a view on stream {streams[0]}")
    with session.connection.statement(session) as transaction:
        tree.set("expression", relations.expand(session, tree.expression, transaction))
        result = run_with_fakesnow(session, tree, params)
        for name in streams:
            consumption.consume(session, transaction, name)
    return result


def to_duckdb(session: Session, tree: exp.Expression, params: Params) -> str:
    """The DuckDB text of a tree, after fakesnow's rewrites."""
    cursor = FakeSnowflakeCursor(session.fake, session.duck)
    return cursor._transform(rewrites.apply(session, tree), params).sql(dialect="duckdb")


def describe(session: Session, statement: Statement) -> Result:
    """The result's columns without the rows, for a describe-only request."""
    tree = statement.tree
    if isinstance(tree, _DML):
        return Result(_counts(tree, 0), statement_type=statement_type.statement_type_id(tree))
    if not isinstance(tree, exp.Query):
        return Result.status("", statement_type.statement_type_id(tree))
    tree = tree.transform(lambda node: exp.Null() if isinstance(node, exp.Placeholder) else node)
    with session.connection.statement(session) as transaction:
        sql = to_duckdb(session, relations.expand(session, tree, transaction), None)
        return _fetch(session, f"SELECT * FROM ({sql}) LIMIT 0", None, statement_type.SELECT)


def _run_query(session: Session, tree: exp.Expression, params: Params) -> Result:
    with session.connection.statement(session) as transaction:
        sql = to_duckdb(session, relations.expand(session, tree, transaction), params)
        return _fetch(session, sql, params, statement_type.SELECT)


def _fetch(session: Session, sql: str, params: Params, type_id: int) -> Result:
    relation = session.duck.sql(sql, params=params) if params else session.duck.sql(sql)
    types = {
        name: kind
        for name, duck_type in zip(relation.columns, relation.types, strict=True)
        if (kind := _WIRE_TYPES.get(str(duck_type)))
    }
    return Result(relation.to_arrow_table(), types, statement_type=type_id)


_WIRE_TYPES = {"JSON": "variant", "TIMESTAMP WITH TIME ZONE": "timestamp_ltz", "TIMESTAMPTZ": "timestamp_ltz"}


def _run_dml(session: Session, tree: exp.Expression, params: Params) -> Result:
    target_table = relations.dml_target(tree)
    target = relations.table_name(session, target_table) if target_table is not None else None
    streams = relations.streams_read(session, tree)
    if not session.parameters["AUTOCOMMIT"] and session.connection.transaction is None:
        session.connection.begin(session, explicit=True)
    with session.connection.statement(session) as transaction:
        for name in streams:
            session.connection.lock(name)
        if target is not None and not isinstance(tree, exp.Insert):
            session.connection.lock(target)
        tracked = capture.announce_write(session, transaction, target) if target else None
        result = _write(session, transaction, tree, params, tracked)
        for name in streams:
            consumption.consume(session, transaction, name)
    return result


def _write(
    session: Session,
    transaction: Transaction,
    tree: exp.Expression,
    params: Params,
    tracked: TrackedTable | None,
) -> Result:
    type_id = statement_type.statement_type_id(tree)
    if isinstance(tree, exp.Insert):
        if tree.args.get("overwrite"):
            raise Unsupported("INSERT OVERWRITE", "Use TRUNCATE TABLE and INSERT in one transaction.")
        _name_insert_columns(session, tree)
    tree = relations.expand(session, tree, transaction)
    if isinstance(tree, exp.Merge):
        return merge.run(session, transaction, tree, params, tracked)
    if tracked and not isinstance(tree, exp.Insert):
        touched = to_duckdb(session, _touched_rows(tree, tracked.name), params)
        capture.record_before_images(session, transaction, tracked, touched.removeprefix("SELECT * "))
    if isinstance(tree, exp.TruncateTable):
        tree = exp.delete(tree.expressions[0])
        session.duck.execute(to_duckdb(session, tree, params), params or None)
        return Result.status("Statement executed successfully.", type_id)
    count = session.duck.execute(to_duckdb(session, tree, params), params or None).fetchall()[0][0]
    return Result(_counts(tree, count), rows_affected=count, statement_type=type_id)


def _touched_rows(tree: exp.Expression, table: QualifiedName) -> exp.Expression:
    """SELECT * over the rows of its target that an UPDATE, DELETE or TRUNCATE touches."""
    if isinstance(tree, exp.TruncateTable):
        return exp.select("*").from_(tree.expressions[0].copy())
    where = tree.args.get("where")
    others = list(tree.args.get("using") or [])
    if isinstance(tree, exp.Update) and (from_ := tree.args.get("from_")):
        others.append(from_.this)
    if others:
        # More rows than the statement will change do no harm: a stream shows the net change.
        return exp.select("*").from_(exp.table_(table.name, table.schema, table.database, quoted=True))
    query = exp.select("*").from_(tree.this.copy())
    return query.where(where.this.copy()) if where else query


def _name_insert_columns(session: Session, tree: exp.Insert) -> None:
    """Name the columns of an INSERT that names none, so that hidden columns are left to their defaults."""
    if isinstance(tree.this, exp.Schema) or not isinstance(tree.this, exp.Table):
        return
    name = relations.table_name(session, tree.this)
    if name in session.warehouse.streams.tables:
        columns = [exp.to_identifier(column, quoted=True) for column, _ in table_columns(session.duck, name)]
        tree.set("this", exp.Schema(this=tree.this, expressions=columns))


def _counts(tree: exp.Expression, count: int) -> pa.Table:
    names = (
        merge.count_columns(tree)
        if isinstance(tree, exp.Merge)
        else _COUNT_COLUMNS.get(type(tree), ("status",))
    )
    return pa.table({name: pa.array([count if i == 0 else 0], pa.int64()) for i, name in enumerate(names)})


def run_with_fakesnow(session: Session, tree: exp.Expression, params: Params) -> Result:
    """Run a statement through fakesnow's cursor, which keeps the session's database and schema."""
    type_id = statement_type.statement_type_id(tree)
    cursor = FakeSnowflakeCursor(session.fake, session.duck)
    cursor.check_db_and_schema(tree)
    transformed: Any = tree
    for part in cursor._transform_explode(tree):
        transformed = cursor._transform(part, params)
        cursor._execute(transformed, params if transformed.find(exp.Placeholder) else None)
    table = cursor._arrow_table
    assert table is not None
    types = {
        name: kind
        for name, duck_type, *_ in session.duck.description or []
        if (kind := _WIRE_TYPES.get(str(duck_type)))
    }
    upload = transformed.args.get("put_stage_data")
    if upload is not None:
        upload = {**upload, "stage_name": transformed.args["put_stage_name"]}
    return Result(table, types, cursor.rowcount, type_id, upload)
