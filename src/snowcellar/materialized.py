"""The rows of a query, held for statements that read them more than once or write to what they come from."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import duckdb
from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.names import QualifiedName, quote
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.streams import consumption
from snowcellar.transactions import Transaction
from snowcellar.translation import translate


@contextlib.contextmanager
def rows_of(session: Session, transaction: Transaction, query: exp.Expr, params: Params) -> Iterator[str]:
    """The name of a temporary table with the rows of a query, within a transaction; its streams are consumed.

    It must have been authorized: `session.describe` does so.
    """
    statement = Statement(query.sql(dialect="snowflake"))
    translation = translate(session, statement, params)
    if translation is None:
        raise CompilationError(f"syntax error: unexpected '{statement.text[:40]}'.")
    for name in translation.streams:
        session.connection.lock(name)
    sql = translation.fill(session, transaction, translation.sql)
    held = f"SNOWCELLAR$ROWS_{secrets.token_hex(8)}"
    session.duck.execute(f"CREATE TEMP TABLE {quote(held)} AS {sql.text}", sql.values(params))
    # The statements that read it are ours, and find it as they find a temporary table of the session.
    known = QualifiedName(session.database or "", session.schema or "", held)
    session.temporary.add(known)
    try:
        yield quote(held)
        for name in translation.streams:
            consumption.consume(session, transaction, name)
    finally:
        session.temporary.discard(known)
        # A transaction that DuckDB has given up takes it along.
        with contextlib.suppress(duckdb.Error):
            session.duck.execute(f"DROP TABLE IF EXISTS temp.main.{quote(held)}")
