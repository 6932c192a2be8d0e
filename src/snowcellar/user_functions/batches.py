"""One function in one statement: DuckDB gives its arguments batch by batch, a worker has the values."""

from __future__ import annotations

import contextlib
import inspect
import json
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snowcellar.errors import WarehouseError
from snowcellar.procedures import packages, results
from snowcellar.procedures.data_types import SEMI_STRUCTURED, DataType
from snowcellar.procedures.definition import Procedure
from snowcellar.procedures.imports import staged_imports
from snowcellar.procedures.values import decode, encode
from snowcellar.procedures.worker_process import WorkerDied, WorkerProcess
from snowcellar.session import Session

_DUCKDB_TYPES = {
    "FLOAT": "DOUBLE",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_TZ": "TIMESTAMP WITH TIME ZONE",
    "BINARY": "BLOB",
    **dict.fromkeys(SEMI_STRUCTURED, "VARCHAR"),
}

_KNOWN = "SELECT 1 FROM duckdb_functions() WHERE function_name = ?"


class Batches:
    """A function as a statement of a session calls it, until the statement ends."""

    def __init__(self, session: Session, function: Procedure) -> None:
        self.name = f"SNOWCELLAR_FUNCTION_{secrets.token_hex(8)}"
        """What DuckDB knows it by."""
        self._function = function
        self._session = session
        self._imports = session.warehouse.workers.imports.resolve(
            staged_imports(session, function.imports, function.name)
        )
        self._lock = threading.Lock()
        self._lease = contextlib.ExitStack()
        self._worker: WorkerProcess | None = None
        self._cancelled = False
        self._register(session.duck)

    def _register(self, duck: duckdb.DuckDBPyConnection) -> None:
        function = self._function
        assert function.returns is not None
        how: dict[str, Any] = {
            "null_handling": FunctionNullHandling.SPECIAL,
            "side_effects": function.volatility == "VOLATILE",
        }
        parameters: list[Any] = [duckdb_type(argument.type) for argument in function.arguments]
        returns = duckdb_type(function.returns)
        if parameters:
            values = _with_parameters(self._values, len(parameters))
            duck.create_function(self.name, values, parameters, returns, type=PythonUDFType.ARROW, **how)
        else:
            duck.create_function(self.name, self._value, parameters, returns, **how)

        def forget() -> None:
            # One that was made in a transaction which was rolled back is gone with it; to remove it once more
            # would make DuckDB give up the transaction that runs.
            with contextlib.suppress(duckdb.Error):
                if duck.execute(_KNOWN, [self.name]).fetchall():
                    duck.remove_function(self.name)

        self._session.at_end(forget)
        self._session.at_end(self._lease.close)

    def _values(self, *columns: pa.ChunkedArray) -> pa.Array:
        """The function's value for every row of a batch."""
        types = [argument.type for argument in self._function.arguments]
        given = [
            [encode(_to_python(value, type_)) for value in column.to_pylist()]
            for column, type_ in zip(columns, types, strict=True)
        ]
        values = self._ask([list(row) for row in zip(*given, strict=True)])
        assert self._function.returns is not None
        return pa.array(values, self._function.returns.arrow)

    def _value(self) -> Any:
        """The value of a function without arguments, for one row."""
        (value,) = self._ask([[]])
        return value

    def _ask(self, rows: Sequence[list[Any]]) -> list[Any]:
        # DuckDB calls from several threads, a worker does one thing at a time.
        with self._lock:
            try:
                answer = self._lease_worker().call(str(self._function.name), self._message(rows), None)
                if "error" in answer:
                    raise _python_error(self._function, answer["error"])
                return [results.converted(self._function, decode(value)) for value in answer["values"]]
            except WorkerDied as died:
                cancelled = WarehouseError("SQL execution canceled", 604, "57014")
                self._session.failure = cancelled if self._cancelled else died
                raise
            except WarehouseError as error:
                self._session.failure = error
                raise

    def _message(self, rows: Sequence[list[Any]]) -> dict[str, Any]:
        module, _, name = self._function.handler.rpartition(".")
        folder = self._imports.folder
        return {
            "rows": rows,
            "code": self.name,
            "module": module,
            "function": name,
            "body": self._function.body,
            "folder": str(folder) if folder else None,
            "strict": self._function.null_handling.startswith("RETURNS NULL"),
        }

    def _lease_worker(self) -> WorkerProcess:
        """The worker that has all of the statement's batches, so that what a handler keeps lasts as long."""
        if self._worker is None:
            session = self._session
            self._worker = self._lease.enter_context(
                session.warehouse.workers.lease(
                    packages.distributions((packages.SNOWPARK, *self._function.packages)),
                    self._imports,
                    # Others of the statement's functions may hold workers, and wait for this one's values.
                    nested=True,
                    cancelled=lambda: self._cancelled,
                )
            )
            outer, session.on_interrupt = session.on_interrupt, self._cancel
            self._lease.callback(lambda: setattr(session, "on_interrupt", outer))
        return self._worker

    def _cancel(self) -> None:
        """Kill the worker: nothing gentler stops Python code."""
        self._cancelled = True
        if self._worker is not None:
            self._worker.kill()


def duckdb_type(type_: DataType) -> str:
    """The DuckDB type in which values go to a function and come back."""
    if type_.name == "NUMBER":
        return f"DECIMAL({type_.precision},{type_.scale})"
    return _DUCKDB_TYPES.get(type_.name, type_.name)


def _with_parameters(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function of any number of arguments as one of so many: DuckDB counts them."""
    names = [f"a{number}" for number in range(count)]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]

    def call(*arguments: Any) -> Any:
        return function(*arguments)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _to_python(value: Any, type_: DataType) -> Any:
    if value is None:
        return None
    if type_.name == "NUMBER" and type_.scale == 0:
        return int(value)
    if type_.name in SEMI_STRUCTURED:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _python_error(function: Procedure, text: str) -> WarehouseError:
    return WarehouseError(
        f"Python Interpreter Error:\n{text}\n in function {function.name.name} "
        f"with handler {function.handler}",
        100357,
        "P0000",
    )
