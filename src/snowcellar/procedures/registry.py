"""Which procedures, or functions, there are: in memory, and in a table of their database's file for good."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from snowcellar.errors import ObjectNotFound
from snowcellar.names import QualifiedName
from snowcellar.procedures.definition import Procedure, from_json

if TYPE_CHECKING:
    import duckdb

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_procedures (
    procedure_schema VARCHAR NOT NULL, procedure_name VARCHAR NOT NULL, argument_types VARCHAR NOT NULL,
    definition VARCHAR NOT NULL, owner VARCHAR NOT NULL, created_on TIMESTAMPTZ NOT NULL
);
"""


class ProcedureRegistry:
    """The procedures or functions of a warehouse, or a session's temporary ones, by name and types."""

    def __init__(self, kind: str = "Procedure", table: str = "sc_procedures") -> None:
        """table: where those of a warehouse are kept."""
        self._kind = kind
        self._table = table
        self.lock = threading.RLock()
        self._overloads: dict[QualifiedName, dict[tuple[str, ...], Procedure]] = {}

    def load(self, duck: duckdb.DuckDBPyConnection, database: str, meta: str) -> None:
        """Read a database's procedures from its metadata."""
        self.forget(database)
        query = (
            "SELECT procedure_schema, procedure_name, definition, owner, created_on "
            f"FROM {meta}.{self._table} ORDER BY created_on"
        )
        for schema, name, definition, owner, created_on in duck.execute(query).fetchall():
            self.add(from_json(QualifiedName(database, schema, name), definition, owner, created_on))

    def forget(self, database: str) -> None:
        """Drop a database's procedures from memory."""
        with self.lock:
            self._overloads = {
                name: rest for name, rest in self._overloads.items() if name.database != database
            }

    def add(self, procedure: Procedure) -> None:
        """Know a procedure, instead of the one with its name and types if there is one."""
        with self.lock:
            self._overloads.setdefault(procedure.name, {})[procedure.types] = procedure

    def overloads(self, name: QualifiedName) -> list[Procedure]:
        """The procedures of a name."""
        with self.lock:
            return list(self._overloads.get(name, {}).values())

    def find(self, name: QualifiedName, types: tuple[str, ...]) -> Procedure:
        """The procedure with exactly these argument types."""
        with self.lock:
            found = self._overloads.get(name, {}).get(types)
        if found is None:
            raise ObjectNotFound(self._kind, f"{name}({', '.join(types)})")
        return found

    def all(self) -> list[Procedure]:
        """Every procedure, in order of name."""
        with self.lock:
            return sorted(
                (procedure for rest in self._overloads.values() for procedure in rest.values()),
                key=lambda procedure: (procedure.name, procedure.types),
            )

    def save(self, duck: duckdb.DuckDBPyConnection, meta: str, procedure: Procedure) -> None:
        """Keep a procedure, instead of the one with its name and types if there is one."""
        with self.lock:
            duck.execute("BEGIN")
            self._delete_row(duck, meta, procedure)
            duck.execute(
                f"INSERT INTO {meta}.{self._table} VALUES (?, ?, ?, ?, ?, ?)",
                [
                    procedure.name.schema,
                    procedure.name.name,
                    ", ".join(procedure.types),
                    procedure.to_json(),
                    procedure.owner,
                    procedure.created_on,
                ],
            )
            duck.execute("COMMIT")
            self.add(procedure)

    def remove(self, procedure: Procedure) -> None:
        """Forget a procedure that is kept nowhere."""
        with self.lock:
            self._overloads.get(procedure.name, {}).pop(procedure.types, None)

    def drop(self, duck: duckdb.DuckDBPyConnection, meta: str, procedure: Procedure) -> None:
        """Forget a procedure for good."""
        with self.lock:
            self._delete_row(duck, meta, procedure)
            self._overloads[procedure.name].pop(procedure.types, None)

    def drop_schema(self, duck: duckdb.DuckDBPyConnection, meta: str, database: str, schema: str) -> None:
        """Forget the procedures of a schema for good."""
        with self.lock:
            gone = [name for name in self._overloads if (name.database, name.schema) == (database, schema)]
            if gone:
                duck.execute(f"DELETE FROM {meta}.{self._table} WHERE procedure_schema = ?", [schema])
            for name in gone:
                del self._overloads[name]

    def _delete_row(self, duck: duckdb.DuckDBPyConnection, meta: str, procedure: Procedure) -> None:
        duck.execute(
            f"DELETE FROM {meta}.{self._table} "
            "WHERE procedure_schema = ? AND procedure_name = ? AND argument_types = ?",
            [procedure.name.schema, procedure.name.name, ", ".join(procedure.types)],
        )
