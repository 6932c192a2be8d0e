"""The warehouse as a sink: one path for Snowflake and for the local one.

A batch is staged as a Parquet file, then one transaction inserts the rows from it and moves the offsets.
The rows come by INSERT ... SELECT rather than COPY INTO: it is ordinary DML, so it has every function, is
part of the transaction, and keeps no load history that could skip a file.
https://docs.snowflake.com/en/user-guide/querying-stage
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Final

import pyarrow as pa

from caves_snowpark.event_contract import PAYLOAD_REFUSED, PAYLOAD_TOO_LARGE
from caves_snowpark.names import INGEST_STAGE, RAW_DATA, RAW_EVENTS
from ingest import refusals
from ingest.batch import Batch, Slice, parquet
from ingest.errors import (
    FencedError,
    IngestError,
    WarehouseRefused,
    WarehouseRefusedValue,
    WarehouseUnreachable,
)
from ingest.offsets import (
    advance_offsets,
    know_topic,
    read_offsets,
    record_gaps,
    reset_offset,
    seed_offsets,
)
from ingest.positions import OffsetReset, PartitionLog, StoredOffset, next_offsets
from ingest.session import WarehouseSession, warehouse_session
from ingest.settings import IngestSettings

log = logging.getLogger(__name__)

# A batch is loaded in a second or two; a warehouse that has to be resumed or is busy takes longer.
_INSERT_SECONDS: Final = 300
_FILE_FORMAT: Final = f"{RAW_DATA}.PARQUET_BATCH"
_COORDINATES: Final = ("kafka_partition", "kafka_offset")


def _whole_number(field: str) -> str:
    """The field where it is an integer: TRY_CAST rounds, and 12.5 must not show as the product 13."""
    text = f"CONTENT:{field}::VARCHAR"
    integer, number = f"TRY_CAST({text} AS NUMBER(38, 0))", f"TRY_CAST({text} AS NUMBER(38, 9))"
    return f"IFF({integer} = {number}, {integer}, NULL)"


# TRY_PARSE_JSON gives null for what is not JSON (duplicate keys and an empty text too), and only an object
# is an event; everything else is kept as its text. TRY_CAST goes through text because it takes no VARIANT.
_INSERT: Final = f"""
INSERT INTO {RAW_EVENTS} (EVENT_TYPE, PRODUCT_ID, CUSTOMER_ID, EVENT_METADATA, EVENT_CONTENT)
SELECT
    IFF(TYPEOF(CONTENT:event_type) = 'VARCHAR', CONTENT:event_type::VARCHAR, NULL) AS EVENT_TYPE,
    {_whole_number("product_id")} AS PRODUCT_ID,
    {_whole_number("customer_id")} AS CUSTOMER_ID,
    OBJECT_CONSTRUCT(
        'topic', TOPIC,
        'generation', GENERATION,
        'partition', KAFKA_PARTITION,
        'offset', KAFKA_OFFSET,
        'timestamp_ms', TIMESTAMP_MS,
        'key', MESSAGE_KEY,
        'key_encoding', NULLIF(KEY_ENCODING, 'utf-8'),
        'headers', TRY_PARSE_JSON(HEADERS),
        'encoding', PAYLOAD_ENCODING,
        'refusal', REFUSAL,
        'message', TRY_PARSE_JSON(MESSAGE_FACTS),
        'format', CASE
            WHEN PAYLOAD IS NULL THEN 'tombstone'
            WHEN IS_OBJECT(CONTENT) THEN 'json'
            ELSE 'text'
        END
    ) AS EVENT_METADATA,
    IFF(IS_OBJECT(CONTENT), CONTENT, TO_VARIANT(COALESCE(PAYLOAD, ''))) AS EVENT_CONTENT
FROM (
    SELECT
        $1:topic::VARCHAR AS TOPIC,
        $1:generation::NUMBER(38, 0) AS GENERATION,
        $1:kafka_partition::NUMBER(38, 0) AS KAFKA_PARTITION,
        $1:kafka_offset::NUMBER(38, 0) AS KAFKA_OFFSET,
        $1:timestamp_ms::NUMBER(38, 0) AS TIMESTAMP_MS,
        $1:message_key::VARCHAR AS MESSAGE_KEY,
        $1:key_encoding::VARCHAR AS KEY_ENCODING,
        $1:headers::VARCHAR AS HEADERS,
        $1:payload::VARCHAR AS PAYLOAD,
        $1:payload_encoding::VARCHAR AS PAYLOAD_ENCODING,
        $1:refusal::VARCHAR AS REFUSAL,
        $1:message_facts::VARCHAR AS MESSAGE_FACTS,
        IFF($1:refusal::VARCHAR IS NULL, TRY_PARSE_JSON($1:payload::VARCHAR), NULL) AS CONTENT
    FROM @{INGEST_STAGE}/{{file}} (FILE_FORMAT => '{_FILE_FORMAT}')
)
"""  # noqa: S608 - our own names and a file name that we made


class WarehouseSink:
    """Loads batches exactly once, also when a connection breaks at the worst moment."""

    def __init__(self, session: WarehouseSession) -> None:
        self._session = session
        # What an attempt would have loaded that ended without an answer: it may have been committed.
        self._in_doubt: tuple[Slice, ...] = ()

    def stored_offsets(self, topic: str, logs: Mapping[int, PartitionLog]) -> dict[int, StoredOffset]:
        stored = read_offsets(self._session, topic)
        missing = {partition: log for partition, log in logs.items() if partition not in stored}
        identity = next((log.topic_id for log in logs.values() if log.topic_id), None)
        nameless = any(stored[partition].topic_id is None for partition in logs if partition in stored)
        if missing:
            seed_offsets(self._session, topic, missing)
        if identity is not None and nameless:
            know_topic(self._session, topic, identity)
        if missing or (identity is not None and nameless):
            stored = read_offsets(self._session, topic)
        return {partition: stored[partition] for partition in logs}

    def reset_offsets(self, topic: str, resets: Sequence[OffsetReset]) -> None:
        try:
            self._session.run("BEGIN")
            for reset in resets:
                record_gaps(self._session, topic, reset.gaps, reset.policy)
                if not reset_offset(self._session, topic, reset):
                    expected = {reset.partition: reset.old.next_offset}
                    raise FencedError(topic, expected, next_offsets(read_offsets(self._session, topic)))
            self._session.run("COMMIT")
        except IngestError:
            self._roll_back()
            raise

    def load(self, batch: Batch) -> None:
        if self._in_doubt == batch.slices and self._already_stored(batch):
            log.info("the attempt without an answer was committed; %s rows are not loaded again", batch.rows)
            self._in_doubt = ()
            return
        batch = self._without_large(batch)
        try:
            self._load(batch)
        except WarehouseRefusedValue as refusal:
            log.warning("a batch of %s rows is refused, the row is looked for: %s", batch.rows, refusal)
            self._load(self._without_refused(batch, refusal))

    def close(self) -> None:
        self._session.drop()

    def _load(self, batch: Batch) -> None:
        file = self._stage(batch.table)
        try:
            self._commit(batch, file)
        finally:
            self._remove(file)

    def _without_large(self, batch: Batch) -> Batch:
        """The batch, where what no column holds gives way to a stub; the file with the whole goes first."""
        large = refusals.too_large(batch.table)
        stubs = {row: self._stub(batch.table.slice(row, 1), PAYLOAD_TOO_LARGE) for row in large}
        return replace(batch, table=refusals.with_rows(batch.table, stubs)) if stubs else batch

    def _without_refused(self, batch: Batch, refusal: WarehouseRefused) -> Batch:
        """The batch, where the rows that the warehouse refuses have a form that it takes."""
        kept = {}
        for row in refusals.refused_rows(batch.table, self._accepts):
            kept[row] = self._acceptable(batch.table.slice(row, 1), refusal)
        if not kept:
            raise refusal
        return replace(batch, table=refusals.with_rows(batch.table, kept))

    def _acceptable(self, row: pa.Table, refusal: WarehouseRefused) -> pa.Table:
        """A refused row as text, or else as a stub. One refused even so is not at fault: the statement is."""
        log.warning("refused: partition %s, offset %s", *(row[name][0].as_py() for name in _COORDINATES))
        if self._accepts(text := refusals.as_text(row)):
            return text
        if self._accepts(stub := self._stub(row, PAYLOAD_REFUSED)):
            return stub
        raise refusal

    def _accepts(self, table: pa.Table) -> bool:
        """Whether the warehouse takes these rows: they are inserted and rolled back."""
        file = self._stage(table)
        try:
            self._session.run("BEGIN")
            self._insert(file)
        except WarehouseRefusedValue:
            return False
        else:
            return True
        finally:
            self._roll_back()
            self._remove(file)

    def _stub(self, row: pa.Table, reason: str) -> pa.Table:
        stub, file, content = refusals.as_stub(row, reason)
        self._put(content, file, f"/{refusals.REFUSED_FOLDER}", overwrite=True)
        return stub

    def _commit(self, batch: Batch, file: str) -> None:
        try:
            self._session.run("BEGIN")
            loaded = self._insert(file)
            if loaded != batch.rows:
                raise WarehouseRefused("INSERT", f"{loaded} rows instead of {batch.rows} came from {file}")
            record_gaps(self._session, batch.topic, batch.gaps)
            # Last, because an UPDATE locks its table to the end of the transaction and an INSERT does not:
            # other writers wait a moment, not a load, and one killed in its load leaves no lock behind.
            if not advance_offsets(self._session, batch.topic, batch.slices):
                self._fenced_unless_ours(batch)
                return
            self._session.run("COMMIT")
            self._in_doubt = ()
        except WarehouseUnreachable:
            self._in_doubt = batch.slices
            raise
        except IngestError:
            self._roll_back()
            raise

    def _insert(self, file: str) -> int:
        return self._session.run(_INSERT.format(file=file), seconds=_INSERT_SECONDS).rowcount

    def _fenced_unless_ours(self, batch: Batch) -> None:
        """The offsets are not where the batch starts: an earlier attempt moved them, or a stranger."""
        self._session.run("ROLLBACK")
        stored = read_offsets(self._session, batch.topic)
        if not (self._in_doubt == batch.slices and _covers(stored, batch)):
            raise FencedError(batch.topic, batch.starts, next_offsets(stored))
        self._in_doubt = ()

    def _already_stored(self, batch: Batch) -> bool:
        return _covers(read_offsets(self._session, batch.topic), batch)

    def _stage(self, table: pa.Table) -> str:
        """Upload rows under a name that no other writer has; returns the name."""
        file = f"{uuid.uuid4().hex}.parquet"
        self._put(parquet(table), file)
        return file

    def _put(self, content: BytesIO, file: str, folder: str = "", *, overwrite: bool = False) -> None:
        options = f"AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = {str(overwrite).upper()}"
        self._session.run(f"PUT file://{file} @{INGEST_STAGE}{folder} {options}", file=content)

    def _roll_back(self) -> None:
        try:
            self._session.run("ROLLBACK")
        except IngestError as error:
            log.warning("no answer to ROLLBACK, so the session is dropped: %s", error)
            self._session.drop()

    def _remove(self, file: str) -> None:
        """The file has served. One that stays behind costs space and no more: no two have the same name."""
        if self._in_doubt:
            return
        try:
            self._session.run(f"REMOVE @{INGEST_STAGE}/{file}")
        except IngestError as error:
            log.warning("staged file %s stays behind: %s", file, error)


def warehouse_sink(settings: IngestSettings) -> WarehouseSink:
    """The sink of a connection by name."""
    return WarehouseSink(warehouse_session(settings.connection, settings.config_file))


def _covers(stored: Mapping[int, StoredOffset], batch: Batch) -> bool:
    """Whether the stored offsets are those that the batch leads to, in the same logs."""
    return all(
        part.partition in stored
        and stored[part.partition].next_offset == part.end
        and stored[part.partition].generation == part.generation
        for part in batch.slices
    )
