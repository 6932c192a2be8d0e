"""Which tables are TRANSIENT, as SHOW TABLES tells: nothing else is different about them here.

Source: https://docs.snowflake.com/en/user-guide/tables-temp-transient
Deviations: INFORMATION_SCHEMA.TABLES says NO of all; the tables of a transient schema are not.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.grants.key import Key
from snowcellar.names import QualifiedName
from snowcellar.result import Result
from snowcellar.session import Session

_TRANSIENT: Final = "TRANSIENT"
_SHOW_TABLES = re.compile(r"SHOW\s+(?:TERSE\s+)?TABLES\b", re.IGNORECASE)


def remember(session: Session, tree: exp.Expr) -> None:
    """Keep what a CREATE TABLE says that has made one; a rename takes it along, and DROP away."""
    if not isinstance(tree, exp.Create) or tree.kind != "TABLE":
        return
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = relations.table_name(session, table)
    if name is None or name in session.temporary:
        return
    properties = tree.args.get("properties")
    said = properties is not None and properties.find(exp.TransientProperty) is not None
    catalogue = session.warehouse.grants
    if tree.args.get("exists") and _key(name) not in catalogue.being_made:
        return
    if said or catalogue.setting(_key(name), _TRANSIENT):
        catalogue.set(_key(name), _TRANSIENT, "YES" if said else None)


def told(session: Session, statement: str, result: Result) -> Result:
    """The answer of SHOW TABLES, with the kind of these; of any other SHOW, as it is."""
    columns = result.table.column_names
    if not _SHOW_TABLES.match(statement) or not {"kind", "database_name", "schema_name"} <= set(columns):
        return result
    catalogue = session.warehouse.grants
    rows = result.table.select(["database_name", "schema_name", "name", "kind"]).to_pylist()
    kinds = [
        _TRANSIENT
        if catalogue.setting(Key("TABLE", row["database_name"], row["schema_name"], row["name"]), _TRANSIENT)
        else row["kind"]
        for row in rows
    ]
    position = columns.index("kind")
    field = result.table.schema.field(position)
    return dataclasses.replace(
        result, table=result.table.set_column(position, field, pa.array(kinds, field.type))
    )


def _key(name: QualifiedName) -> Key:
    return Key("TABLE", name.database, name.schema, name.name)
