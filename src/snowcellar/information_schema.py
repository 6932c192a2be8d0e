"""INFORMATION_SCHEMA.SEQUENCES, STAGES, FILE_FORMATS, PROCEDURES and FUNCTIONS: what the role may see.

Source: https://docs.snowflake.com/en/sql-reference/info-schema
Deviations: LAST_ALTERED is NULL; FILE_FORMATS does not tell the options of a format, nor PROCEDURES and
FUNCTIONS the sizes of a result. The other views are fakesnow's (`upstream`, `grants.visibility`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import Unsupported
from snowcellar.grants import visibility
from snowcellar.grants.key import Key, callable_key
from snowcellar.grants.rights import rights_of
from snowcellar.names import literal
from snowcellar.procedures.definition import Procedure
from snowcellar.session import Session

_META = "_fs_global._fs_information_schema"
_INSTANT = pa.timestamp("us", "UTC")
Row = tuple[Key, dict[str, Any]]


def _sequences(session: Session, database: str) -> Iterator[Row]:
    rows = session.duck.execute(
        "SELECT schema_name, sequence_name, start_value, min_value, max_value, increment_by, cycle, comment "
        f"FROM duckdb_sequences() WHERE database_name = {literal(database)} AND NOT temporary "
        "AND schema_name <> '_fs_information_schema'"
    ).fetchall()
    for schema, name, start, least, most, step, cycle, comment in rows:
        yield (
            Key("SEQUENCE", database, schema, name),
            {
                "DATA_TYPE": "NUMBER",
                "NUMERIC_PRECISION": 38,
                "NUMERIC_PRECISION_RADIX": 10,
                "NUMERIC_SCALE": 0,
                "START_VALUE": str(start),
                "MINIMUM_VALUE": str(least),
                "MAXIMUM_VALUE": str(most),
                "INCREMENT": str(step),
                "CYCLE_OPTION": "YES" if cycle else "NO",
                "COMMENT": comment,
            },
        )


def _stages(session: Session, database: str) -> Iterator[Row]:
    rows = session.duck.execute(
        "SELECT schema_name, name, url, region, type, comment "
        f"FROM {_META}._fs_stages WHERE database_name = {literal(database)}"
    ).fetchall()
    for schema, name, url, region, kind, comment in rows:
        where = {"STAGE_URL": url, "STAGE_REGION": region}
        kind = "Internal Named" if "INTERNAL" in kind else "External Named"
        yield Key("STAGE", database, schema, name), {**where, "STAGE_TYPE": kind, "COMMENT": comment}


def _file_formats(session: Session, database: str) -> Iterator[Row]:
    rows = session.duck.execute(
        "SELECT schema_name, name, type, comment "
        f"FROM {_META}._fs_file_formats WHERE database_name = {literal(database)}"
    ).fetchall()
    for schema, name, kind, comment in rows:
        yield Key("FILE FORMAT", database, schema, name), {"FILE_FORMAT_TYPE": kind, "COMMENT": comment}


def _callables(kind: str, registered: Iterable[Procedure], database: str) -> Iterator[Row]:
    for each in registered:
        if each.name.database == database:
            yield (
                callable_key(kind, each.name, each.types),
                {
                    f"{kind}_NAME": each.name.name,
                    "ARGUMENT_SIGNATURE": each.described_signature,
                    "DATA_TYPE": each.returns_text,
                    f"{kind}_LANGUAGE": each.language,
                    f"{kind}_DEFINITION": each.body,
                    "COMMENT": each.comment,
                },
            )


def _procedures(session: Session, database: str) -> Iterator[Row]:
    return _callables("PROCEDURE", session.warehouse.procedures.all(), database)


def _functions(session: Session, database: str) -> Iterator[Row]:
    return _callables("FUNCTION", session.warehouse.functions.all(), database)


_OF_CALLABLES = ("ARGUMENT_SIGNATURE", "DATA_TYPE")
VIEWS: dict[str, tuple[str, tuple[str, ...], Callable[[Session, str], Iterator[Row]]]] = {
    "SEQUENCES": (
        "SEQUENCE",
        (
            *("DATA_TYPE", "NUMERIC_PRECISION", "NUMERIC_PRECISION_RADIX", "NUMERIC_SCALE", "START_VALUE"),
            *("MINIMUM_VALUE", "MAXIMUM_VALUE", "INCREMENT", "CYCLE_OPTION"),
        ),
        _sequences,
    ),
    "STAGES": ("STAGE", ("STAGE_URL", "STAGE_REGION", "STAGE_TYPE"), _stages),
    "FILE_FORMATS": ("FILE_FORMAT", ("FILE_FORMAT_TYPE",), _file_formats),
    "PROCEDURES": (
        "PROCEDURE",
        (*_OF_CALLABLES, "PROCEDURE_LANGUAGE", "PROCEDURE_DEFINITION"),
        _procedures,
    ),
    "FUNCTIONS": ("FUNCTION", (*_OF_CALLABLES, "FUNCTION_LANGUAGE", "FUNCTION_DEFINITION"), _functions),
}
"""By name: what its columns begin with, those of its own, and where its rows come from."""


def expand(session: Session, tree: exp.Expr) -> bool:
    """Put the rows of these views in their place; whether there were any."""
    views = [table for table in tree.find_all(exp.Table) if _is_one(table)]
    for view in views:
        catalog = view.args.get("catalog")
        database = relations.fold_identifier(catalog) if catalog else session.database or ""
        name = relations.fold_identifier(view.this)
        alias = view.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        rows = relations.arrow_query(session, _table(session, name, database))
        subquery = exp.Subquery(this=rows, alias=alias.copy())
        for key in ("joins", "laterals", "pivots", "sample"):
            if value := view.args.get(key):
                subquery.set(key, value)
        view.replace(subquery)
    return bool(views)


def restrict_definition(session: Session, create: exp.Create) -> None:
    """The same for CREATE TABLE AS; a view is refused if it would show other rows to who reads it.

    Deviation: a view on INFORMATION_SCHEMA is made by roles that see everything only.
    """
    query = create.expression
    if create.kind == "TABLE":
        expand(session, query)
        visibility.restrict(session, query)
        return
    for table in query.find_all(exp.Table):
        limited = visibility.in_information_schema(table) and not rights_of(session).manages_grants
        if limited or _is_one(table):
            raise Unsupported(f"a view on INFORMATION_SCHEMA.{table.name.upper()}")


def _is_one(table: exp.Table) -> bool:
    return visibility.in_information_schema(table) and relations.fold_identifier(table.this) in VIEWS


def _table(session: Session, name: str, database: str) -> pa.Table:
    prefix, own, find = VIEWS[name]
    rights = rights_of(session)
    names = [f"{prefix}_CATALOG", f"{prefix}_SCHEMA", f"{prefix}_NAME", f"{prefix}_OWNER"]
    columns = [*names, *own, "CREATED", "LAST_ALTERED", "COMMENT"]
    rows = []
    for key, told in find(session, database):
        if rights.manages_grants or rights.sees(key):
            place = dict(zip(names, (key.database, key.schema, key.name), strict=False))
            owner, made = rights.catalogue.owner(key), rights.catalogue.created_on(key)
            known = {**place, f"{prefix}_OWNER": owner, "CREATED": made, **told}
            rows.append([known.get(column) for column in columns])
    types = {"CREATED": _INSTANT, "LAST_ALTERED": _INSTANT}
    types |= {column: pa.int64() for column in columns if column.startswith("NUMERIC_")}
    values = zip(*rows, strict=True) if rows else [[] for _ in columns]
    arrays = [
        pa.array(list(each), types.get(column, pa.string()))
        for column, each in zip(columns, values, strict=True)
    ]
    return pa.table(arrays, names=columns)
