"""The transforms and procedures give the same rows on every engine that can run them.

Messages come as an ingestor meets them: valid ones, mistaken ones and such as are not JSON at all.
"""

import json
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines.engine import Snowcellar, run_locally
from tests.events import ABSENT, MALFORMED, Message, adjustment, message, messages, order

_ENGINES = settings(
    # Local testing takes seconds for each example; the seed is fixed so that a failure is met again.
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def numbered(values: Sequence[bytes | None]) -> list[Message]:
    """The messages at the offsets of one partition, in order."""
    return [Message(value, offset) for offset, value in enumerate(values)]


@_ENGINES
@given(values=st.lists(messages, min_size=8, max_size=24), cut=st.integers(0, 12))
def test_generated_messages_in_two_batches_give_the_same_rows(
    snowcellar: Snowcellar, values: list[bytes | None], cut: int
) -> None:
    values = [value for value in values if not value or b"NaN}" not in value]
    sent = numbered(values)
    batches = [sent[:cut], sent[cut:]]
    assert snowcellar.run(batches) == run_locally(batches)


def test_every_malformed_kind_gives_the_same_rejections(snowcellar: Snowcellar) -> None:
    """PITFALL 23. Bare NaN is left out: a lenient parser takes it, a strict one does not, both reject it."""
    malformed = [value for value in MALFORMED if not value or b"NaN}" not in value]
    batches = [numbered(malformed)]
    rows = snowcellar.run(batches)
    assert rows == run_locally(batches)
    assert len(rows["STAGING.REJECTED_EVENTS"]) == len(malformed)


def test_a_bare_nan_is_rejected_by_either_parser(snowcellar: Snowcellar) -> None:
    rows = snowcellar.run([numbered([b'{"event_type": NaN}'])])
    assert len(rows["STAGING.REJECTED_EVENTS"]) == 1


def test_every_kind_of_time_and_number_gives_the_same_rows(snowcellar: Snowcellar) -> None:
    """PITFALLS 1, 6, 7 and 24, on both sides of the day in Paris and of what a column can hold."""
    times = (
        "2025-06-30T21:59:59Z",
        "2025-06-30T22:00:00Z",
        "2025-12-31T23:30:00+01:00",
        "2025-03-30T02:30:00+02:00",
        "2025-10-26T02:30:00+0100",
        "2024-02-29T23:59:59.999999999-14",
        "2024-02-30T10:00:00Z",
        "2025-07-01T10:00:00",
        "2025-07-01 10:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2025-07-01T23:59:60Z",
        "2025-07-01T24:00:00Z",
        "not a time",
        1751371200,
    )
    prices = (0, "0.10", 12.5, 9999999999.99, 10000000000, "1e400", "1e2", 0.005, -0.01, "NaN", "12,50", True)
    events = [order(order_line_id=f"t{i}", event_ts=value) for i, value in enumerate(times)]
    events += [order(order_line_id=f"p{i}", unit_price=value) for i, value in enumerate(prices)]
    events += [
        adjustment(event_id=f"q{i}", quantity_change=value)
        for i, value in enumerate((0, -3, 2**70, "7", 1.5))
    ]
    events += [
        order(order_line_id="", customer_id=ABSENT, quantity=0),
        adjustment(event_id=None, product_id="PROD-1"),
    ]
    huge = json.dumps(order(order_line_id="huge", unit_price="HUGE")).replace('"HUGE"', "1e400").encode()
    batches = [[message(event, offset) for offset, event in enumerate([*events, huge])]]
    assert snowcellar.run(batches) == run_locally(batches)
