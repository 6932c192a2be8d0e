"""CREATE, DROP, DESCRIBE and SHOW PROCEDURE, and CALL.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-procedure, .../drop-procedure,
.../desc-procedure, .../show-procedures
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fakesnow import statement_type

from snowcellar import show
from snowcellar.errors import CompilationError, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.grants.key import callable_key
from snowcellar.grants.rights import rights_of
from snowcellar.names import NAME
from snowcellar.procedures import grammar, packages
from snowcellar.procedures.call import CALL, call
from snowcellar.procedures.data_types import DataType
from snowcellar.procedures.definition import OWNER, Procedure
from snowcellar.procedures.imports import staged_imports
from snowcellar.procedures.registry import CATALOG_DDL, ProcedureRegistry
from snowcellar.result import Result
from snowcellar.session import Session

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

_CREATE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:SECURE\s+)?PROCEDURE\s", re.IGNORECASE
)
_SIGNATURE = rf"(?P<name>{NAME})\s*\((?P<types>.*)\)"
_DROP = re.compile(
    rf"DROP\s+PROCEDURE\s+(?P<exists>IF\s+EXISTS\s+)?{_SIGNATURE}\Z", re.IGNORECASE | re.DOTALL
)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+PROCEDURE\s+{_SIGNATURE}\Z", re.IGNORECASE | re.DOTALL)
_SHOW = re.compile(r"SHOW\s+(?:TERSE\s+)?(?:USER\s+)?PROCEDURES\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)

SHOWN: list[tuple[str, pa.DataType]] = [
    ("created_on", pa.timestamp("us", "UTC")),
    *((name, pa.string()) for name in ("name", "schema_name", "is_builtin", "is_aggregate", "is_ansi")),
    *((name, pa.int64()) for name in ("min_num_arguments", "max_num_arguments")),
    *((name, pa.string()) for name in ("arguments", "description", "catalog_name", "is_table_function")),
    *((name, pa.string()) for name in ("valid_for_clustering", "is_secure", "secrets")),
    ("external_access_integrations", pa.string()),
]
_GONE = "Drop statement executed successfully (object already dropped or not authorized)."


def create_procedure(session: Session, match: re.Match[str]) -> Result:
    """CREATE PROCEDURE: check the clauses, the packages and the staged files; the body is not looked at."""
    clauses = grammar.parse(match.string)
    if clauses.values.get("language") == "SQL":
        raise Unsupported("LANGUAGE SQL", "Procedures are Python here.")
    packages.check(clauses.values.get("packages", ()))
    return keep(
        session,
        clauses,
        definition_of(session, clauses),
        session.warehouse.procedures,
        session.temporary_procedures,
    )


def keep(
    session: Session,
    clauses: grammar.Clauses,
    procedure: Procedure,
    lasting: ProcedureRegistry,
    temporary: ProcedureRegistry,
) -> Result:
    """Keep what was created: for good, or for the session alone."""
    session.commit_before_ddl()
    registry, warehouse = temporary if clauses.temporary else lasting, session.warehouse
    exists = any(other.types == procedure.types for other in registry.overloads(procedure.name))
    if exists and not clauses.replace:
        if clauses.if_not_exists:
            return _done(f"{procedure.name.name} already exists, statement succeeded.")
        raise CompilationError(f"Object '{procedure.name.name}' already exists.", 2002, "42710")
    if clauses.temporary:
        registry.add(procedure)
    else:
        with warehouse.cursor() as duck:
            registry.save(duck, warehouse.meta(procedure.name.database), procedure)
    if warehouse.address is not None:
        warehouse.workers.prewarm(packages.distributions(procedure.packages))
    return _done(f"Function {procedure.name.name} successfully created.")


def definition_of(session: Session, clauses: grammar.Clauses) -> Procedure:
    """What the clauses of a CREATE say, with the defaults of those that are silent."""
    values = clauses.values
    name = session.qualify(clauses.name)
    _require_schema(session, name.database, name.schema)
    for clause in ("returns", "language", "runtime_version", "handler"):
        if clause not in values:
            raise CompilationError(f"Missing {clause.upper()} in CREATE {clauses.kind} {name.name}.")
    imports = values.get("imports", ())
    staged_imports(session, imports, name)
    body = values.get("body")
    if body is None and "." not in values["handler"]:
        raise CompilationError(
            f"HANDLER '{values['handler']}' of a staged {clauses.kind.lower()} must be 'module.function'."
        )
    returns = values["returns"]
    return Procedure(
        name=name,
        arguments=clauses.arguments,
        returns=returns if isinstance(returns, DataType) else None,
        columns=() if isinstance(returns, DataType) else returns,
        not_null=values.get("not_null", False),
        runtime_version=values["runtime_version"],
        packages=values["packages"],
        imports=imports,
        handler=values["handler"],
        body=body,
        execute_as=values.get("execute_as", OWNER),
        null_handling=values.get("null_handling", "CALLED ON NULL INPUT"),
        volatility=values.get("volatility", "VOLATILE"),
        comment=values.get("comment", f"user-defined {clauses.kind.lower()}"),
        owner=session.role,
        created_on=datetime.now(UTC),
    )


def _require_schema(session: Session, database: str, schema: str) -> None:
    found = session.duck.execute(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?", [database, schema]
    ).fetchall()
    if not found:
        raise ObjectNotFound("Schema", f"{database}.{schema}")


def drop_procedure(session: Session, match: re.Match[str]) -> Result:
    """DROP PROCEDURE name(types)."""
    return drop(session, match, session.warehouse.procedures, session.temporary_procedures)


def drop(
    session: Session, match: re.Match[str], lasting: ProcedureRegistry, temporary: ProcedureRegistry
) -> Result:
    """Forget the session's own of that name and types, or else the lasting one."""
    session.commit_before_ddl()
    try:
        procedure = find(session, match, lasting, temporary)
    except WarehouseError:
        if match["exists"]:
            return _done(_GONE)
        raise
    if procedure in temporary.overloads(procedure.name):
        temporary.remove(procedure)
    else:
        with session.warehouse.cursor() as duck:
            lasting.drop(duck, session.warehouse.meta(procedure.name.database), procedure)
    return _done(f"{procedure.name.name} successfully dropped.")


def describe_procedure(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE PROCEDURE name(types): property and value."""
    found = find(session, match, session.warehouse.procedures, session.temporary_procedures)
    return properties(described(found))


def described(procedure: Procedure) -> list[tuple[str, Any]]:
    """(property, value) of what DESCRIBE shows."""
    return [
        ("signature", procedure.described_signature),
        ("returns", procedure.returns_text + (" NOT NULL" if procedure.not_null else "")),
        ("language", procedure.language),
        ("null handling", procedure.null_handling),
        ("volatility", procedure.volatility),
        ("execute as", procedure.execute_as),
        ("body", procedure.body),
        ("imports", f"[{', '.join(procedure.imports)}]"),
        ("handler", procedure.handler),
        ("runtime_version", procedure.runtime_version),
        ("packages", str(list(procedure.packages))),
        ("installed_packages", str(packages.installed(procedure.packages))),
    ]


def properties(rows: Sequence[tuple[str, Any]]) -> Result:
    """The answer of DESCRIBE."""
    columns = [("property", pa.string()), ("value", pa.string())]
    return Result.rows(columns, rows, statement_type=statement_type.SHOW)


def find(
    session: Session, match: re.Match[str], lasting: ProcedureRegistry, temporary: ProcedureRegistry
) -> Procedure:
    """What a statement names: the session's own before the lasting one."""
    name, types = session.qualify(match["name"]), grammar.parse_types(match["types"])
    own = [procedure for procedure in temporary.overloads(name) if procedure.types == types]
    return own[0] if own else lasting.find(name, types)


def show_procedures(session: Session, match: re.Match[str]) -> Result:
    """SHOW [USER] PROCEDURES with LIKE and IN; there are no built-in ones here."""
    rights = rights_of(session)
    rows = [
        shown(procedure)
        for procedure in session.warehouse.procedures.all()
        if rights.sees(callable_key("PROCEDURE", procedure.name, procedure.types))
    ]
    rows += [shown(procedure) for procedure in session.temporary_procedures.all()]
    return show.answer(session, match["rest"], SHOWN, rows)


def shown(procedure: Procedure) -> list[Any]:
    """The row of SHOW, in the columns of SHOWN."""
    return [
        procedure.created_on,
        procedure.name.name,
        procedure.name.schema,
        *("N", "N", "N"),
        sum(argument.default is None for argument in procedure.arguments),
        len(procedure.arguments),
        procedure.shown_signature,
        procedure.comment,
        procedure.name.database,
        "Y" if procedure.returns is None else "N",
        *("N", "N", "", ""),
    ]


def _done(message: str) -> Result:
    return Result.status(message, statement_type.DDL)


def on_attach(warehouse: Warehouse, database: str) -> None:
    """Read the procedures of a database that has been attached."""
    with warehouse.cursor() as duck:
        warehouse.procedures.load(duck, database, warehouse.meta(database))


def on_drop(warehouse: Warehouse, database: str) -> None:
    """Forget the procedures of a database that has been dropped."""
    warehouse.procedures.forget(database)


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Forget the procedures of a schema that has been dropped."""
    with warehouse.cursor() as duck:
        warehouse.procedures.drop_schema(duck, warehouse.meta(database), database, schema)


def start(warehouse: Warehouse) -> None:
    """Have a worker ready before the first CALL, if there is anything to call."""
    warehouse.workers.imports.clear()
    for procedure in warehouse.procedures.all()[:1]:
        warehouse.workers.prewarm(packages.distributions(procedure.packages))


def stop(warehouse: Warehouse) -> None:
    """End the workers."""
    warehouse.workers.close()


STATEMENTS = [
    (_CREATE, create_procedure),
    (_DROP, drop_procedure),
    (_DESCRIBE, describe_procedure),
    (_SHOW, show_procedures),
]
BOUND_STATEMENTS = [(CALL, call)]

__all__ = [
    "BOUND_STATEMENTS",
    "CATALOG_DDL",
    "STATEMENTS",
    "on_attach",
    "on_drop",
    "on_drop_schema",
    "start",
    "stop",
]
