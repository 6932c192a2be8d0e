"""A small flood in the tests; `make hostile EVENTS=1000000 SEED=1` is the large one."""

from ingest.broker import EmbeddedBroker
from tests.engines.engine import Snowcellar
from tests.hostile.flood import flood
from tests.hostile.fuzzer import Fuzzer

EVENTS = 8_000


def test_every_message_of_a_flood_is_accounted_for(
    engine: Snowcellar, broker: EmbeddedBroker, topic: str
) -> None:
    """PITFALLS 12, 22 to 25; all seven invariants."""
    result = flood(engine, broker.bootstrap, topic, events=EVENTS, seed=3, tick=2_000, share=0.2)
    assert result.wrong == []
    assert result.raw_rows == result.messages == EVENTS
    assert result.broken_invariants == []
    assert result.mixed.hostile > EVENTS // 6


def test_same_seed_gives_the_same_messages() -> None:
    one, other = (list(Fuzzer(5).entries(300, 0.5)) for _ in range(2))
    assert one == other
    assert one != list(Fuzzer(6).entries(300, 0.5))
