"""CREATE, ALTER, DROP, SHOW and DESCRIBE STREAMLIT, for `snow streamlit deploy`. The app is not run here.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-streamlit, .../alter-streamlit
The files of the live version lie in a stage, NAME$LIVE beside the app, and DESCRIBE names it; Snowflake has
an address of its own for them, snow://. Other versions, CREATE FROM, ROOT_LOCATION, runtimes, and what an
app may reach are refused. There is no Snowsight to open an app in: the address that the command prints in
the end has a host that cannot exist (RFC 2606).
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from fakesnow import statement_type
from sqlglot import exp

from snowcellar import engine, show
from snowcellar.clause_reader import ClauseReader
from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.grants.visibility import owner_of, seen
from snowcellar.names import NAME, QualifiedName, quote
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.staged_files import stage_folder
from snowcellar.statement import Statement
from snowcellar.warehouse import Warehouse

CATALOG_DDL = """
CREATE TABLE IF NOT EXISTS {meta}.sc_streamlits (
    app_schema VARCHAR NOT NULL, app_name VARCHAR NOT NULL, definition VARCHAR NOT NULL
);
"""
PROPERTIES: Final = ("MAIN_FILE", "QUERY_WAREHOUSE", "TITLE", "COMMENT")

_FLAGS = re.IGNORECASE | re.DOTALL
_CREATE = re.compile(
    r"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?STREAMLIT\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<name>{NAME})(?P<clauses>.*)\Z",
    _FLAGS,
)
_ADD_LIVE = re.compile(
    rf"ALTER\s+STREAMLIT\s+(?P<name>{NAME})\s+ADD\s+LIVE\s+VERSION\s+FROM\s+LAST\Z", _FLAGS
)
_SET = re.compile(rf"ALTER\s+STREAMLIT\s+(?P<name>{NAME})\s+SET\s+(?!TAG\b)(?P<clauses>.+)\Z", _FLAGS)
_DROP = re.compile(rf"DROP\s+STREAMLIT\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_SHOW = re.compile(r"SHOW\s+STREAMLITS\b(?P<rest>.*)\Z", _FLAGS)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+STREAMLIT\s+(?P<name>{NAME})\Z", _FLAGS)
_OTHER = re.compile(r"(?P<verb>CREATE|ALTER|EXECUTE|UNDROP)\s+(?:OR\s+\w+\s+)?STREAMLIT\b.*\Z", _FLAGS)

_SHOWN: Final = (
    *("created_on", "name", "database_name", "schema_name", "title", "comment", "owner", "query_warehouse"),
    *("url_id", "owner_role_type"),
)
_DESCRIBED: Final = (
    *("title", "main_file", "query_warehouse", "url_id", "import_urls", "external_access_integrations"),
    *("external_access_secrets", "name", "comment", "live_version_location_uri"),
)


@dataclass(frozen=True)
class Streamlit:
    """One app: its properties by Snowflake's names, and whether it has a live version."""

    created_on: str
    owner: str
    url_id: str
    properties: dict[str, str]
    live: bool = False


def create(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE] STREAMLIT [IF NOT EXISTS]: without files, until it has a live version."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    if _find(session, name) and not match["replace"]:
        if match["exists"]:
            return _status(f"{name.name} already exists, statement succeeded.")
        raise ObjectExists(name.name)
    properties = _read(match["clauses"])
    if "MAIN_FILE" not in properties:
        raise CompilationError("missing property 'MAIN_FILE' for 'STREAMLIT'", 1420)
    now = datetime.now(UTC).isoformat()
    _drop_files(session, name)
    _save(session, name, Streamlit(now, session.role or "", uuid.uuid4().hex[:20], properties))
    return _status(f"Streamlit {name.name} successfully created.")


def add_live_version(session: Session, match: re.Match[str]) -> Result:
    """ALTER STREAMLIT ... ADD LIVE VERSION FROM LAST: an empty stage, for there is no version before."""
    session.commit_before_ddl()
    name, app = _existing(session, match["name"])
    if app.live:
        raise WarehouseError("There is already a live version.", 99106, "42710")
    engine.run(session, Statement(f"CREATE STAGE IF NOT EXISTS {_stage(name).quoted}"), None)
    _save(session, name, replace(app, live=True))
    return _status("Statement executed successfully.")


def set_properties(session: Session, match: re.Match[str]) -> Result:
    """ALTER STREAMLIT ... SET."""
    session.commit_before_ddl()
    name, app = _existing(session, match["name"])
    _save(session, name, replace(app, properties={**app.properties, **_read(match["clauses"])}))
    return _status("Statement executed successfully.")


def drop(session: Session, match: re.Match[str]) -> Result:
    """DROP STREAMLIT, with its files."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    if _find(session, name) is None:
        if not match["exists"]:
            raise ObjectNotFound("Streamlit", str(name))
        return _status("Drop statement executed successfully (object already dropped or not authorized).")
    _drop_files(session, name)
    _save(session, name, None)
    return _status(f"{name.name} successfully dropped.")


def show_streamlits(session: Session, match: re.Match[str]) -> Result:
    """SHOW STREAMLITS with LIKE, IN, STARTS WITH and LIMIT."""
    apps = _all(session)
    rows = [_row(session, name, apps[name], _SHOWN) for name in sorted(seen(session, "STREAMLIT", apps))]
    return show.answer(session, match["rest"], [(name, pa.string()) for name in _SHOWN], rows)


def describe(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE STREAMLIT: one row."""
    name, app = _existing(session, match["name"])
    return Result.rows(
        [(column, pa.string()) for column in _DESCRIBED], [_row(session, name, app, _DESCRIBED)]
    )


def refuse(session: Session, match: re.Match[str]) -> Result:
    """Everything else that Snowflake does with an app."""
    raise Unsupported(
        f"{match['verb'].upper()} STREAMLIT in this form", "Its files can be deployed and listed."
    )


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Forget a schema's apps; its stages go with it."""
    with warehouse.cursor() as duck:
        duck.execute(f"DELETE FROM {warehouse.meta(database)}.sc_streamlits WHERE app_schema = ?", [schema])


def snowsight_host(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$GET_SNOWSIGHT_HOST()"""
    return exp.Literal.string("https://no-snowsight.invalid")


def organization(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$RETURN_CURRENT_ORG_NAME()"""
    return exp.Literal.string("LOCAL")


def _read(text: str) -> dict[str, str]:
    reader, found = ClauseReader(text), dict[str, str]()
    while not reader.at_end:
        if reader.word() in ("FROM", "TAG", "WITH"):
            raise Unsupported(f"STREAMLIT ... {reader.word()}")
        key = reader.key()
        if key not in PROPERTIES:
            raise Unsupported(f"Streamlit property {key}", f"Known here: {', '.join(PROPERTIES)}.")
        found[key] = reader.value("WAREHOUSE" if key == "QUERY_WAREHOUSE" else key).text
    return found


def _row(session: Session, name: QualifiedName, app: Streamlit, columns: tuple[str, ...]) -> list[Any]:
    values = {
        "created_on": app.created_on,
        "name": name.name,
        "database_name": name.database,
        "schema_name": name.schema,
        "owner": owner_of(session, "STREAMLIT", name),
        "url_id": app.url_id,
        "owner_role_type": "ROLE",
        "import_urls": "[]",
        "external_access_integrations": "[]",
        "external_access_secrets": "{}",
        "live_version_location_uri": f"@{_stage(name)}/" if app.live else None,
    }
    values |= {key.lower(): app.properties.get(key) for key in PROPERTIES}
    return [values[column] for column in columns]


def _stage(name: QualifiedName) -> QualifiedName:
    return replace(name, name=f"{name.name}$LIVE")


def _drop_files(session: Session, name: QualifiedName) -> None:
    stage = _stage(name)
    with contextlib.suppress(ObjectNotFound):
        shutil.rmtree(stage_folder(session, stage), ignore_errors=True)
    with session.warehouse.cursor() as duck:
        duck.execute(
            "DELETE FROM _fs_global._fs_information_schema._fs_stages "
            "WHERE database_name = ? AND schema_name = ? AND name = ?",
            [stage.database, stage.schema, stage.name],
        )


def _existing(session: Session, text: str) -> tuple[QualifiedName, Streamlit]:
    name = session.qualify(text)
    app = _find(session, name)
    if app is None:
        raise ObjectNotFound("Streamlit", str(name))
    return name, app


def _find(session: Session, name: QualifiedName) -> Streamlit | None:
    return _all(session).get(name)


def _all(session: Session) -> dict[QualifiedName, Streamlit]:
    """Every app of every database that is attached."""
    found = {}
    databases = session.duck.execute(
        "SELECT database_name FROM duckdb_tables() WHERE table_name = 'sc_streamlits'"
    ).fetchall()
    for (database,) in databases:
        table = f"{session.warehouse.meta(database)}.sc_streamlits"
        for schema, app, definition in session.duck.execute(f"SELECT * FROM {table}").fetchall():
            found[QualifiedName(database, schema, app)] = Streamlit(**json.loads(definition))
    return found


def _save(session: Session, name: QualifiedName, app: Streamlit | None) -> None:
    schemas = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?"
    if not session.duck.execute(schemas, [name.database, name.schema]).fetchall():
        raise ObjectNotFound("Schema", f"{quote(name.database)}.{quote(name.schema)}")
    table, key = f"{session.warehouse.meta(name.database)}.sc_streamlits", [name.schema, name.name]
    with session.warehouse.cursor() as duck:
        duck.execute("BEGIN TRANSACTION")
        duck.execute(f"DELETE FROM {table} WHERE app_schema = ? AND app_name = ?", key)
        if app is not None:
            duck.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", [*key, json.dumps(asdict(app))])
        duck.execute("COMMIT")


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [
    (_ADD_LIVE, add_live_version),
    (_SET, set_properties),
    (_CREATE, create),
    (_DROP, drop),
    (_SHOW, show_streamlits),
    (_DESCRIBE, describe),
    (_OTHER, refuse),
]
SYSTEM_FUNCTIONS = {
    "SYSTEM$GET_SNOWSIGHT_HOST": snowsight_host,
    "SYSTEM$RETURN_CURRENT_ORG_NAME": organization,
}
