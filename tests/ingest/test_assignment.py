"""Where reading goes on, when another member answers at the same time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import pytest

from ingest.assignment import Assignment
from ingest.errors import FencedError
from ingest.loading import BackgroundLoad
from ingest.observer import Observer
from ingest.positions import OffsetReset, OnOffsetReset, PartitionLog
from ingest.settings import IngestSettings
from ingest.source import KafkaSource
from tests.ingest.doubles import ListSink

SETTINGS = IngestSettings("none:1", "none", on_offset_reset=OnOffsetReset.EARLIEST)


class Logs:
    """Two partitions that lost their beginnings."""

    def logs(self, partitions: Iterable[int]) -> dict[int, PartitionLog]:
        return {partition: PartitionLog(50, 90, "one") for partition in partitions}


class OvertakenSink(ListSink):
    """Somebody else resets partition 0 as often as `times` says, just before we do."""

    times = 1

    def reset_offsets(self, topic: str, resets: Sequence[OffsetReset]) -> None:
        if self.times:
            self.times -= 1
            self.offsets[0] = 50
            raise FencedError(topic, {0: 10}, self.offsets)
        super().reset_offsets(topic, resets)


@pytest.fixture
def sink() -> OvertakenSink:
    return OvertakenSink(offsets={0: 10, 1: 10}, topic_id="one")


@pytest.fixture
def assignment(sink: OvertakenSink) -> Iterator[Assignment]:
    loads = BackgroundLoad(sink, SETTINGS, Observer())
    yield Assignment(SETTINGS, loads, Observer())
    loads.close()


def test_a_reset_that_another_member_has_made_is_left_to_it_and_the_others_are_made(
    assignment: Assignment, sink: OvertakenSink
) -> None:
    assert assignment.look_up(cast(KafkaSource, Logs()), [0, 1]) == {0: 50, 1: 50}
    assert [reset.partition for reset in sink.resets] == [1]


def test_a_reset_that_is_overtaken_again_and_again_ends_with_the_reason(
    assignment: Assignment, sink: OvertakenSink
) -> None:
    sink.times = 99
    with pytest.raises(FencedError):
        assignment.look_up(cast(KafkaSource, Logs()), [0, 1])
