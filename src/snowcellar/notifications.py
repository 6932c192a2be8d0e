"""SYSTEM$SEND_EMAIL and SYSTEM$SEND_SNOWFLAKE_NOTIFICATION: kept in an outbox, and sent to nobody.

Source: https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_email,
.../system_send_snowflake_notification, https://docs.snowflake.com/en/sql-reference/functions/notification_history
TABLE(INFORMATION_SCHEMA.NOTIFICATION_HISTORY()) shows the outbox: QUEUED for ever, for nothing leaves this
machine. Its column MESSAGE is ours. Any name does for an integration, since none can be created here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.session import Session

TABLE = "_fs_global._fs_information_schema.sc_notifications"
GLOBAL_DDL = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    id VARCHAR NOT NULL, created TIMESTAMPTZ NOT NULL, integration_name VARCHAR NOT NULL,
    message VARCHAR NOT NULL
);
"""
CONTENT_TYPES = ("text/plain", "text/html", "application/json")


def send_email(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$SEND_EMAIL('integration', 'addresses', 'subject', 'content' [, 'mime type'])."""
    if not 4 <= len(arguments) <= 5:
        raise CompilationError(
            f"function SYSTEM$SEND_EMAIL expects 4 to 5 arguments, got {len(arguments)}", 938
        )
    integration, addresses, subject, content = arguments[:4]
    if not subject or not content:
        raise WarehouseError("The subject and the content of an email cannot be empty.", 2301, "22023")
    kind = arguments[4] if len(arguments) > 4 else "text/plain"
    _keep(session, integration, {"to": addresses, "subject": subject, kind: content})
    return exp.true()


def send_notification(session: Session, arguments: Sequence[str]) -> exp.Expression:
    """SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('{"text/plain": "..."}', '{"integration": {...}}'): one of each."""
    if len(arguments) != 2:
        raise CompilationError(
            f"function SYSTEM$SEND_SNOWFLAKE_NOTIFICATION expects 2 arguments, got {len(arguments)}", 938
        )
    message, configuration = (_object(argument) for argument in arguments)
    for kind in message:
        if kind not in CONTENT_TYPES:
            raise WarehouseError(f"Invalid content type '{kind}'.", 2301, "22023")
    for integration, options in configuration.items():
        _keep(session, integration, {**options, **message})
    return exp.Literal.string("Enqueued notifications.")


def notification_history(session: Session, arguments: Mapping[str, exp.Expression]) -> exp.Query:
    """What was to be sent, newest first."""
    if arguments:
        raise Unsupported(f"argument {next(iter(arguments))} of NOTIFICATION_HISTORY", "Use WHERE.")
    with session.warehouse.cursor() as duck:
        kept = duck.execute(f"SELECT * FROM {TABLE} ORDER BY created DESC").fetchall()
    text, instant = pa.string(), pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "CREATED": pa.array([row[1] for row in kept], instant),
            "PROCESSED": pa.array([None for _ in kept], instant),
            "MESSAGE_SOURCE": pa.array(["NOTIFICATION_SYSTEM_SPROC" for _ in kept], text),
            "INTEGRATION_NAME": pa.array([row[2] for row in kept], text),
            "STATUS": pa.array(["QUEUED" for _ in kept], text),
            "ERROR_MESSAGE": pa.array([None for _ in kept], text),
            "ID": pa.array([row[0] for row in kept], text),
            "MESSAGE": pa.array([row[3] for row in kept], text),
        }
    )
    return relations.arrow_query(session, table)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise WarehouseError(f"Error parsing JSON: {error}", 100069, "22P02") from None
    if not isinstance(value, dict) or not value:
        raise Unsupported(f"a notification of {text[:40]}", "Give one JSON object for each argument.")
    return value


def _keep(session: Session, integration: str, message: Mapping[str, object]) -> None:
    # At once and for good, as a mail is: what the caller has open may yet be rolled back.
    with session.warehouse.cursor() as duck:
        duck.execute(
            f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?)",
            [str(uuid.uuid4()), datetime.now(UTC), integration, json.dumps(message, ensure_ascii=False)],
        )


SYSTEM_FUNCTIONS = {
    "SYSTEM$SEND_EMAIL": send_email,
    "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION": send_notification,
}
TABLE_FUNCTIONS = {"NOTIFICATION_HISTORY": notification_history}
