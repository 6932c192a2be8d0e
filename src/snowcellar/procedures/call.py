"""CALL: run a procedure's handler in a worker, in a scope of the caller's session.

Source: https://docs.snowflake.com/en/sql-reference/sql/call
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from typing import Any

from snowcellar import engine
from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.grants import functions
from snowcellar.grants.executions import may_call
from snowcellar.names import NAME, QualifiedName
from snowcellar.procedures import packages, results
from snowcellar.procedures.arguments import choose, evaluate, to_python, unknown
from snowcellar.procedures.channel import TimedOut
from snowcellar.procedures.definition import Procedure
from snowcellar.procedures.imports import staged_imports
from snowcellar.procedures.pool import MAX_WORKERS
from snowcellar.procedures.scope import ProcedureScope
from snowcellar.procedures.values import decode, encode
from snowcellar.procedures.worker_process import WorkerDied, WorkerProcess
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement

CALL = re.compile(rf"CALL\s+(?P<name>{NAME})\s*\((?P<arguments>.*)\)\Z", re.IGNORECASE | re.DOTALL)


class _NeverBegan(WorkerDied):
    """The worker was dead before the procedure had a session: none of its code has run."""

    def __init__(self, name: str, death: WorkerDied) -> None:
        super().__init__(name, death.how)


class _Running:
    """A CALL under way: what an abort or a closing session has to stop."""

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.cancelled = False

    def cancel(self) -> None:
        """Kill the worker: nothing gentler stops Python code."""
        self.cancelled = True
        if self.worker is not None:
            self.worker.kill()


def call(session: Session, match: re.Match[str], params: Params) -> Result:
    """CALL name(arguments): one row of one column named as the procedure, or the rows of RETURNS TABLE."""
    if match["name"].upper().startswith("SYSTEM$"):
        return _call_system_function(session, match["name"].upper(), match["arguments"], params)
    name = session.qualify(match["name"])
    own = session.temporary_procedures.overloads(name)
    lasting = [each for each in session.warehouse.procedures.overloads(name) if may_call(session, each)]
    types = {each.types for each in own}
    callable_ = [*own, *(each for each in lasting if each.types not in types)]
    if not callable_:
        raise unknown(name, match["name"])
    return call_one_of(session, name, callable_, match["arguments"], params)


def call_one_of(
    session: Session, name: QualifiedName, procedures: Sequence[Procedure], text: str, params: Params
) -> Result:
    """Call the procedure that the arguments, given as text, fit best."""
    given = evaluate(session, text, params)
    procedure = choose(name, procedures, given)
    arguments = to_python(session, procedure, given)
    if procedure.null_handling.startswith("RETURNS NULL") and None in arguments:
        return results.scalar(procedure, None)
    return _run(session, procedure, arguments)


def _call_system_function(session: Session, name: str, arguments: str, params: Params) -> Result:
    given = [str(each.value) for each in evaluate(session, arguments, params)]
    literal = functions.call(session, name, given)
    return engine.run(session, Statement(f'SELECT {literal.sql(dialect="snowflake")} AS "{name}"'), None)


def _run(session: Session, procedure: Procedure, arguments: list[Any]) -> Result:
    if session.warehouse.address is None:
        raise Unsupported("CALL in a warehouse that is not served", "Workers connect to the server's port.")
    session.connection.require_usable()
    workers = session.warehouse.workers
    files = staged_imports(session, procedure.imports, procedure.name)
    running = _Running()
    outer, session.on_interrupt = session.on_interrupt, running.cancel

    def run() -> Result:
        with workers.lease(
            packages.distributions(procedure.packages),
            workers.imports.resolve(files),
            nested=session.caller is not None,
            cancelled=lambda: running.cancelled,
        ) as worker:
            running.worker = worker
            return _run_in_scope(session, procedure, arguments, worker)

    try:
        for _ in range(MAX_WORKERS):
            # An idle worker that was killed just now may not look dead yet: nothing of the call has begun.
            with contextlib.suppress(_NeverBegan):
                return run()
        return run()
    except WarehouseError:
        if running.cancelled:
            raise WarehouseError("SQL execution canceled", 604, "57014") from None
        raise
    finally:
        session.on_interrupt = outer


def _run_in_scope(
    session: Session, procedure: Procedure, arguments: list[Any], worker: WorkerProcess
) -> Result:
    scope = ProcedureScope(session, procedure)
    session.warehouse.register(scope)
    left_open = False
    try:
        answer = _converse(scope, procedure, arguments, worker)
        if "out_of_memory" in answer:
            raise WarehouseError(
                f"Function available memory exhausted: {procedure.name.name} took more than "
                f"{worker.memory_bytes // 1024**2} MB (snowcellar serve --worker-memory).",
                100357,
                "P0000",
            )
        if "error" in answer:
            raise WarehouseError(
                f"Python Interpreter Error:\n{answer['error']}\n in function {procedure.name.name} "
                f"with handler {procedure.handler}",
                100357,
                "P0000",
            )
        result = _result(scope, procedure, answer)
    finally:
        left_open = scope.finish()
    if left_open:
        raise WarehouseError(
            "Stored procedure execution error: Scoped transaction started in stored procedure is incomplete "
            "and it was rolled back.",
            90232,
            "25000",
        )
    return result


def _result(scope: ProcedureScope, procedure: Procedure, answer: dict[str, Any]) -> Result:
    if procedure.returns is not None:
        return results.scalar(procedure, decode(answer["value"]))
    rows = scope.results.get(answer["query_id"]) if answer["query_id"] else None
    return results.tabular(procedure, rows)


def _converse(
    scope: ProcedureScope, procedure: Procedure, arguments: list[Any], worker: WorkerProcess
) -> dict[str, Any]:
    module, _, function = procedure.handler.rpartition(".")
    folder = worker.imports.folder
    message = {
        "module": module,
        "function": function,
        "body": procedure.body,
        "arguments": [encode(argument) for argument in arguments],
        "returns_table": procedure.returns is None,
        "connection": _connection(scope),
        "folder": str(folder) if folder else None,
    }
    seconds = float(scope.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
    try:
        return worker.call(str(procedure.name), message, time.monotonic() + seconds if seconds else None)
    except WorkerDied as error:
        if worker.was_killed or not scope.warehouse.is_offered(scope):
            raise
        raise _NeverBegan(str(procedure.name), error) from error
    except TimedOut as error:
        raise WarehouseError(
            f"Statement reached its statement or warehouse timeout of {seconds:g} second(s) "
            "and was canceled.",
            630,
            "57014",
        ) from error


def _connection(scope: ProcedureScope) -> dict[str, Any]:
    assert scope.warehouse.address is not None
    host, port = scope.warehouse.address
    return {
        "account": scope.warehouse.account,
        "user": scope.user,
        "password": scope.warehouse.offer_scope(scope),
        "host": host,
        "port": port,
        "protocol": "http",
        "database": scope.database,
        "schema": scope.schema,
        "warehouse": scope.virtual_warehouse,
        "role": scope.role,
    }
