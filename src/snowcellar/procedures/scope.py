"""The scope of one CALL: the session in which a procedure's statements run (SEMANTICS 25, 27).

It shares its caller's connection, and so the caller's open transaction. Owner's rights resolve names in the
procedure's schema and leave the caller's session alone; caller's rights are the caller's session.
"""

from __future__ import annotations

import contextlib
import functools
import re

import duckdb

from snowcellar.errors import WarehouseError
from snowcellar.grants.executions import procedure_owner
from snowcellar.names import QualifiedName
from snowcellar.procedures.definition import CALLER, Procedure
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.streams import capture
from snowcellar.transactions import Connection

MAX_DEPTH = 8
"""How deep procedures may call procedures."""

_OWNER_REFUSES = (
    (re.compile(r"ALTER\s+SESSION\b", re.IGNORECASE), "ALTER_SESSION"),
    (re.compile(r"USE\s", re.IGNORECASE), "USE"),
    (re.compile(r"(?:SET|UNSET)\s", re.IGNORECASE), "SET"),
)
_TEMPORARY = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?TEMP(?:ORARY)?\s+(?P<kind>TABLE|VIEW|STAGE)\b(?!.{0,200}\bSNOWPARK_TEMP_)",
    re.IGNORECASE | re.DOTALL,
)
"""Named temporary objects: those that Snowpark makes for itself have names of their own."""
_MOVES_FILES = re.compile(r"(?P<kind>PUT|GET)\s", re.IGNORECASE)
_SETS_AUTOCOMMIT = re.compile(r"ALTER\s+SESSION\s+(?:UN)?SET\b.*\bAUTOCOMMIT\b", re.IGNORECASE | re.DOTALL)


class ProcedureScope(Session):
    """A session within its caller's session, for as long as one CALL runs."""

    def __init__(self, caller: Session, procedure: Procedure) -> None:
        self.procedure = procedure
        self.depth: int = getattr(caller, "depth", 0) + 1
        if self.depth > MAX_DEPTH:
            raise WarehouseError(
                "Stored procedure execution error: procedures call each other more than "
                f"{MAX_DEPTH} levels deep.",
                90233,
                "54001",
            )
        self._callers_rights = procedure.execute_as == CALLER
        context: Session | QualifiedName = caller if self._callers_rights else procedure.name
        super().__init__(
            caller.warehouse,
            caller.number,
            caller.duck,
            context.database,
            context.schema,
            user=caller.user,
            role=caller.role if self._callers_rights else procedure_owner(caller.warehouse, procedure),
            caller=caller,
        )
        if not self._callers_rights:
            self.secondary_roles, self.executes_as_role = (), True
        self._callers_connection = caller.connection
        if self._callers_rights:
            self.parameters = caller.parameters
            self.fake.variables = caller.fake.variables

    def execute(self, sql: str, params: Params = None) -> Result:
        """Run one statement of the procedure."""
        with self._lock:
            self._refuse(Statement(sql).text, sql)
            try:
                return super().execute(sql, params)
            finally:
                if self.connection.transaction is None:
                    self._leave_autonomous_transaction()

    def _refuse(self, text: str, sql: str) -> None:
        """text: the statement without the words that change nothing, among them SCOPED."""
        if _SETS_AUTOCOMMIT.match(text):
            raise WarehouseError(
                "Stored procedure execution error: AUTOCOMMIT cannot be set inside a stored procedure.",
                90236,
                "42601",
            )
        if match := _MOVES_FILES.match(text):
            raise _unsupported(f"{match['kind'].upper()}_FILES")
        if self._callers_rights:
            return
        if match := _TEMPORARY.match(sql):
            raise _unsupported(f"TEMPORARY_{match['kind'].upper()}")
        for pattern, kind in _OWNER_REFUSES:
            if pattern.match(text):
                raise _unsupported(kind)

    def begin(self) -> None:
        """Open a transaction of the procedure's own: an autonomous one when the caller has one open."""
        transaction = self.connection.transaction
        if transaction is not None and transaction.scope is not self:
            self.connection = Connection(
                self.warehouse.duck.cursor(),
                self.warehouse.locks,
                functools.partial(capture.tell_streams, self.warehouse),
            )
            self.enter()
        super().begin()

    def _leave_autonomous_transaction(self) -> None:
        if self.connection is not self._callers_connection:
            self.connection.duck.close()
            self.connection = self._callers_connection

    def finish(self) -> bool:
        """End the scope: roll back what it left open, give the caller its context back.

        Whether something had been left open.
        """
        self._closed = True
        self._stop_statement()
        try:
            transaction = self.connection.transaction
            left_open = transaction is not None and transaction.scope is self
            if left_open:
                self.connection.abandon()
            self._leave_autonomous_transaction()
        finally:
            self._lock.release()
        self.warehouse.close_session(self)
        self._return_to_caller()
        return left_open

    def _stop_statement(self) -> None:
        """Take the lock, interrupting what a dead worker left running."""
        while not self._lock.acquire(timeout=0.05):
            self.interrupt()

    def _return_to_caller(self) -> None:
        assert self.caller is not None
        if self._callers_rights:
            self.caller.fake.database, self.caller.fake._schema = self.fake.database, self.fake._schema
            self.caller.fake.database_set, self.caller.fake.schema_set = (
                self.fake.database_set,
                self.fake.schema_set,
            )
            self.caller.virtual_warehouse, self.caller.role = self.virtual_warehouse, self.role
            self.caller.secondary_roles = self.secondary_roles
        # In a transaction that DuckDB has given up, the ROLLBACK that follows will do it.
        with contextlib.suppress(duckdb.Error):
            self.caller.enter()


def _unsupported(kind: str) -> WarehouseError:
    return WarehouseError(
        f"Stored procedure execution error: Unsupported statement type '{kind}'.", 90236, "42601"
    )
