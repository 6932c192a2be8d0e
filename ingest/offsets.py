"""RAW_DATA.KAFKA_OFFSETS: how far each partition has been loaded, and the fence between two writers.

Beside it RAW_DATA.KAFKA_OFFSET_GAPS says which offsets will never be loaded, and why.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from caves_snowpark.names import KAFKA_OFFSET_GAPS, KAFKA_OFFSETS
from ingest.batch import Slice
from ingest.positions import Gap, OffsetReset, OnOffsetReset, PartitionLog, StoredOffset
from ingest.session import WarehouseSession

_READ: Final = (
    "SELECT PARTITION, NEXT_OFFSET, COALESCE(LOG_GENERATION, 0), TOPIC_ID, FIRST_OFFSET "  # noqa: S608 - ours
    f"FROM {KAFKA_OFFSETS} WHERE TOPIC = %s"
)

# A MERGE, so that of two writers that start at once only one makes the row. Snowflake enforces no key: should
# both make it after all, the update below meets two rows where it wants one and is rolled back.
_SEED: Final = f"""
MERGE INTO {KAFKA_OFFSETS} AS STORED
USING (SELECT %s AS TOPIC, %s AS PARTITION, %s AS NEXT_OFFSET, %s AS TOPIC_ID) AS SEEN
    ON STORED.TOPIC = SEEN.TOPIC AND STORED.PARTITION = SEEN.PARTITION
WHEN NOT MATCHED THEN
    INSERT (TOPIC, PARTITION, NEXT_OFFSET, FIRST_OFFSET, UPDATED_AT, TOPIC_ID, LOG_GENERATION)
    VALUES (SEEN.TOPIC, SEEN.PARTITION, SEEN.NEXT_OFFSET, SEEN.NEXT_OFFSET, SYSDATE(), SEEN.TOPIC_ID, 0)
"""  # noqa: S608 - our name

_KNOW_TOPIC: Final = f"UPDATE {KAFKA_OFFSETS} SET TOPIC_ID = %s WHERE TOPIC = %s AND TOPIC_ID IS NULL"  # noqa: S608

_RESET: Final = f"""
UPDATE {KAFKA_OFFSETS}
SET
    NEXT_OFFSET = %s, LOG_GENERATION = %s, TOPIC_ID = %s,
    FIRST_OFFSET = %s, UPDATED_AT = SYSDATE()
WHERE TOPIC = %s AND PARTITION = %s AND NEXT_OFFSET = %s AND COALESCE(LOG_GENERATION, 0) = %s
"""  # noqa: S608 - our name


def read_offsets(session: WarehouseSession, topic: str) -> dict[int, StoredOffset]:
    """The stored offset of each partition of the topic."""
    return {
        int(partition): StoredOffset(int(offset), int(generation), topic_id, int(first))
        for partition, offset, generation, topic_id, first in session.run(_READ, (topic,)).rows
    }


def seed_offsets(session: WarehouseSession, topic: str, logs: Mapping[int, PartitionLog]) -> None:
    """Make the row of each partition that has none, at the beginning of its log."""
    for partition, log in logs.items():
        session.run(_SEED, (topic, partition, log.low, log.topic_id))


def know_topic(session: WarehouseSession, topic: str, topic_id: str) -> None:
    """Write the topic's identity where none is known yet."""
    session.run(_KNOW_TOPIC, (topic_id, topic))


def advance_offsets(session: WarehouseSession, topic: str, slices: Sequence[Slice]) -> bool:
    """Move every partition from the start of its slice to its end; False when one is not at its start.

    One statement for all of them. Inside the transaction that writes the rows it is the fence: of two writers
    that begin at the same offset, one finds that its start no longer holds.
    """
    ends = " ".join("WHEN %s THEN %s" for _ in slices)
    start = "(PARTITION = %s AND NEXT_OFFSET = %s AND COALESCE(LOG_GENERATION, 0) = %s)"
    statement = (
        f"UPDATE {KAFKA_OFFSETS} SET NEXT_OFFSET = CASE PARTITION {ends} END, UPDATED_AT = SYSDATE() "  # noqa: S608
        f"WHERE TOPIC = %s AND ({' OR '.join(start for _ in slices)})"
    )
    parameters: list[object] = [value for part in slices for value in (part.partition, part.end)]
    parameters.append(topic)
    parameters += [value for part in slices for value in (part.partition, part.start, part.generation)]
    return session.run(statement, parameters).rowcount == len(slices)


def reset_offset(session: WarehouseSession, topic: str, reset: OffsetReset) -> bool:
    """Let a partition go on elsewhere; False when its stored offset is no longer the one that was judged."""
    old, new = reset.old, reset.new
    statement = (new.next_offset, new.generation, new.topic_id, new.first_offset)
    condition = (topic, reset.partition, old.next_offset, old.generation)
    return session.run(_RESET, (*statement, *condition)).rowcount == 1


def record_gaps(
    session: WarehouseSession, topic: str, gaps: Sequence[Gap], policy: OnOffsetReset | None = None
) -> None:
    """Write down what will never be loaded, in the transaction that passes over it."""
    if not gaps:
        return
    rows = ", ".join("(%s, %s, %s, %s, %s, %s, %s, %s)" for _ in gaps)
    statement = (
        f"INSERT INTO {KAFKA_OFFSET_GAPS} "  # noqa: S608 - our name
        "(TOPIC, LOG_GENERATION, PARTITION, FROM_OFFSET, TO_OFFSET, REASON, RESET_POLICY, FIRST_OFFSET, "
        "DETECTED_AT) "
        f"SELECT $1, $2, $3, $4, $5, $6, $7, $8, SYSDATE() FROM VALUES {rows}"
    )
    parameters: list[object] = []
    for gap in gaps:
        parameters += [topic, gap.generation, gap.partition, gap.start, gap.end, gap.reason.value]
        parameters += [policy.value if policy else None, gap.first_offset]
    session.run(statement, parameters)
