"""Asynchronous queries: they run in the background, beside the session that asked, and are fetched later.

Source: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-example#performing-an-asynchronous-query
Deviation: what is no query, DML, COPY or CALL, and what comes in a transaction, in a procedure or beside
temporary tables, has run when the client is given its id.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from sqlglot import exp

from snowcellar.errors import WarehouseError
from snowcellar.history import QueryRecord
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement

log = logging.getLogger(__name__)

_GOES_ASIDE = re.compile(r"(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|COPY|CALL|TRUNCATE)\b|\(", re.IGNORECASE)


class BackgroundSession(Session):
    """One asynchronous statement, with its client's context and a connection of its own."""

    def __init__(self, client: Session) -> None:
        super().__init__(
            client.warehouse,
            client.number,
            client.warehouse.duck.cursor(),
            client.database,
            client.schema,
            user=client.user,
            role=client.role,
        )
        self.of = client
        self.begun: Future[str] = Future()
        """Its query id, once it has one."""
        self.parameters = dict(client.parameters)
        self.secondary_roles, self.token_roles = client.secondary_roles, client.token_roles
        self.temporary_procedures = client.temporary_procedures
        self.temporary_functions = client.temporary_functions
        self.virtual_warehouse, self.client = client.virtual_warehouse, client.client
        self.fake.variables = client.fake.variables
        self.results = client.results
        self.enter()

    def begins(self, record: QueryRecord) -> None:
        """The statement has its query id."""
        if not self.begun.done():
            self.begun.set_result(record.query_id)

    def keep_result(self, query_id: str, result: Result) -> None:
        """The client asks for it, or its RESULT_SCAN does."""
        self.of.keep_result(query_id, result)

    def run(self, sql: str, params: Params) -> None:
        """Run the statement to its end; whoever asks is told by the query history how it went."""
        try:
            self.execute(sql, params)
        except WarehouseError as error:
            log.info("failed: %s", error.message.replace("\n", " "))
        finally:
            if not self.begun.done():
                self.begun.set_exception(WarehouseError("Session no longer exists.", 390111, "08001"))
            self.warehouse.close_session(self)


def goes_aside(session: Session, sql: str) -> bool:
    """Whether a statement may run beside its session."""
    alone = session.connection.transaction is None and session.caller is None and not session.temporary
    commits = bool(session.parameters["AUTOCOMMIT"])
    return alone and commits and Statement(sql).matches(_GOES_ASIDE) is not None


def run_aside(session: Session, sql: str, params: Params) -> str:
    """Run a statement in the background; its query id."""
    background = BackgroundSession(session)
    session.warehouse.register(background)
    threading.Thread(target=background.run, args=(sql, params), daemon=True).start()
    query_id = session.last_query_id = background.begun.result()
    return query_id


def cancel(session: Session, query_id: str) -> bool:
    """Stop a statement of the same user by its query id; whether it was running."""
    for other in session.warehouse.sessions():
        running = other.query
        if other.user == session.user and running is not None and running.query_id == query_id:
            other.interrupt()
            return True
    return False


def _cancel_query(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$CANCEL_QUERY(query id)."""
    if cancel(session, arguments[0]):
        return exp.Literal.string(f"query [{arguments[0]}] terminated.")
    return exp.Literal.string("Identified SQL statement is not currently executing.")


def _cancel_all_queries(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$CANCEL_ALL_QUERIES(session id): those in the background; in its own place it runs this one."""
    number = 0
    for other in session.warehouse.sessions():
        named = other.user == session.user and str(other.number) == arguments[0]
        if named and isinstance(other, BackgroundSession):
            other.interrupt()
            number += 1
    return exp.Literal.string(f"{number} queries cancelled.")


SYSTEM_FUNCTIONS = {"SYSTEM$CANCEL_QUERY": _cancel_query, "SYSTEM$CANCEL_ALL_QUERIES": _cancel_all_queries}
