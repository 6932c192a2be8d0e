"""The rows of a query, held for statements that read them more than once or write to what they come from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import duckdb

from snowcellar.errors import CompilationError
from snowcellar.grants import authorization
from snowcellar.names import QualifiedName, quote
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.streams import consumption
from snowcellar.transactions import Transaction
from snowcellar.translation import Translation, translate

_HELD = "SNOWCELLAR$ROWS_"


@contextlib.contextmanager
def rows_of(session: Session, transaction: Transaction, query: str, params: Params) -> Iterator[str]:
    """The name of a temporary table with the rows of a query, within a transaction; its streams are consumed.

    The name is the same each time, so that the translations of what reads it are found again.
    """
    authorization.authorize(session, Statement(query), params, lambda: Result.status(""))
    translation = _translated(session, query, params)
    for name in translation.streams:
        session.connection.lock(name, float(session.parameters["LOCK_TIMEOUT"]))
    if translation.streams and session.connection.look_again():
        translation = _translated(session, query, params)
    sql = translation.fill(session, transaction, translation.sql)
    depth = sum(name.name.startswith(_HELD) for name in session.temporary)
    # A session without a schema reads it too.
    known = QualifiedName(session.database or "MEMORY", session.schema or "PUBLIC", f"{_HELD}{depth}")
    session.duck.execute(f"CREATE TEMP TABLE {quote(known.name)} AS {sql.text}", sql.values(params))
    # The statements that read it are ours, and find it as they find a temporary table of the session.
    session.temporary.add(known)
    around, transaction.holds_rows = transaction.holds_rows, True
    try:
        yield ".".join(map(quote, (known.database, known.schema, known.name)))
        for name in translation.streams:
            consumption.consume(session, transaction, name)
    finally:
        transaction.holds_rows = around
        session.temporary.discard(known)
        # A transaction that DuckDB has given up takes it along.
        with contextlib.suppress(duckdb.Error):
            session.duck.execute(f"DROP TABLE IF EXISTS temp.main.{quote(known.name)}")


def _translated(session: Session, query: str, params: Params) -> Translation:
    translation = translate(session, Statement(query), params)
    if translation is None:
        raise CompilationError(f"syntax error: unexpected '{query[:40]}'.")
    return translation
