"""A session: a client's context (database, schema, role, parameters) and the door for its statements."""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import duckdb
import pyarrow as pa
from fakesnow.conn import FakeSnowflakeConnection

from snowcellar import features, statement_timeout, variables
from snowcellar.binds import Params as Params
from snowcellar.errors import DatabaseLost, Unsupported, WarehouseError, as_warehouse_error
from snowcellar.history import KEPT_CHARACTERS, QueryRecord
from snowcellar.names import QualifiedName, literal, qualify, quote
from snowcellar.procedures.registry import ProcedureRegistry
from snowcellar.redaction import redacted, redacted_error
from snowcellar.resent import AnsweredRequests
from snowcellar.result import Result
from snowcellar.statement import Statement
from snowcellar.streams import capture
from snowcellar.transactions import Connection, Transaction

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

STATEMENT_TAG: ContextVar[str | None] = ContextVar("STATEMENT_TAG", default=None)
"""The QUERY_TAG that a client sends along with one statement."""
_LITERAL_OR_COMMENT = re.compile(r"('(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/)", re.DOTALL)

DEFAULT_PARAMETERS: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "TIMEZONE": "America/Los_Angeles",
    "QUERY_TAG": "",
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "LOCK_TIMEOUT": 600,
    "WEEK_START": 0,
    "WEEK_OF_YEAR_POLICY": 0,
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
}

_WEEKS = ("WEEK_START", "WEEK_OF_YEAR_POLICY")


class Session:
    """One client's session, or the scope of a procedure within its caller's session.

    Statements of a session run one after another. A procedure's scope shares the caller's connection and
    transaction and has its own database and schema.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        number: int,
        duck: duckdb.DuckDBPyConnection,
        database: str | None = None,
        schema: str | None = None,
        *,
        user: str = "LOCAL",
        role: str = "ACCOUNTADMIN",
        caller: Session | None = None,
    ) -> None:
        self.warehouse: Warehouse = warehouse
        self.number: int = number
        self.token = secrets.token_urlsafe(32)
        self.user: str = user
        self.role: str = role
        self.secondary_roles: tuple[str, ...] = caller.secondary_roles if caller else ()
        """Roles by name, or ("ALL",): what may be done besides with the primary role, but for CREATE."""
        self.temporary: set[QualifiedName] = caller.temporary if caller else set()
        """The temporary tables and views, which are its own: no grants are on them."""
        self.temporary_procedures: ProcedureRegistry = (
            caller.temporary_procedures if caller else ProcedureRegistry()
        )
        self.temporary_functions: ProcedureRegistry = (
            caller.temporary_functions if caller else ProcedureRegistry("Function")
        )
        self.token_roles: frozenset[str] | None = caller.token_roles if caller else None
        """The roles that the OAuth token of the login is good for; None for any other login."""
        self.executes_as_role: bool = caller.executes_as_role if caller else False
        """Whether it acts for an object's owner, a role, and not for its user: no other role may be taken."""
        self.virtual_warehouse: str | None = caller.virtual_warehouse if caller else None
        self.caller = caller
        self.client = ""
        """What the client calls itself, once it has logged in: some read rows in another form."""
        self.parameters: dict[str, Any] = dict(caller.parameters if caller else DEFAULT_PARAMETERS)
        self.connection: Connection = (
            caller.connection
            if caller
            else Connection(
                duck,
                warehouse.locks,
                functools.partial(capture.tell_streams, warehouse),
                self._end_if_abandoned,
            )
        )
        self.query: QueryRecord | None = None
        self.last_query_id: str | None = None
        self.results: dict[str, Result] = {}
        self._results_lock = threading.Lock()
        self.answered = AnsweredRequests()
        self.task_run: Any = caller.task_run if caller else None
        """The task run that this session executes, if any: set by the task scheduler."""
        self.on_interrupt: Callable[[], None] | None = None
        """Stops what runs outside DuckDB for this session's statement: the worker of a procedure."""
        self._lock = threading.RLock()
        self._closed = False
        self._at_end: list[Callable[[], object]] = []
        self.failure: WarehouseError | None = None
        """Why the statement that runs fails, where DuckDB would tell it in words of its own."""
        self.fake = FakeSnowflakeConnection(self.duck, {}, create_database=False, create_schema=False)
        self.use(database, schema)

    @property
    def duck(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection, inside the session's open transaction if there is one."""
        return self.connection.duck

    @property
    def database(self) -> str | None:
        """The current database, folded."""
        return self.fake.database

    @property
    def schema(self) -> str | None:
        """The current schema, folded."""
        return self.fake.schema

    def use(self, database: str | None, schema: str | None) -> None:
        """Make a database and a schema current; what does not exist is left out, as at a login."""
        known = self._existing(database, schema)
        self.fake.database, self.fake._schema = known
        self.fake.database_set, self.fake.schema_set = known[0] is not None, known[1] is not None
        self.enter()

    def enter(self) -> None:
        """Point the DuckDB connection at this session's database, schema and time zone."""
        self._enter(self.duck)

    def _enter(self, duck: duckdb.DuckDBPyConnection) -> None:
        path = (
            f"{quote(self.database)}.{quote(self.fake._schema or 'main')}" if self.database else "memory.main"
        )
        duck.execute(f"SET schema = {literal(path)}")
        duck.execute(f"SET TimeZone = {literal(str(self.parameters['TIMEZONE']))}")

    @contextlib.contextmanager
    def aside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with this session's current schema, outside its transaction."""
        with self.warehouse.cursor() as duck:
            self._enter(duck)
            yield duck

    def _existing(self, database: str | None, schema: str | None) -> tuple[str | None, str | None]:
        if database is None or database not in self.warehouse.databases():
            return None, None
        # Not on the session's own connection: its current database may have been dropped.
        with self.warehouse.cursor() as duck:
            rows = duck.execute(
                "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
                [database, schema],
            ).fetchall()
        return database, schema if rows else None

    def qualify(self, name: str) -> QualifiedName:
        """The full name of an object that a statement of this session names."""
        return qualify(name, self.database, self.schema)

    def set_parameter(self, name: str, value: Any) -> None:
        """Set a session parameter; parameters that nothing here reads are kept and answered back."""
        key = name.upper()
        if key == "TIMEZONE" and str(value) not in available_timezones():
            raise WarehouseError(
                f"SQL compilation error:\ninvalid value [{value}] for parameter '{key}'", 1006, "22023"
            )
        if key in _WEEKS and str(value) != "0":
            raise Unsupported(
                f"{key} = {value}", "Weeks are those of ISO, from Monday on, as they are with 0."
            )
        if isinstance(DEFAULT_PARAMETERS.get(key), bool) and isinstance(value, str):
            value = value.lower() == "true"
        self.parameters[key] = value
        if key == "TIMEZONE":
            self.enter()

    def begin(self) -> None:
        """Open an explicit transaction; ignored within one."""
        if self.connection.transaction is None:
            self.warehouse.streams.began(self.connection.begin(self, explicit=True))

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        """The transaction of a DML statement: one of its own, unless one is open or AUTOCOMMIT is off."""
        if not self.parameters["AUTOCOMMIT"] and self.connection.transaction is None:
            self.begin()
        with self.connection.statement(self) as transaction:
            yield transaction

    def commit_before_ddl(self) -> None:
        """DDL commits the open transaction, then runs in its own (SEMANTICS 24)."""
        self.connection.commit(self)

    def execute(self, sql: str, params: Params = None) -> Result:
        """Run one statement and answer with its result; failures are WarehouseErrors."""
        return self._run(sql, lambda statement: features.run(self, statement, params))

    def execute_batch(self, sql: str, rows: Sequence[Params]) -> Result:
        """Run one DML statement for every row of an array binding: all of them or none."""

        def run(statement: Statement) -> Result:
            if not re.match(r"(?:INSERT|UPDATE|DELETE|MERGE)\s", statement.text, re.IGNORECASE):
                raise Unsupported("array binding in anything but INSERT, UPDATE, DELETE or MERGE")
            if not rows:
                raise Unsupported("array binding without a row")
            with self.connection.statement(self):
                results = [features.run(self, statement, row) for row in rows]
            total = sum(result.rows_affected or 0 for result in results)
            table = pa.table({results[0].table.column_names[0]: pa.array([total], pa.int64())})
            return Result(table, rows_affected=total, statement_type=results[0].statement_type)

        return self._run(sql, run)

    def describe(self, sql: str) -> Result:
        """The columns that a statement would answer with, without running it."""
        return self._run(sql, lambda statement: features.describe(self, statement), describe_only=True)

    def _run(self, sql: str, run: Callable[[Statement], Result], *, describe_only: bool = False) -> Result:
        """Run a statement, one at a time, and record it in the query history."""
        with self._lock:
            if self._closed:
                raise WarehouseError("Session no longer exists. New login required.", 390111, "08001")
            if self.task_run is not None:
                self.task_run.require_running()
            parent = self.caller.query.query_id if self.caller and self.caller.query else None
            record = self.warehouse.history.begin(
                redacted(sql[:KEPT_CHARACTERS]),
                self.database,
                self.schema,
                self.number,
                self.user,
                parent,
                role=self.role,
                warehouse=self.virtual_warehouse,
                tag=str(STATEMENT_TAG.get() or self.parameters["QUERY_TAG"]),
                describe_only=describe_only,
            )
            outer, self.query = self.query, record
            self.begins(record)
            outer_at_end, self._at_end = self._at_end, []
            self.failure = None
            self.connection.interrupted.clear()
            try:
                # From here on an error may show what a variable held.
                sql = self._inline_variables(sql)
                self.connection.look_again()
                with statement_timeout.limit(self):
                    result = run(Statement(sql))
                record.rows = result.table.num_rows
                self.keep_result(record.query_id, result)
                return result
            except Exception as error:
                told = self.failure or as_warehouse_error(error, redacted(sql))
                failure = redacted_error(told, sql)
                self.connection.note_failure(failure.message)
                record.error_code, record.error_message = failure.errno, failure.message
                if isinstance(failure, DatabaseLost):
                    self.warehouse.lost(failure)
                raise failure from (error if failure is told else None)
            finally:
                record.ended = datetime.now(UTC)
                self.query = outer
                self.last_query_id = record.query_id
                for end in self._at_end:
                    end()
                self._at_end = outer_at_end

    def register(self, table: pa.Table) -> str:
        """Let the statement that runs read an Arrow table; the name that it has for DuckDB."""
        name = f"SNOWCELLAR$ROWS_{secrets.token_hex(8)}"
        self.duck.register(name, table)

        def forget() -> None:
            # In a transaction that DuckDB has given up nothing can be dropped; it goes with the rollback.
            with contextlib.suppress(duckdb.Error):
                self.duck.unregister(name)

        self.at_end(forget)
        return name

    def at_end(self, action: Callable[[], object]) -> None:
        """Have something done when the statement that runs has ended, well or not."""
        self._at_end.append(action)

    def _inline_variables(self, sql: str) -> str:
        """The statement with $name replaced by the session variable's value, except in literals."""
        if "$" not in sql:
            return sql
        parts = _LITERAL_OR_COMMENT.split(sql)
        parts[::2] = [variables.inline(self.fake.variables._variables, part) for part in parts[::2]]
        return "".join(parts)

    def begins(self, record: QueryRecord) -> None:
        """A statement begins: for who has to know its query id before it ends."""

    def keep_result(self, query_id: str, result: Result) -> None:
        """Keep the newest results, for RESULT_SCAN and for clients that fetch by query id."""
        with self._results_lock:
            self.results[query_id] = result
            while len(self.results) > 1 and (
                len(self.results) > KEPT_RESULTS
                or sum(kept.table.nbytes for kept in self.results.values()) > KEPT_BYTES
            ):
                del self.results[next(iter(self.results))]

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does."""
        self.connection.interrupted.set()
        if self.on_interrupt is not None:
            self.on_interrupt()
        self.duck.interrupt()

    def _end_if_abandoned(self) -> None:
        """Close the session if its client has vanished and none of its statements runs.

        The system closes the connections of a killed client at once, but a transaction that it left open
        would hold its locks for ever.
        """
        if self.warehouse.has_client(self) or not self._lock.acquire(blocking=False):
            return
        try:
            self.warehouse.close_session(self)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Take no more statements and stop the one that runs."""
        self._closed = True
        self.interrupt()

    def close(self) -> None:
        """Roll back what is open and close the connection; a procedure's scope leaves its caller's alone."""
        self._closed = True
        if self.caller is not None:
            return
        # Closing does not wait for a statement that still runs: it is interrupted, again and again because
        # an interrupt between two queries of DuckDB reaches neither.
        while not self._lock.acquire(timeout=0.05):
            self.interrupt()
        try:
            self.connection.abandon()
            self.duck.close()
        finally:
            self._lock.release()


KEPT_RESULTS = 20
KEPT_BYTES = 64 * 1024 * 1024
