"""What SHOW and INFORMATION_SCHEMA list: what the role has any privilege on.

Source: https://docs.snowflake.com/en/sql-reference/sql/show, .../info-schema
A role that manages grants sees everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlglot import exp

from snowcellar.grants.key import ACCOUNT, Key, key_of
from snowcellar.grants.rights import rights_of
from snowcellar.names import QualifiedName
from snowcellar.relations import fold_identifier
from snowcellar.result import Result
from snowcellar.session import Session

_SHOWN_KINDS = {
    "STAGES": "STAGE",
    "FILE FORMATS": "FILE FORMAT",
    "SEQUENCES": "SEQUENCE",
}
_OF_RELATIONS = ("TABLES", "VIEWS", "OBJECTS", "COLUMNS", "PRIMARY KEYS", "UNIQUE KEYS", "IMPORTED KEYS")
_BUILT_IN = ("FUNCTIONS", "PARAMETERS", "USERS")
"""What speaks of no object that anybody owns."""


def seen(session: Session, kind: str, names: Iterable[QualifiedName]) -> set[QualifiedName]:
    """Those of some objects of a kind that the session may see."""
    rights = rights_of(session)
    if rights.manages_grants:
        return set(names)
    return {name for name in names if rights.sees(key_of(kind, name))}


def owner_of(session: Session, kind: str, name: QualifiedName) -> str:
    """The owner that SHOW and DESCRIBE tell."""
    return session.warehouse.grants.owner(key_of(kind, name)) or ""


def watched(session: Session, kind: str) -> exp.Expr | None:
    """The condition on the rows of TASK_HISTORY or ALERT_HISTORY that a role may see; None for all of them.

    Source: https://docs.snowflake.com/en/sql-reference/functions/task_history
    MONITOR EXECUTION shows all, and OWNERSHIP, MONITOR or OPERATE on one the runs of it.
    """
    rights = rights_of(session)
    if rights.holds("MONITOR EXECUTION", ACCOUNT):
        return None
    keys = [
        key
        for key in rights.catalogue.objects(kind)
        if any(rights.holds(privilege, key) for privilege in ("MONITOR", "OPERATE"))
    ]
    named = exp.Tuple(expressions=[exp.column(name) for name in ("DATABASE_NAME", "SCHEMA_NAME", "NAME")])
    tuples = [
        exp.Tuple(expressions=[exp.Literal.string(part) for part in (key.database, key.schema, key.name)])
        for key in keys
    ]
    return exp.In(this=named, expressions=tuples) if tuples else exp.false()


def filter_shown(session: Session, what: str, result: Result) -> Result:
    """The rows of a SHOW that the session may see, with their owners and since when these own them."""
    if what in _BUILT_IN:
        return result
    rights, catalogue = rights_of(session), session.warehouse.grants
    keys = [_key_of_row(session, what, row) for row in result.table.to_pylist()]
    table = result.table
    if "owner" in table.column_names:
        owners = [catalogue.owner(key) if key else None for key in keys]
        position = table.column_names.index("owner")
        table = table.set_column(position, "owner", pa.array(owners, pa.string()))
    if "created_on" in table.column_names:
        made = [catalogue.created_on(key) if key else None for key in keys]
        position = table.column_names.index("created_on")
        table = table.set_column(position, "created_on", pa.array(made, pa.timestamp("us", "UTC")))
    if not rights.manages_grants:
        table = table.filter(pa.array([key is not None and rights.sees(key) for key in keys], pa.bool_()))
    return Result(table, result.types, result.rows_affected, result.statement_type, result.upload)


def _key_of_row(session: Session, what: str, row: Mapping[str, Any]) -> Key | None:
    name = str(row.get("table_name") or row.get("name"))
    database, schema = str(row.get("database_name") or ""), str(row.get("schema_name") or "")
    if what in _OF_RELATIONS:
        return session.warehouse.grants.relation(database, schema, name)
    kind = _SHOWN_KINDS.get(what)
    return Key(kind, database, schema, name) if kind else None


NAMED_BY: dict[str, tuple[str, ...]] = {
    "TABLES": ("TABLE_SCHEMA", "TABLE_NAME"),
    "COLUMNS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "VIEWS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "LOAD_HISTORY": ("SCHEMA_NAME", "TABLE_NAME"),
    "SCHEMATA": ("SCHEMA_NAME",),
    "DATABASES": ("DATABASE_NAME",),
}
"""The views of INFORMATION_SCHEMA that fakesnow has, and the columns that name what a row is about."""
LISTED = ("SEQUENCES", "STAGES", "FILE_FORMATS", "PROCEDURES", "FUNCTIONS")
"""Those that snowcellar adds (`information_schema`)."""


def restrict(session: Session, tree: exp.Expr) -> bool:
    """Put in the place of each view of INFORMATION_SCHEMA the rows of it that may be seen.

    Whether there were any views.
    """
    views = [table for table in tree.find_all(exp.Table) if in_information_schema(table)]
    if views and not rights_of(session).manages_grants:
        for view in views:
            _restrict_one(session, view)
    return bool(views)


def in_information_schema(table: exp.Table) -> bool:
    """Whether a statement names a view of INFORMATION_SCHEMA."""
    return table.text("db").upper() == "INFORMATION_SCHEMA" and isinstance(table.this, exp.Identifier)


def _restrict_one(session: Session, view: exp.Table) -> None:
    catalog = view.args.get("catalog")
    database = fold_identifier(catalog) if catalog else session.database or ""
    columns = NAMED_BY.get(view.name.upper())
    if columns is None:
        return
    names = [[exp.Literal.string(part) for part in parts] for parts in _visible(session, database, columns)]
    alias = view.args.get("alias") or exp.TableAlias(this=exp.to_identifier(view.name.upper(), quoted=True))
    source = view.copy()
    for key in ("alias", "joins", "laterals", "pivots", "sample"):
        source.set(key, None)
    query = exp.select("*").from_(source)
    if names:
        tuples = [exp.Tuple(expressions=parts) if len(parts) > 1 else parts[0] for parts in names]
        named = [exp.column(column) for column in columns]
        which = exp.Tuple(expressions=named) if len(named) > 1 else named[0]
        query = query.where(exp.In(this=which, expressions=tuples))
    else:
        query = query.where(exp.false())
    subquery = exp.Subquery(this=query, alias=alias.copy())
    for key in ("joins", "laterals", "pivots", "sample"):
        if value := view.args.get(key):
            subquery.set(key, value)
    view.replace(subquery)


def _visible(session: Session, database: str, columns: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    rights, catalogue = rights_of(session), session.warehouse.grants
    if columns == ("DATABASE_NAME",):
        return [(key.database,) for key in catalogue.objects("DATABASE") if rights.sees(key)]
    if len(columns) == 1:
        schemas = [key for key in catalogue.objects("SCHEMA") if key.database == database]
        return [(key.schema,) for key in schemas if rights.sees(key)] + [("INFORMATION_SCHEMA",)]
    found = [key for key in catalogue.objects() if key.database == database and key.kind in ("TABLE", "VIEW")]
    return [(key.schema, key.name) for key in found if rights.sees(key)]
