"""What the Kafka client may tell a source, and in which order, by a client that follows a script."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from ingest.errors import KafkaFailed, WarehouseUnreachable
from ingest.settings import IngestSettings
from ingest.source import KafkaSource
from tests.ingest.doubles import FakeMessage

Step = Callable[[], object]


class Said(FakeMessage):
    """What the client hands out: a message, or an error in the place of one."""

    def __init__(self, at: int, place: int = 0, error: KafkaError | None = None) -> None:
        super().__init__(at, place=place)
        object.__setattr__(self, "_error", error)

    def error(self) -> KafkaError | None:
        found: KafkaError | None = vars(self)["_error"]
        return found


class ScriptedConsumer:
    """Every call for messages runs the next step: it returns what is there, or changes partitions."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.places: dict[int, int] = {}
        self.fetched_ends: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.react: dict[str, Callable[[Any, Any], None]] = {}

    def subscribe(self, _: list[str], **callbacks: Callable[[Any, Any], None]) -> None:
        self.react = callbacks

    def consume(self, _: int, __: float) -> list[Any]:
        answer = self.steps.pop(0)() if self.steps else None
        return answer if isinstance(answer, list) else []

    def poll(self, _: float) -> Any:
        return next(iter(self.consume(1, 0.0)), None)

    def assigned(self, *partitions: int) -> None:
        self.react["on_assign"](self, [TopicPartition("sales", number) for number in partitions])

    def lost(self, *partitions: int) -> None:
        self.react["on_lost"](self, [TopicPartition("sales", number) for number in partitions])

    def assign(self, places: list[TopicPartition]) -> None:
        self.places = {place.partition: place.offset for place in places}

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self.places |= {place.partition: place.offset for place in places}

    def incremental_unassign(self, places: list[TopicPartition]) -> None:
        for place in places:
            self.places.pop(place.partition, None)

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition("sales", number) for number in self.places]

    def get_watermark_offsets(
        self, place: TopicPartition, *, cached: bool = False, **_: float
    ) -> tuple[int, int]:
        return 0, self.fetched_ends[place.partition] if cached else self.ends[place.partition]

    def pause(self, _: object) -> None: ...

    def resume(self, _: object) -> None: ...


class Owner:
    """Reads everything on from offset 0."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []

    def take_over(self, partitions: Iterable[int]) -> Mapping[int, int]:
        if self.failures:
            raise self.failures.pop()
        return dict.fromkeys(partitions, 0)

    def hand_over(self, partitions: Iterable[int]) -> None: ...

    def lose(self, partitions: Iterable[int]) -> None: ...

    def displaced(self, partition: int) -> None: ...


@pytest.fixture
def known() -> list[int]:
    """The topic's partitions."""
    return [0, 1]


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch, known: list[int]) -> ScriptedConsumer:
    scripted = ScriptedConsumer()
    monkeypatch.setattr("ingest.source.Consumer", lambda *_, **__: scripted)
    monkeypatch.setattr("ingest.source.topic_partitions", lambda *_: list(known))
    return scripted


def _source(owner: Owner | None = None, **settings: Any) -> KafkaSource:
    source = KafkaSource(IngestSettings("none:1", "none", topic="sales", **settings), owner or Owner())
    source.open()
    return source


def test_a_partition_that_comes_again_is_not_at_its_end_because_it_was_before(
    consumer: ScriptedConsumer,
) -> None:
    source = _source(until_caught_up=True)
    end = Said(7, error=KafkaError(KafkaError._PARTITION_EOF))
    consumer.steps = [lambda: consumer.assigned(0), lambda: [end]]
    source.read(10, 1_000, 0.0)
    source.read(10, 1_000, 0.0)
    assert source.caught_up([0])
    consumer.steps = [lambda: consumer.lost(0), lambda: consumer.assigned(0)]
    source.read(10, 1_000, 0.0)
    source.read(10, 1_000, 0.0)
    assert not source.caught_up([0])


def test_a_message_that_came_while_resting_is_dropped_when_its_partition_comes_anew(
    consumer: ScriptedConsumer,
) -> None:
    # It would look like the first one after a hole: its partition may be read from elsewhere now.
    source = _source()
    consumer.steps = [lambda: consumer.assigned(0, 1), lambda: [Said(30, 0)], lambda: [Said(40, 1)]]
    for _ in range(3):
        source.rest(0.0)
    consumer.steps = [lambda: consumer.lost(0), lambda: consumer.assigned(0)]
    source.rest(0.0)
    source.rest(0.0)
    assert [message.offset() for message in source.read(10, 1_000, 0.0)] == [40]


@pytest.mark.parametrize(
    "code", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED]
)
def test_a_broker_that_does_not_let_us_read_ends_the_reading(consumer: ScriptedConsumer, code: int) -> None:
    source = _source()
    consumer.steps = [lambda: [Said(0, error=KafkaError(code))]]
    with pytest.raises(KafkaFailed, match="authorization failed"):
        source.read(10, 1_000, 0.0)


def test_new_partitions_that_could_not_be_taken_are_taken_the_next_time(
    consumer: ScriptedConsumer, known: list[int]
) -> None:
    owner = Owner()
    source = _source(owner, assign=True)
    known.append(2)
    owner.failures = [WarehouseUnreachable("w", "away")]
    with pytest.raises(WarehouseUnreachable):
        source.take_new_partitions()
    source.take_new_partitions()
    assert set(consumer.places) == {0, 1, 2}


def test_lag_of_partitions_that_rest_goes_on_growing(consumer: ScriptedConsumer) -> None:
    # PITFALLS 28. What is not fetched is not heard of, and that is when the lag is looked at.
    source = _source()
    consumer.fetched_ends, consumer.ends = {0: 20, 1: 30}, {0: 900, 1: 25}
    consumer.steps = [lambda: consumer.assigned(0, 1)]
    source.read(10, 1_000, 0.0)
    assert source.lags({0: 10, 1: 10}) == {0: 10, 1: 20}
    source.rest(0.0)
    assert source.lags({0: 10, 1: 10}) == {0: 890, 1: 20}
