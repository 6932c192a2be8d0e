"""CREATE, DROP, DESCRIBE and SHOW FUNCTION.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-function, .../drop-function,
.../desc-function, .../show-user-functions
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from snowcellar import show
from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.grants.key import callable_key
from snowcellar.grants.rights import rights_of
from snowcellar.names import NAME
from snowcellar.procedures import grammar, packages
from snowcellar.procedures import statements as procedures
from snowcellar.procedures.definition import Procedure
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.user_functions import sql_bodies

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

_CREATE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:SECURE\s+)?FUNCTION\s",
    re.IGNORECASE,
)
_SIGNATURE = rf"(?P<name>{NAME})\s*\((?P<types>.*)\)"
_DROP = re.compile(rf"DROP\s+FUNCTION\s+(?P<exists>IF\s+EXISTS\s+)?{_SIGNATURE}\Z", re.IGNORECASE | re.DOTALL)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+FUNCTION\s+{_SIGNATURE}\Z", re.IGNORECASE | re.DOTALL)
_SHOW = re.compile(r"SHOW\s+(?:TERSE\s+)?(?:USER\s+)?FUNCTIONS\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_functions (
    procedure_schema VARCHAR NOT NULL, procedure_name VARCHAR NOT NULL, argument_types VARCHAR NOT NULL,
    definition VARCHAR NOT NULL, owner VARCHAR NOT NULL, created_on TIMESTAMPTZ NOT NULL
);
"""


def create_function(session: Session, match: re.Match[str]) -> Result:
    """CREATE FUNCTION ... LANGUAGE SQL | PYTHON: of Python's the clauses are checked, not the body."""
    clauses = grammar.parse(match.string)
    if clauses.values.setdefault("language", "SQL") == "SQL":
        for clause in ("runtime_version", "handler"):
            clauses.values[clause] = ""
    if "execute_as" in clauses.values:
        raise CompilationError("syntax error: unexpected 'EXECUTE'.")
    clauses.values.setdefault("packages", ())
    packages.check_available(clauses.values["packages"])
    function = procedures.definition_of(session, clauses)
    if function.language == "SQL":
        sql_bodies.parse(function)
    if function.returns is None:
        raise Unsupported("CREATE FUNCTION ... RETURNS TABLE")
    return procedures.keep(
        session, clauses, function, session.warehouse.functions, session.temporary_functions
    )


def drop_function(session: Session, match: re.Match[str]) -> Result:
    """DROP FUNCTION name(types)."""
    return procedures.drop(session, match, session.warehouse.functions, session.temporary_functions)


def describe_function(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE FUNCTION name(types): property and value."""
    function = _find(session, match)
    rows = [row for row in procedures.described(function) if row[0] != "execute as"]
    if function.language == "SQL":
        rows = [row for row in rows if row[0] in ("signature", "returns", "language", "body")]
    return procedures.properties(rows)


def _find(session: Session, match: re.Match[str]) -> Procedure:
    name, types = session.qualify(match["name"]), grammar.parse_types(match["types"])
    try:
        return session.temporary_functions.find(name, types)
    except WarehouseError:
        return session.warehouse.functions.find(name, types)


def show_functions(session: Session, match: re.Match[str]) -> Result:
    """SHOW [USER] FUNCTIONS with LIKE and IN; the built-in ones are not listed."""
    rights = rights_of(session)
    rows = [
        [*procedures.shown(function), function.language, "N"]
        for function in session.warehouse.functions.all()
        if rights.sees(callable_key("FUNCTION", function.name, function.types))
    ]
    rows += [
        [*procedures.shown(function), function.language, "N"]
        for function in session.temporary_functions.all()
    ]
    columns = [*procedures.SHOWN, ("language", pa.string()), ("is_memoizable", pa.string())]
    return show.answer(session, match["rest"], columns, rows)


def on_attach(warehouse: Warehouse, database: str) -> None:
    """Read the functions of a database that has been attached."""
    with warehouse.cursor() as duck:
        warehouse.functions.load(duck, database, warehouse.meta(database))


def on_drop(warehouse: Warehouse, database: str) -> None:
    """Forget the functions of a database that has been dropped."""
    warehouse.functions.forget(database)


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Forget the functions of a schema that has been dropped."""
    with warehouse.cursor() as duck:
        warehouse.functions.drop_schema(duck, warehouse.meta(database), database, schema)


STATEMENTS = [
    (_CREATE, create_function),
    (_DROP, drop_function),
    (_DESCRIBE, describe_function),
    (_SHOW, show_functions),
]
