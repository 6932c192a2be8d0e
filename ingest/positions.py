"""Where reading goes on in each partition, and what is done when its log no longer has that place.

Three things can happen to a log behind the back of a stored offset: retention deletes its beginning, it loses
its end (an unclean leader election, a restored broker), or the topic is deleted and made anew. Each is found
and answered by an explicit policy; what will never be loaded is written down in RAW_DATA.KAFKA_OFFSET_GAPS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ingest.errors import OffsetOutOfRange


class OnOffsetReset(StrEnum):
    """What to do when the stored offset is not in the log."""

    FAIL = "fail"
    EARLIEST = "earliest"
    LATEST = "latest"


class GapReason(StrEnum):
    """Why offsets are not in RAW and never will be."""

    # The broker gave the next offset without them: compaction, aborted transactions, transaction markers.
    NOT_IN_LOG = "NOT_IN_LOG"
    RETENTION = "RETENTION"
    # The policy `latest` passed over them.
    SKIPPED = "SKIPPED"
    TOPIC_REPLACED = "TOPIC_REPLACED"
    LOG_TRUNCATED = "LOG_TRUNCATED"


@dataclass(frozen=True)
class PartitionLog:
    """What the broker says of a partition: first offset, the one after the last, its topic's identity."""

    low: int
    high: int
    # None where the broker does not tell: before Kafka 2.8.
    topic_id: str | None = None
    # A fetch of ours was refused because the log ends before it. Asked for directly, not every broker tells
    # the true end of a log.
    is_past_end: bool = False


@dataclass(frozen=True)
class StoredOffset:
    """What the warehouse says of one partition: a row of RAW_DATA.KAFKA_OFFSETS."""

    next_offset: int
    # 0 for the first log of this name, 1 for the one that replaced it, ...: offsets begin anew in each.
    generation: int = 0
    topic_id: str | None = None
    # Where loading of this log began.
    first_offset: int = 0


@dataclass(frozen=True)
class Gap:
    """Offsets of one partition from `start` up to, not with, `end`; None: nobody knows how many."""

    partition: int
    generation: int
    start: int
    end: int | None
    reason: GapReason
    # Of a log that ended here: where its loading had begun.
    first_offset: int | None = None

    @property
    def offsets(self) -> int | None:
        return None if self.end is None else self.end - self.start


@dataclass(frozen=True)
class OffsetReset:
    """A partition that goes on elsewhere than its stored offset says, and what that leaves out."""

    partition: int
    old: StoredOffset
    new: StoredOffset
    gaps: tuple[Gap, ...]
    policy: OnOffsetReset


def resets_needed(
    topic: str,
    stored: Mapping[int, StoredOffset],
    logs: Mapping[int, PartitionLog],
    policy: OnOffsetReset,
) -> list[OffsetReset]:
    """The partitions whose logs do not have their stored offsets, with the way on that the policy chooses.

    Raises OffsetOutOfRange for the first of them when the policy is `fail`.
    """
    resets = []
    for partition, log in sorted(logs.items()):
        reason = _displaced_by(stored[partition], log)
        if reason is None:
            continue
        if policy is OnOffsetReset.FAIL:
            raise OffsetOutOfRange(
                topic, partition, stored[partition].next_offset, log.low, log.high, reason.value
            )
        resets.append(_reset(partition, stored[partition], log, reason, policy))
    return resets


def next_offsets(stored: Mapping[int, StoredOffset]) -> dict[int, int]:
    """Of each partition, where reading goes on."""
    return {partition: offset.next_offset for partition, offset in stored.items()}


def _displaced_by(stored: StoredOffset, log: PartitionLog) -> GapReason | None:
    if stored.topic_id and log.topic_id and stored.topic_id != log.topic_id:
        return GapReason.TOPIC_REPLACED
    # What was refused may be another offset than the stored one: one read ahead, or one that another member
    # has answered since.
    if log.is_past_end and stored.next_offset > log.high:
        # Without identities the likelier of the two: topics are deleted more often than logs are cut.
        is_same = stored.topic_id is not None and stored.topic_id == log.topic_id
        return GapReason.LOG_TRUNCATED if is_same else GapReason.TOPIC_REPLACED
    if stored.next_offset < log.low:
        return GapReason.RETENTION
    return None


def _reset(
    partition: int, old: StoredOffset, log: PartitionLog, reason: GapReason, policy: OnOffsetReset
) -> OffsetReset:
    goes_on_at = log.low if policy is OnOffsetReset.EARLIEST else log.high
    generation = old.generation if reason is GapReason.RETENTION else old.generation + 1
    is_same_log = generation == old.generation
    # What the old log still had is not known when it is gone; one that was cut had been loaded to its end.
    lost_until = {GapReason.RETENTION: log.low, GapReason.LOG_TRUNCATED: old.next_offset}.get(reason)
    began_at = None if is_same_log else old.first_offset
    gaps = [Gap(partition, old.generation, old.next_offset, lost_until, reason, began_at)]
    if goes_on_at > log.low:
        gaps.append(Gap(partition, generation, log.low, goes_on_at, GapReason.SKIPPED))
    first_offset = old.first_offset if is_same_log else log.low
    new = StoredOffset(goes_on_at, generation, log.topic_id, first_offset)
    return OffsetReset(partition, old, new, tuple(gaps), policy)
