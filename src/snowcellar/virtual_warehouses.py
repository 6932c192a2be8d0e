"""Virtual warehouses: CREATE, ALTER, DROP and SHOW WAREHOUSE. They are names with a state; queries need none.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-warehouse, .../show-warehouses
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyarrow as pa
from fakesnow import statement_type

from snowcellar import show
from snowcellar.errors import ObjectExists, ObjectNotFound, WarehouseError
from snowcellar.grants.key import Key
from snowcellar.grants.rights import rights_of
from snowcellar.names import NAME, fold
from snowcellar.result import Result
from snowcellar.session import Session

TABLE = "_fs_global._fs_information_schema.sc_warehouses"
GLOBAL_DDL = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    name VARCHAR PRIMARY KEY, state VARCHAR NOT NULL, size VARCHAR NOT NULL, auto_suspend BIGINT NOT NULL,
    auto_resume BOOLEAN NOT NULL, comment VARCHAR NOT NULL, created_on TIMESTAMPTZ NOT NULL
);
"""

_CREATE = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+(?:REPLACE|ALTER)\s+)?WAREHOUSE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?:\s+WITH)?(?P<options>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_ALTER = re.compile(
    rf"ALTER\s+WAREHOUSE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+"
    r"(?P<action>RESUME(?:\s+IF\s+SUSPENDED)?|SUSPEND|SET\s+.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_DROP = re.compile(rf"DROP\s+WAREHOUSE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", re.IGNORECASE)
_SHOW = re.compile(r"SHOW\s+WAREHOUSES\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_OPTION = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>'(?:[^']|'')*'|[\w.-]+)")

_SHOWN: list[tuple[str, pa.DataType]] = [
    *((name, pa.string()) for name in ("name", "state", "type", "size")),
    *((name, pa.int64()) for name in ("running", "queued", "auto_suspend")),
    ("auto_resume", pa.string()),
    *((name, pa.timestamp("us", "UTC")) for name in ("created_on", "resumed_on", "updated_on")),
    *((name, pa.string()) for name in ("owner", "comment")),
]
_DONE = "Statement executed successfully."


def create_warehouse(session: Session, match: re.Match[str]) -> Result:
    """CREATE WAREHOUSE: its size is recorded, not felt."""
    session.commit_before_ddl()
    name = fold(match["name"])
    if _exists(session, name) and not match["replace"]:
        if match["exists"]:
            return Result.status(f"{name} already exists, statement succeeded.", statement_type.DDL)
        raise ObjectExists(name)
    options = _options(match["options"])
    suspended = options.get("INITIALLY_SUSPENDED", "FALSE").upper() == "TRUE"
    session.duck.execute(
        f"INSERT OR REPLACE INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            name,
            "SUSPENDED" if suspended else "STARTED",
            options.get("WAREHOUSE_SIZE", "X-Small"),
            int(options.get("AUTO_SUSPEND", "600")),
            options.get("AUTO_RESUME", "TRUE").upper() == "TRUE",
            options.get("COMMENT", ""),
            datetime.now(UTC),
        ],
    )
    session.virtual_warehouse = name
    return Result.status(f"Warehouse {name} successfully created.", statement_type.DDL)


def alter_warehouse(session: Session, match: re.Match[str]) -> Result:
    """ALTER WAREHOUSE ... RESUME | SUSPEND | SET."""
    session.commit_before_ddl()
    name = fold(match["name"])
    if not _exists(session, name):
        if match["exists"]:
            return Result.status(_DONE)
        raise ObjectNotFound("Warehouse", name)
    action = match["action"].upper()
    if action.startswith("SET"):
        _set_options(session, name, _options(match["action"]))
        return Result.status(_DONE)
    state = "SUSPENDED" if action == "SUSPEND" else "STARTED"
    (current,) = session.duck.execute(f"SELECT state FROM {TABLE} WHERE name = ?", [name]).fetchall()[0]
    if action == "RESUME" and current == "STARTED":
        raise WarehouseError(f"Invalid state. Warehouse '{name}' cannot be resumed.", 90063, "22000")
    if action == "SUSPEND" and current == "SUSPENDED":
        raise WarehouseError(f"Invalid state. Warehouse '{name}' cannot be suspended.", 90064, "22000")
    session.duck.execute(f"UPDATE {TABLE} SET state = ? WHERE name = ?", [state, name])
    return Result.status(_DONE)


def drop_warehouse(session: Session, match: re.Match[str]) -> Result:
    """DROP WAREHOUSE."""
    session.commit_before_ddl()
    name = fold(match["name"])
    if not _exists(session, name) and not match["exists"]:
        raise ObjectNotFound("Warehouse", name)
    session.duck.execute(f"DELETE FROM {TABLE} WHERE name = ?", [name])
    return Result.status(f"{name} successfully dropped.", statement_type.DDL)


def show_warehouses(session: Session, match: re.Match[str]) -> Result:
    """SHOW WAREHOUSES [LIKE ...]."""
    rows = session.duck.execute(
        "SELECT name, state, 'STANDARD', size, 0, 0, auto_suspend, auto_resume::VARCHAR, created_on, "
        f"created_on, created_on, comment FROM {TABLE} ORDER BY name"
    ).fetchall()
    rights = rights_of(session)
    keys = [Key("WAREHOUSE", name=row[0]) for row in rows]
    shown = [
        [*row[:-1], rights.catalogue.owner(key), row[-1]]
        for key, row in zip(keys, rows, strict=True)
        if rights.sees(key)
    ]
    return show.answer(session, match["rest"], _SHOWN, shown)


def _exists(session: Session, name: str) -> bool:
    return bool(session.duck.execute(f"SELECT 1 FROM {TABLE} WHERE name = ?", [name]).fetchall())


def _options(text: str) -> dict[str, str]:
    return {match["name"].upper(): match["value"].strip("'") for match in _OPTION.finditer(text)}


def _set_options(session: Session, name: str, options: dict[str, str]) -> None:
    columns = {
        "WAREHOUSE_SIZE": "size",
        "AUTO_SUSPEND": "auto_suspend",
        "AUTO_RESUME": "auto_resume",
        "COMMENT": "comment",
    }
    for option, value in options.items():
        if option in columns:
            session.duck.execute(f"UPDATE {TABLE} SET {columns[option]} = ? WHERE name = ?", [value, name])


STATEMENTS = [
    (_CREATE, create_warehouse),
    (_ALTER, alter_warehouse),
    (_DROP, drop_warehouse),
    (_SHOW, show_warehouses),
]
