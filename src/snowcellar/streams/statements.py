"""CREATE, DROP, SHOW and DESCRIBE STREAM, and SYSTEM$STREAM_HAS_DATA.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-stream, .../show-streams,
https://docs.snowflake.com/en/sql-reference/functions/system_stream_has_data
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlglot import exp

from snowcellar import show
from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported
from snowcellar.names import NAME, QualifiedName
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.streams.registry import Stream, TrackedTable, table_columns, track

_CREATE = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?STREAM\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})\s+"
    rf"(?:COPY\s+GRANTS\s+)?ON\s+(?P<kind>TABLE|VIEW|STAGE|EXTERNAL\s+TABLE|DYNAMIC\s+TABLE)\s+(?P<source>{NAME})"
    r"(?P<options>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(
    r"\s*(?P<key>APPEND_ONLY|INSERT_ONLY|SHOW_INITIAL_ROWS|COMMENT)\s*=\s*(?P<value>TRUE|FALSE|'(?:[^']|'')*')",
    re.IGNORECASE,
)
_DROP = re.compile(rf"DROP\s+STREAM\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", re.IGNORECASE)
_SHOW = re.compile(r"SHOW\s+(?:TERSE\s+)?STREAMS\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+STREAM\s+(?P<name>{NAME})\Z", re.IGNORECASE)

STALE_AFTER_DAYS = 14
"""MAX_DATA_EXTENSION_TIME_IN_DAYS, which exceeds the default retention of one day (SEMANTICS 7)."""

_SHOWN: list[tuple[str, pa.DataType]] = [
    ("created_on", pa.timestamp("us", "UTC")),
    *(
        (name, pa.string())
        for name in ("name", "database_name", "schema_name", "owner", "comment", "table_name")
    ),
    *((name, pa.string()) for name in ("source_type", "base_tables", "type", "stale", "mode")),
    ("stale_after", pa.timestamp("us", "UTC")),
    ("invalid_reason", pa.string()),
    ("owner_role_type", pa.string()),
]


def create_stream(session: Session, match: re.Match[str]) -> Result:
    """CREATE STREAM ... ON TABLE: start to track the table and note where the stream begins."""
    kind = match["kind"].upper()
    if kind != "TABLE":
        raise Unsupported(f"CREATE STREAM ... ON {kind}")
    options = _options(match["options"])
    name, table = session.qualify(match["name"]), session.qualify(match["source"])
    if name.database != table.database:
        raise Unsupported("a stream on a table of another database")
    session.commit_before_ddl()
    registry = session.warehouse.streams
    if name in registry.streams and not match["replace"]:
        if match["exists"]:
            return Result.status(f"{name.name} already exists, statement succeeded.")
        raise ObjectExists(name.name)
    if not table_columns(session.duck, table):
        raise ObjectNotFound("Table", str(table))
    with registry.commit_lock, session.connection.statement(session):
        tracked = registry.tables.get(table)
        if tracked is None:
            tracked = track(session.duck, table, session.warehouse.meta(table.database))
        old = registry.streams.get(name)
        stream = _insert(session, name, tracked, options, old)
        session.connection.commit(session)
        registry.tables[table] = tracked
        registry.streams[name] = stream
        registry.version += 1
    return Result.status(f"Stream {name.name} successfully created.")


def drop_stream(session: Session, match: re.Match[str]) -> Result:
    """DROP STREAM: forget its offset; its table stays tracked."""
    name = session.qualify(match["name"])
    session.commit_before_ddl()
    registry = session.warehouse.streams
    stream = registry.streams.get(name)
    if stream is None:
        if match["exists"]:
            return Result.status(
                "Drop statement executed successfully (object already dropped or not authorized)."
            )
        raise ObjectNotFound("Stream", str(name))
    with registry.commit_lock, session.connection.statement(session):
        _delete(session, stream)
        session.connection.commit(session)
        del registry.streams[name]
        registry.version += 1
    return Result.status(f"{name.name} successfully dropped.")


def show_streams(session: Session, match: re.Match[str]) -> Result:
    """SHOW STREAMS with LIKE, IN, STARTS WITH and LIMIT."""
    streams = sorted(session.warehouse.streams.streams.values(), key=lambda stream: stream.name)
    rows = [_shown_row(stream) for stream in streams]
    return show.answer(session, match["rest"], _SHOWN, rows)


def describe_stream(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE STREAM: the row of SHOW STREAMS."""
    return Result.rows(_SHOWN, [_shown_row(find_stream(session, match["name"]))])


def stream_has_data(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$STREAM_HAS_DATA: TRUE even for changes that cancel out, never FALSE with rows to show."""
    stream = find_stream(session, arguments[0])
    return exp.true() if has_data(session, stream) else exp.false()


def find_stream(session: Session, name: str) -> Stream:
    """The stream that a statement of the session names."""
    qualified = session.qualify(name)
    stream = session.warehouse.streams.streams.get(qualified)
    if stream is None:
        raise ObjectNotFound("Stream", str(qualified))
    return stream


def has_data(session: Session, stream: Stream) -> bool:
    """Whether a stream may have rows to show."""
    meta = session.warehouse.meta(stream.name.database)
    if (
        stream.initial_rows
        and session.duck.execute(f"SELECT 1 FROM {stream.table.quoted} LIMIT 1").fetchall()
    ):
        return True
    query = f"SELECT 1 FROM {meta}.sc_pending WHERE stream_id = {stream.stream_id} LIMIT 1"
    return bool(session.duck.execute(query).fetchall())


def _options(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {"APPEND_ONLY": False, "SHOW_INITIAL_ROWS": False, "COMMENT": ""}
    position = 0
    while match := _OPTION.match(text, position):
        value = match["value"]
        key = match["key"].upper()
        options[key] = value[1:-1].replace("''", "'") if value.startswith("'") else value.upper() == "TRUE"
        position = match.end()
    if rest := text[position:].strip():
        if re.match(r"(AT|BEFORE)\b", rest, re.IGNORECASE):
            raise Unsupported("CREATE STREAM ... AT | BEFORE")
        raise CompilationError(f"syntax error: unexpected '{rest.split()[0]}'.")
    if options.get("INSERT_ONLY"):
        raise Unsupported("CREATE STREAM ... INSERT_ONLY = TRUE (external tables only)")
    return options


def _insert(
    session: Session, name: QualifiedName, table: TrackedTable, options: dict[str, Any], old: Stream | None
) -> Stream:
    meta = session.warehouse.meta(name.database)
    if old is not None:
        _delete(session, old)
    (stream_id,) = session.duck.execute(f"SELECT nextval('{meta}.sc_object')").fetchall()[0]
    now = datetime.now(UTC)
    stream = Stream(
        name,
        stream_id,
        table.name,
        options["APPEND_ONLY"],
        options["SHOW_INITIAL_ROWS"],
        options["COMMENT"],
        session.role,
        now,
        now,
        stale=False,
    )
    session.duck.execute(
        f"INSERT INTO {meta}.sc_streams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)",
        [
            *(name.schema, name.name, stream_id, table.name.schema, table.name.name, stream.append_only),
            *(stream.initial_rows, stream.comment, stream.owner, now, now),
        ],
    )
    return stream


def _delete(session: Session, stream: Stream) -> None:
    meta = session.warehouse.meta(stream.name.database)
    session.duck.execute(f"DELETE FROM {meta}.sc_streams WHERE stream_id = {stream.stream_id}")
    session.duck.execute(f"DELETE FROM {meta}.sc_pending WHERE stream_id = {stream.stream_id}")


def _shown_row(stream: Stream) -> list[Any]:
    table = str(stream.table)
    return [
        stream.created_on,
        stream.name.name,
        stream.name.database,
        stream.name.schema,
        stream.owner,
        stream.comment,
        table,
        "Table",
        table,
        "DELTA",
        str(stream.stale).lower(),
        "APPEND_ONLY" if stream.append_only else "DEFAULT",
        stream.consumed_on + timedelta(days=STALE_AFTER_DAYS),
        "Base table dropped or replaced" if stream.stale else "N/A",
        "ROLE",
    ]


STATEMENTS = [
    (_CREATE, create_stream),
    (_DROP, drop_stream),
    (_SHOW, show_streams),
    (_DESCRIBE, describe_stream),
]
SYSTEM_FUNCTIONS = {"SYSTEM$STREAM_HAS_DATA": stream_has_data}
