"""RAW_DATA.KAFKA_OFFSETS: how far each partition has been loaded, and the fence between two writers."""

from collections.abc import Mapping, Sequence
from typing import Final

from caves_snowpark.names import KAFKA_OFFSETS
from ingest.batch import Slice
from ingest.session import WarehouseSession

_READ: Final = f"SELECT PARTITION, NEXT_OFFSET FROM {KAFKA_OFFSETS} WHERE TOPIC = %s"  # noqa: S608 - our name

# A MERGE, so that of two writers that start at once only one makes the row. Snowflake enforces no key: should
# both make it after all, the update below meets two rows where it wants one and is rolled back.
_SEED: Final = f"""
MERGE INTO {KAFKA_OFFSETS} AS STORED
USING (SELECT %s AS TOPIC, %s AS PARTITION, %s AS NEXT_OFFSET) AS SEEN
    ON STORED.TOPIC = SEEN.TOPIC AND STORED.PARTITION = SEEN.PARTITION
WHEN NOT MATCHED THEN
    INSERT (TOPIC, PARTITION, NEXT_OFFSET, FIRST_OFFSET, UPDATED_AT)
    VALUES (SEEN.TOPIC, SEEN.PARTITION, SEEN.NEXT_OFFSET, SEEN.NEXT_OFFSET, SYSDATE())
"""  # noqa: S608 - our name


def read_offsets(session: WarehouseSession, topic: str) -> dict[int, int]:
    """The stored next offset of each partition of the topic."""
    return {int(partition): int(offset) for partition, offset in session.run(_READ, (topic,)).rows}


def seed_offsets(session: WarehouseSession, topic: str, beginnings: Mapping[int, int]) -> None:
    """Make the row of each partition that has none, at the beginning of its log."""
    for partition, beginning in beginnings.items():
        session.run(_SEED, (topic, partition, beginning))


def advance_offsets(session: WarehouseSession, topic: str, slices: Sequence[Slice]) -> bool:
    """Move every partition from the start of its slice to its end; False when one is not at its start.

    One statement for all of them. Inside the transaction that writes the rows it is the fence: of two writers
    that begin at the same offset, one finds that its start no longer holds.
    """
    ends = " ".join("WHEN %s THEN %s" for _ in slices)
    starts = " OR ".join("(PARTITION = %s AND NEXT_OFFSET = %s)" for _ in slices)
    statement = (
        f"UPDATE {KAFKA_OFFSETS} SET NEXT_OFFSET = CASE PARTITION {ends} END, UPDATED_AT = SYSDATE() "  # noqa: S608
        f"WHERE TOPIC = %s AND ({starts})"
    )
    parameters: list[object] = [value for part in slices for value in (part.partition, part.end)]
    parameters += [topic, *(value for part in slices for value in (part.partition, part.start))]
    return session.run(statement, parameters).rowcount == len(slices)
