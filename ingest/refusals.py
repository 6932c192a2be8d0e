"""Messages that the warehouse cannot hold as they are: found, and kept in a form that it takes.

A payload beyond what a column holds is known by its size. Whatever else a warehouse may refuse is found by
halving the batch until one row is left. Such a message is never dropped and never stops the others: it goes
in as its text, unparsed, or as its beginning with the whole message in a staged file, and EVENT_METADATA
says which.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from caves_snowpark.event_contract import PAYLOAD_REFUSED, PAYLOAD_TOO_LARGE
from ingest.batch import BASE64, parquet

# A VARCHAR column holds 16,777,216 bytes unless it was declared larger, and in many accounts a VARIANT too;
# the rest is room for what a VARIANT adds to its text.
# https://docs.snowflake.com/en/sql-reference/data-types-text
LARGEST_TEXT_BYTES: Final = 16_000_000
# Below the ingestor's stage; the ingestor removes nothing there.
REFUSED_FOLDER: Final = "refused"
# Of a message that lies elsewhere, what stays in the row. A multiple of 4, so that base64 ends well.
_BEGINNING_CHARACTERS: Final = 1_000


def too_large(table: pa.Table) -> list[int]:
    """The rows whose texts no column would hold."""
    bytes_of = [
        pc.fill_null(pc.cast(pc.binary_length(table.column(name)), pa.int64()), 0)
        for name in ("payload", "message_key", "headers")
    ]
    total = pc.add(pc.add(bytes_of[0], bytes_of[1]), bytes_of[2])
    if (pc.max(total).as_py() or 0) <= LARGEST_TEXT_BYTES:
        return []
    return [row for row, length in enumerate(total.to_pylist()) if length > LARGEST_TEXT_BYTES]


def refused_rows(table: pa.Table, accepts: Callable[[pa.Table], bool]) -> Iterator[int]:
    """The rows of a refused table that are refused by themselves, each found by halving what is refused.

    Of two halves one is tried; when it is taken, the other must hold the fault. A row is tried alone before
    it is named, so that a fault of the whole is never laid on a row.
    """
    suspects = [(0, table.num_rows)]
    while suspects:
        start, count = suspects.pop()
        if count == 1:
            if not accepts(table.slice(start, 1)):
                yield start
            continue
        half = count // 2
        halves = [(start, half), (start + half, count - half)]
        if accepts(table.slice(*halves[0])):
            suspects.append(halves[1])
            continue
        suspects.append(halves[0])
        if not accepts(table.slice(*halves[1])):
            suspects.append(halves[1])


def as_text(row: pa.Table) -> pa.Table:
    """The row with its payload as it is, never to be parsed."""
    return _replaced(row, refusal=PAYLOAD_REFUSED)


def as_stub(row: pa.Table, reason: str = PAYLOAD_TOO_LARGE) -> tuple[pa.Table, str, BytesIO]:
    """The row with the beginning of its payload; the name and the content of the file that has all of it.

    The name follows from the message, so that a retry writes the same file again. The content is the row
    itself as Parquet, with its key, its headers and its payload.
    """
    [message] = row.to_pylist()
    text = message["payload"] or ""
    payload = base64.b64decode(text) if message["payload_encoding"] == BASE64 else text.encode()
    digest = hashlib.sha256(payload).hexdigest()
    place = f"{message['topic']}-{message['kafka_partition']}-{message['kafka_offset']}"
    file = f"{place}-{digest[:16]}.parquet"
    facts = {"bytes": len(payload), "sha256": digest, "file": f"{REFUSED_FOLDER}/{file}"}
    beginning = message["payload"] and text[:_BEGINNING_CHARACTERS]
    stub = _replaced(
        row,
        refusal=reason,
        message_facts=orjson.dumps(facts).decode(),
        payload=beginning,
        message_key=message["message_key"] and message["message_key"][:_BEGINNING_CHARACTERS],
        headers=message["headers"] if len(message["headers"] or "") <= _BEGINNING_CHARACTERS else None,
    )
    return stub, file, parquet(row)


def with_rows(table: pa.Table, rows: dict[int, pa.Table]) -> pa.Table:
    """The table with other rows in some places."""
    parts, begin = [], 0
    for place in sorted(rows):
        parts += [table.slice(begin, place - begin), rows[place]]
        begin = place + 1
    return pa.concat_tables([*parts, table.slice(begin)])


def _replaced(row: pa.Table, **texts: str | None) -> pa.Table:
    for name, text in texts.items():
        row = row.set_column(row.schema.get_field_index(name), name, pa.array([text], pa.string()))
    return row
