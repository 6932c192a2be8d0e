"""Offsets that the log does not have: found, named, answered by the policy, and recorded as gaps."""

import pytest

from ingest.errors import OffsetOutOfRange
from ingest.positions import (
    GapReason,
    OffsetReset,
    OnOffsetReset,
    PartitionLog,
    StoredOffset,
    resets_needed,
)

EARLIEST, LATEST, FAIL = OnOffsetReset.EARLIEST, OnOffsetReset.LATEST, OnOffsetReset.FAIL
STORED = StoredOffset(100, 0, "one", first_offset=5)
RETENTION = PartitionLog(150, 300, "one")
REPLACED = PartitionLog(0, 300, "two")
TRUNCATED = PartitionLog(0, 60, "one", is_past_end=True)
NAMELESS = PartitionLog(0, 60, None, is_past_end=True)


def _reset(log: PartitionLog, policy: OnOffsetReset) -> OffsetReset:
    (reset,) = resets_needed("sales", {0: STORED}, {0: log}, policy)
    return reset


def _gaps(reset: OffsetReset) -> list[tuple[int, int, int | None, str]]:
    return [(gap.generation, gap.start, gap.end, gap.reason.value) for gap in reset.gaps]


@pytest.mark.parametrize("policy", list(OnOffsetReset))
@pytest.mark.parametrize(
    "log",
    [
        PartitionLog(0, 100, "one"),
        PartitionLog(100, 100, "one"),
        PartitionLog(0, 100, None),
        # An end that was asked for and is too low, as the embedded broker tells it, is no proof.
        PartitionLog(0, 60, "one"),
        # What was refused is another offset: one read ahead, or one from before another member's reset.
        PartitionLog(0, 140, "one", is_past_end=True),
        PartitionLog(0, 140, None, is_past_end=True),
    ],
)
def test_an_offset_that_the_log_has_is_left_alone(log: PartitionLog, policy: OnOffsetReset) -> None:
    assert resets_needed("sales", {0: STORED}, {0: log}, policy) == []


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (RETENTION, "deleted its beginning before it was loaded"),
        (REPLACED, "deleted and made anew"),
        (TRUNCATED, "the log lost its end"),
        (NAMELESS, "deleted and made anew"),
    ],
)
def test_by_default_it_is_said_what_happened_and_how_to_go_on(log: PartitionLog, said: str) -> None:
    # PITFALLS 29.
    with pytest.raises(OffsetOutOfRange, match=said) as caught:
        resets_needed("sales", {0: STORED}, {0: log}, FAIL)
    assert "--on-offset-reset earliest" in str(caught.value)
    assert "asks for 100" in str(caught.value)
    assert not caught.value.transient


def test_retention_loses_a_known_stretch_of_the_same_log() -> None:
    earliest, latest = _reset(RETENTION, EARLIEST), _reset(RETENTION, LATEST)
    assert earliest.new == StoredOffset(150, 0, "one", 5)
    assert _gaps(earliest) == [(0, 100, 150, "RETENTION")]
    assert latest.new == StoredOffset(300, 0, "one", 5)
    assert _gaps(latest) == [(0, 100, 150, "RETENTION"), (0, 150, 300, "SKIPPED")]


@pytest.mark.parametrize(
    ("log", "reason", "end"),
    [
        (REPLACED, "TOPIC_REPLACED", None),
        (TRUNCATED, "LOG_TRUNCATED", 100),
        (NAMELESS, "TOPIC_REPLACED", None),
    ],
)
def test_another_log_is_another_generation(log: PartitionLog, reason: str, end: int | None) -> None:
    earliest, latest = _reset(log, EARLIEST), _reset(log, LATEST)
    assert earliest.new == StoredOffset(0, 1, log.topic_id, 0)
    assert _gaps(earliest) == [(0, 100, end, reason)]
    assert latest.new == StoredOffset(log.high, 1, log.topic_id, 0)
    assert _gaps(latest) == [(0, 100, end, reason), (1, 0, log.high, "SKIPPED")]
    # The gap keeps where the log that ended had begun: the stored row no longer does.
    assert earliest.gaps[0].first_offset == 5


def test_a_topic_of_unknown_identity_is_not_taken_for_another() -> None:
    stored = {0: StoredOffset(100, 0, None)}
    assert resets_needed("sales", stored, {0: PartitionLog(0, 300, "one")}, FAIL) == []


def test_only_the_partitions_that_need_it_are_reset() -> None:
    stored = {0: STORED, 1: StoredOffset(200, 0, "one")}
    (reset,) = resets_needed("sales", stored, {0: RETENTION, 1: RETENTION}, EARLIEST)
    assert reset.partition == 0


def test_a_gap_knows_its_size_or_that_nobody_does() -> None:
    assert _reset(RETENTION, EARLIEST).gaps[0].offsets == 50
    assert _reset(REPLACED, EARLIEST).gaps[0].offsets is None
    assert _reset(TRUNCATED, LATEST).gaps[0].offsets == 0
    assert {gap.reason for gap in _reset(TRUNCATED, LATEST).gaps} == {
        GapReason.LOG_TRUNCATED,
        GapReason.SKIPPED,
    }
