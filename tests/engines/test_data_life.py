"""A purge, whenever it comes, is seen by nobody: production and what still comes are as without it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from snowflake.snowpark import Session

from caves_snowpark import names
from caves_snowpark.erase import UnknownCustomerError
from caves_snowpark.purge import UnaccountedRawEventsError, purge
from caves_snowpark.retention import Retention, RetentionRefusedError
from procedures import (
    append_inventory_history,
    correct_rejected,
    dismiss_rejected,
    distribute_raw_events,
    erase_customer,
    purge_expired,
    replay_rejected,
)
from tests.engines.engine import Snowcellar
from tests.engines.life import EVENTS, Shop, broken, cellar_shop, left, local_shop
from tests.events import order

# Few, because each is a whole history on two engines; DATA_LIFE_EXAMPLES=200 looks further.
EXAMPLES = int(os.environ.get("DATA_LIFE_EXAMPLES", "1"))
_STEP = st.one_of(
    st.lists(st.integers(0, len(EVENTS) - 1), min_size=1, max_size=4),
    st.sampled_from(["tick", "age", "purge", "tick", "purge", "erase", "replay"]),
)


def play(
    shop: Shop, steps: list[Any], *, purging: bool = True, checked: bool = False
) -> dict[str, list[str]]:
    for step in steps:
        match step:
            case list():
                shop.send(*(EVENTS[number] for number in step))
            case "tick":
                shop.tick()
            case "age":
                shop.age()
            case "purge" if purging:
                shop.purge()
                assert not checked or broken(shop) == {}
            case "erase" if purging:
                # Every order here is of one customer; none may have come yet.
                with suppress(UnknownCustomerError):
                    shop.engine.call(erase_customer, 501)
                assert not checked or broken(shop) == {}
            case "replay":
                shop.engine.call(replay_rejected)
    shop.tick()
    assert not checked or broken(shop) == {}
    return shop.seen()


# The whole life twice: purged, redelivered, corrected, an older version again, purged in full flow.
TWICE = [
    [0, 4, 7, 8],
    "tick",
    "age",
    "purge",
    [4, 1, 0],
    "purge",
    "tick",
    [6],
    "age",
    "purge",
    "tick",
    [5, 4, 2],
]
IN_FLOW = [
    [0, 1, 4],
    "age",
    "purge",
    "tick",
    "erase",
    "age",
    "purge",
    [0, 6],
    "tick",
    "age",
    "purge",
    [1, 4, 9],
    "purge",
]


def few(examples: int) -> Callable[..., Any]:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def test_events_that_come_again_after_a_purge_are_known_and_corrections_still_find_what_they_correct(
    snowcellar: Snowcellar,
) -> None:
    shop = cellar_shop(snowcellar)
    steps = [
        [0, 4, 7, 8],
        "tick",
        "age",
        "purge",
        [4, 1, 0],
        "purge",
        "tick",
        [6],
        "age",
        "purge",
        "tick",
        [5, 2],
    ]
    assert play(shop, steps) == {
        names.ORDERS: ["['a', '2025-07-01 13:00:00', 3, '59.97', 0, 9]"],
        names.INVENTORY_HISTORY: ["['m', 7, 'PARIS-BERCY', 8]", "['n', -4, 'PARIS-BERCY', 2]"],
        names.INVENTORY_CURRENT: ["[1001, 'LYON', 'None', 0]", "[1001, 'PARIS-BERCY', 'None', 3]"],
    }
    assert broken(shop) == {}


@pytest.mark.exhaustive
@example(steps=TWICE)
@example(steps=IN_FLOW)
@few(EXAMPLES)
@given(steps=st.lists(_STEP, min_size=6, max_size=14))
def test_production_is_as_if_nothing_was_purged_or_erased(snowcellar: Snowcellar, steps: list[Any]) -> None:
    expected = play(cellar_shop(snowcellar), steps, purging=False)
    assert play(cellar_shop(snowcellar), steps, checked=True) == expected


def test_a_purge_leaves_the_same_rows_on_every_engine(snowcellar: Snowcellar) -> None:
    steps = [[0, 4, 8, 4], "tick", "age", "purge", [4, 5]]
    cellar = cellar_shop(snowcellar)
    with local_shop() as local:
        assert play(local, steps) == play(cellar, steps)
        assert left(local) == left(cellar)
    assert broken(cellar) == {}


def rows(cellar: Snowcellar, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cellar.session.sql(statement).collect()]


def test_what_waits_in_a_stream_is_kept_however_old_it_is(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(EVENTS[0], EVENTS[4])
    shop.age()
    assert shop.purge()["raw"] == 0
    snowcellar.session.sql("SELECT 1").collect()
    shop.engine.call(distribute_raw_events)
    shop.engine.call(append_inventory_history)
    shop.age()
    counts = shop.purge()
    # The order waits for its merge, and the movement for its stock.
    assert (counts["raw"], counts["orders_staged"], counts["adjustments_staged"]) == (2, 0, 0)
    shop.tick()
    counts = shop.purge()
    assert (counts["orders_staged"], counts["adjustments_staged"]) == (1, 1)
    assert broken(shop) == {}
    assert shop.seen()[names.INVENTORY_CURRENT] == ["[1001, 'PARIS-BERCY', 'Pauillac', 10]"]


def test_a_raw_event_of_which_nobody_knows_what_became_is_evidence_and_stays(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(EVENTS[0], EVENTS[3], EVENTS[4])
    shop.tick()
    shop.age()
    snowcellar.session.sql(f"DELETE FROM {names.STG_ORDERS} WHERE ORDER_ID = 'b'").collect()
    with pytest.raises(
        UnaccountedRawEventsError, match=r"sales_events/0, 3 raw events below offset 3 .* and 2 are"
    ):
        shop.purge()
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.RAW_EVENTS}") == [(3,)]
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.PURGED_OFFSETS}") == [(0,)]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ('{"staging": 6}', "staging would be kept for 6 days and Kafka for 7"),
        ('{"raw": 30, "kafka": 31}', "raw would be kept for 30 days and Kafka for 31"),
        ('{"orders": 5, "raw": null, "staging": null}', "orders would be kept for 5 days and Kafka for 7"),
        ('{"kafka": null}', "Kafka for ever"),
        ('{"raw": 0}', "raw is 0, which is no number of days"),
        ('{"raw": true}', "raw is True"),
        ('{"raws": 9}', "There is no layer raws"),
        ("[30]", "no JSON object"),
        ("{", "no JSON"),
    ],
)
def test_a_retention_that_is_too_short_or_not_understood_is_refused(
    snowcellar: Snowcellar, asked: str, says: str
) -> None:
    with pytest.raises(RetentionRefusedError, match=says):
        purge_expired.main(snowcellar.session, asked)


def test_rejected_events_go_once_they_were_worked_off_and_their_raw_event_is_gone(
    snowcellar: Snowcellar,
) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(order(order_line_id="w", quantity=0), b"{", order(order_line_id="c", quantity=0))
    shop.tick()
    dismiss_rejected.main(snowcellar.session, "sales_events/0/1", "noise")
    correct_rejected.main(
        snowcellar.session, "sales_events/0/2", json.dumps(order(order_line_id="c")), "typo"
    )
    shop.tick()
    worked = (
        "REPLAYED_AT = DATEADD('day', -100, REPLAYED_AT), DISMISSED_AT = DATEADD('day', -100, DISMISSED_AT)"
    )
    snowcellar.session.sql(f"UPDATE {names.REJECTED_EVENTS} SET {worked}").collect()
    snowcellar.session.sql(
        f"UPDATE {names.REPLAY_LOG} SET ACTED_AT = DATEADD('day', -100, ACTED_AT)"
    ).collect()
    assert shop.purge()["rejected"] == 0
    shop.age()
    counts = shop.purge('{"raw": 7, "staging": 7, "logs": 365}')
    assert (counts["raw"], counts["rejected"], counts["replay_log"]) == (3, 2, 0)
    assert rows(snowcellar, f"SELECT SOURCE_OFFSET FROM {names.REJECTED_EVENTS}") == [(0,)]
    # The one that nobody had worked can still be, long after its raw event has gone.
    correct_rejected.main(
        snowcellar.session, "sales_events/0/0", json.dumps(order(order_line_id="w")), "late"
    )
    shop.tick()
    assert len(shop.seen()[names.ORDERS]) == 2
    assert shop.purge('{"raw": 7, "staging": 7, "logs": 30}')["replay_log"] == 2
    assert broken(shop) == {}


def test_orders_go_with_all_that_was_remembered_of_them_when_it_is_asked(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(EVENTS[0], EVENTS[2], order(order_line_id="new", event_ts="2199-01-01T00:00:00Z"), EVENTS[4])
    shop.tick()
    asked = '{"raw": 7, "staging": 7, "orders": 365}'
    assert shop.purge(asked)["orders"] == 0
    shop.age()
    assert shop.purge(asked)["orders"] == 1
    assert rows(snowcellar, f"SELECT ORDER_ID FROM {names.ORDERS}") == [("new",)]
    assert rows(snowcellar, f"SELECT ORDER_ID FROM {names.PURGED_ORDERS}") == [("new",)]
    assert broken(shop) == {}
    # Beyond every retention a redelivery is a new order until the next purge, and never counts twice.
    shop.send(EVENTS[2])
    shop.tick()
    assert len(shop.seen()[names.ORDERS]) == 2
    assert broken(shop) == {}


def test_logs_go_when_what_they_tell_of_is_over(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    session = snowcellar.session
    for subject, cleared in (
        ("open", "NULL"),
        ("over", "DATEADD('day', -400, SYSDATE())"),
        ("late", "SYSDATE()"),
    ):
        values = f"'LOW_STOCK', '{subject}', 'WARNING', DATEADD('day', -500, SYSDATE()), {cleared}"
        columns = "ALERT_NAME, SUBJECT, SEVERITY, FIRED_AT, CLEARED_AT"
        session.sql(f"INSERT INTO {names.ALERT_LOG} ({columns}) SELECT {values}").collect()
    session.sql(f"UPDATE {names.DEPLOYMENTS} SET DEPLOYED_AT = DATEADD('day', -400, SYSDATE())").collect()
    session.sql(
        f"INSERT INTO {names.DEPLOYMENTS} SELECT 'older', DATEADD('day', -500, SYSDATE()), 'CAVES'"
    ).collect()
    counts = shop.purge('{"logs": 365}')
    assert (counts["alert_log"], counts["deployments"]) == (1, 1)
    assert rows(snowcellar, f"SELECT SUBJECT FROM {names.ALERT_LOG} ORDER BY 1") == [("late",), ("open",)]
    assert rows(snowcellar, f"SELECT CODE FROM {names.DEPLOYMENTS}") == [("by-hand",)]
    session.sql(f"DELETE FROM {names.ALERT_LOG}").collect()


def test_a_backlog_goes_in_portions_and_what_there_was_no_time_for_is_left_to_the_next(
    snowcellar: Snowcellar,
) -> None:
    shop = cellar_shop(snowcellar)
    days = 6
    for day in range(days):
        shop.send(order(order_line_id=f"d{day}"), order(order_line_id=f"e{day}"))
        then = f"DATEADD('day', {day - 50}, CURRENT_TIMESTAMP())"
        session = snowcellar.session
        session.sql(
            f"UPDATE {names.RAW_EVENTS} SET INGESTION_TIME = {then} WHERE EVENT_METADATA:offset >= {2 * day}"
        ).collect()
    shop.tick()
    kept = Retention(raw=7, kafka=7)
    assert purge(snowcellar.session, kept, longest_seconds=-1.0)["days_left"] == days
    with counting(snowcellar.session, "COMMIT") as commits:
        assert purge(snowcellar.session, kept, portion_rows=4)["raw"] == 2 * days
    # Two days a portion: one commit each.
    assert commits == ["COMMIT"] * 3
    assert broken(shop) == {}


def test_a_clock_that_went_back_moves_no_watermark_over_a_row_that_stays(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(*(order(order_line_id=f"o{number}") for number in range(4)))
    shop.tick()
    shop.age()
    snowcellar.session.sql(
        f"UPDATE {names.RAW_EVENTS} SET INGESTION_TIME = CURRENT_TIMESTAMP() WHERE EVENT_METADATA:offset = 1"
    ).collect()
    assert shop.purge()["raw"] == 1
    assert rows(snowcellar, f"SELECT PURGED_BEFORE, PURGED_ROWS FROM {names.PURGED_OFFSETS}") == [(1, 1)]
    assert broken(shop) == {}


@contextmanager
def counting(session: Session, statement: str) -> Iterator[list[str]]:
    """The statements of this text that the session sends meanwhile."""
    connection: Any = session._conn
    real, sent = connection.run_query, []

    def run(query: str, *arguments: Any, **options: Any) -> Any:
        if query == statement:
            sent.append(query)
        return real(query, *arguments, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "run_query", run)
        yield sent
