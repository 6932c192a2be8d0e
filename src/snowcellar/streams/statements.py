"""CREATE, DROP, SHOW and DESCRIBE STREAM, and SYSTEM$STREAM_HAS_DATA.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-stream, .../show-streams,
https://docs.snowflake.com/en/sql-reference/functions/system_stream_has_data
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from snowcellar import show
from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported
from snowcellar.grants.visibility import owner_of, seen
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.streams import consumption, view_changes
from snowcellar.streams.registry import Stream, forget_table, make_stale, table_columns, track

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

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
_AT_STREAM = re.compile(r"\s*AT\s*\(\s*STREAM\s*=>\s*'(?P<stream>[^']+)'\s*\)", re.IGNORECASE)
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
    """CREATE STREAM ... ON TABLE | VIEW: start to track its tables and note where the stream begins."""
    kind = match["kind"].upper()
    if kind not in ("TABLE", "VIEW"):
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
        raise ObjectNotFound(kind.capitalize(), str(table))
    _create(
        session,
        Stream(
            name=name,
            stream_id=0,
            table=table,
            append_only=options["APPEND_ONLY"],
            comment=options["COMMENT"],
            owner=session.role,
            created_on=datetime.now(UTC),
            stale=False,
            behind=view_changes.relations_behind(session, table) if kind == "VIEW" else (),
        ),
        options,
    )
    return Result.status(f"Stream {name.name} successfully created.")


def _create(session: Session, new: Stream, options: dict[str, Any]) -> None:
    registry, meta = session.warehouse.streams, session.warehouse.meta(new.name.database)
    tables = sorted(each for each in new.behind if not view_changes.is_view(session, each)) or [new.table]
    with session.connection.statement(session):
        # Locks first: whoever holds them needs commit_lock to end.
        for each in (*tables, new.name):
            session.connection.lock(each)
        with registry.commit_lock:
            tracked = [registry.tables.get(each) or track(session.duck, each, meta) for each in tables]
            stream = _insert(session, new, options, registry.streams.get(new.name))
            session.connection.commit(session)
            registry.tables.update({each.name: each for each in tracked})
            registry.streams[new.name] = stream
            registry.version += 1


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
    with session.connection.statement(session):
        session.connection.lock(name)
        with registry.commit_lock:
            _delete(session.duck, session.warehouse.meta(name.database), stream)
            session.connection.commit(session)
            registry.streams.pop(name, None)
            registry.version += 1
    consumption.prune(session.warehouse, stream)
    return Result.status(f"{name.name} successfully dropped.")


def show_streams(session: Session, match: re.Match[str]) -> Result:
    """SHOW STREAMS with LIKE, IN, STARTS WITH and LIMIT."""
    streams = session.warehouse.streams.streams
    rows = [_shown_row(session, streams[name]) for name in sorted(seen(session, "STREAM", list(streams)))]
    return show.answer(session, match["rest"], _SHOWN, rows)


def describe_stream(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE STREAM: the row of SHOW STREAMS."""
    return Result.rows(_SHOWN, [_shown_row(session, find_stream(session, match["name"]))])


def stream_has_data(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$STREAM_HAS_DATA: TRUE even for changes that cancel out, never FALSE with rows to show."""
    stream = find_stream(session, arguments[0])
    return exp.true() if has_data(session, stream) else exp.false()


def find_stream(session: Session, name: str) -> Stream:
    """The stream that a statement of the session names."""
    return session.warehouse.streams.stream(session.qualify(name))


def has_data(session: Session, stream: Stream) -> bool:
    """Whether a stream may have rows to show."""
    if stream.stale:
        return False
    meta = session.warehouse.meta(stream.name.database)
    query = f"SELECT 1 FROM {meta}.sc_pending WHERE stream_id = {stream.stream_id} LIMIT 1"
    if session.duck.execute(query).fetchall():
        return True
    if not _has_initial_rows(session, stream):
        session.warehouse.streams.found_empty[stream.name] = datetime.now(UTC)
        return False
    return True


def _has_initial_rows(session: Session, stream: Stream) -> bool:
    meta = session.warehouse.meta(stream.name.database)
    initial = f"SELECT 1 FROM {meta}.sc_streams WHERE stream_id = {stream.stream_id} AND initial_rows"
    table = f"SELECT 1 FROM {stream.table.quoted} LIMIT 1"
    return bool(session.duck.execute(initial).fetchall() and session.duck.execute(table).fetchall())


def _options(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {"APPEND_ONLY": False, "SHOW_INITIAL_ROWS": False, "COMMENT": "", "AT": None}
    position = 0
    if at := _AT_STREAM.match(text):
        options["AT"], position = at["stream"], at.end()
    while match := _OPTION.match(text, position):
        value = match["value"]
        key = match["key"].upper()
        options[key] = value[1:-1].replace("''", "'") if value.startswith("'") else value.upper() == "TRUE"
        position = match.end()
    if rest := text[position:].strip():
        if re.match(r"(AT|BEFORE)\b", rest, re.IGNORECASE):
            raise Unsupported("CREATE STREAM ... AT | BEFORE", "Only AT (STREAM => '...') is supported.")
        raise CompilationError(f"syntax error: unexpected '{rest.split()[0]}'.")
    if options.get("INSERT_ONLY"):
        raise Unsupported("CREATE STREAM ... INSERT_ONLY = TRUE (external tables only)")
    return options


def _insert(session: Session, stream: Stream, options: dict[str, Any], old: Stream | None) -> Stream:
    """Write a new stream, in the place of an old one of that name; the stream with its number."""
    name, table, duck = stream.name, stream.table, session.duck
    meta = session.warehouse.meta(name.database)
    like = _stream_like(session, stream, options["AT"]) if options["AT"] else None
    (stream_id,) = duck.execute(f"SELECT nextval('{meta}.sc_object')").fetchall()[0]
    if like is not None:
        duck.execute(
            f"INSERT INTO {meta}.sc_pending "
            f"SELECT {stream_id}, tx FROM {meta}.sc_pending WHERE stream_id = {like.stream_id}"
        )
    if old is not None:
        _delete(duck, meta, old)
    duck.execute(
        f"INSERT INTO {meta}.sc_streams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)",
        [
            *(name.schema, name.name, stream_id, table.schema, table.name, stream.append_only),
            *(
                options["SHOW_INITIAL_ROWS"],
                stream.comment,
                stream.owner,
                stream.created_on,
                stream.created_on,
            ),
        ],
    )
    for each in stream.behind:
        duck.execute(
            f"INSERT INTO {meta}.sc_view_streams VALUES (?, ?, ?)", [stream_id, each.schema, each.name]
        )
    return dataclasses.replace(stream, stream_id=stream_id)


def _stream_like(session: Session, stream: Stream, written: str) -> Stream:
    """The stream whose offset AT (STREAM => '...') copies: one on the same table or view."""
    like = session.warehouse.streams.stream(session.qualify(written))
    if like.table != stream.table or like.stale:
        raise CompilationError(f"Stream '{like.name}' is not one on '{stream.table}', or is stale.")
    return like


def _delete(duck: duckdb.DuckDBPyConnection, meta: str, stream: Stream) -> None:
    for table in ("sc_streams", "sc_pending", "sc_view_streams"):
        duck.execute(f"DELETE FROM {meta}.{table} WHERE stream_id = {stream.stream_id}")


def _shown_row(session: Session, stream: Stream) -> list[Any]:
    table, registry = str(stream.table), session.warehouse.streams
    meta = session.warehouse.meta(stream.name.database)
    query = f"SELECT consumed_on FROM {meta}.sc_streams WHERE stream_id = ?"
    consumed = session.duck.execute(query, [stream.stream_id]).fetchall()
    consumed_on = consumed[0][0] if consumed else stream.created_on
    consumed_on = max(consumed_on, registry.found_empty.get(stream.name, consumed_on))
    return [
        stream.created_on,
        stream.name.name,
        stream.name.database,
        stream.name.schema,
        owner_of(session, "STREAM", stream.name),
        stream.comment,
        table,
        "View" if stream.behind else "Table",
        ",".join(str(each) for each in stream.behind if each in registry.tables) or table,
        "DELTA",
        str(stream.stale).lower(),
        "APPEND_ONLY" if stream.append_only else "DEFAULT",
        consumed_on + timedelta(days=STALE_AFTER_DAYS),
        "Base table dropped or replaced" if stream.stale else "N/A",
        "ROLE",
    ]


STATEMENTS = [
    (_CREATE, create_stream),
    (_DROP, drop_stream),
    (_SHOW, show_streams),
    (_DESCRIBE, describe_stream),
]


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """A schema's streams are gone with it; those of other schemas on its tables are stale."""
    registry, meta = warehouse.streams, warehouse.meta(database)
    with registry.commit_lock, warehouse.cursor() as duck:
        for stream in list(registry.streams.values()):
            if (stream.name.database, stream.name.schema) == (database, schema):
                _delete(duck, meta, stream)
        for tracked in list(registry.tables.values()):
            if (tracked.name.database, tracked.name.schema) == (database, schema):
                forget_table(duck, tracked, meta)
        for view in {view for stream in registry.streams.values() for view in stream.behind}:
            if (view.database, view.schema) == (database, schema):
                make_stale(duck, view, meta)
        registry.load(duck, database, meta)


SYSTEM_FUNCTIONS = {"SYSTEM$STREAM_HAS_DATA": stream_has_data}
