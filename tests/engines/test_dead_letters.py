"""Rejected events, worked on: the same rows on every engine, every invariant kept, each event once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_cli import verification
from caves_snowpark import event_contract, names
from caves_snowpark.dead_letters import CorrectionRefusedError, NoteMissingError, NotWaitingError
from caves_snowpark.rejected_filter import FilterRefusedError
from ingest.connections import load_connection
from procedures import correct_rejected, dismiss_rejected, distribute_raw_events, replay_rejected
from tests.engines.engine import Call, Snowcellar, run_locally
from tests.events import TOPIC, adjustment, message, order


@contextmanager
def yesterday() -> Iterator[None]:
    """The contract as it was before it was mended: no order of fewer than five bottles."""
    object.__setattr__(event_contract.QUANTITY, "minimum", 5)
    try:
        yield
    finally:
        object.__setattr__(event_contract.QUANTITY, "minimum", 1)


BATCH = [
    message(event, offset)
    for offset, event in enumerate(
        [
            order(order_line_id="a", quantity="three", unit_price=10),
            order(order_line_id="b", quantity=2, unit_price="0.005", total_price="0.01"),
            adjustment(quantity_change=0),
            b"{",
            order(order_line_id="c", event_type="ORDER"),
            # Without blanks, as the correction below is once it is parsed.
            json.dumps(order(order_line_id="d", quantity=7), separators=(",", ":")).encode(),
            b"\xff",
        ]
    )
]
CALLS: list[Call] = [
    (
        correct_rejected,
        (f"{TOPIC}/0/0", json.dumps(order(order_line_id="a", quantity=3, unit_price=10)), "typo"),
    ),
    (
        correct_rejected,
        (f"{TOPIC}/0/2", json.dumps(adjustment(quantity_change=-4)), "the cellar's book says \\ 'four'\n"),
    ),
    # What the shop had sent well all the same: a duplicate.
    (correct_rejected, (f"{TOPIC}/0/4", json.dumps(order(order_line_id="d", quantity=7)), "sent again")),
    (dismiss_rejected, (f"{TOPIC}/0/6", "noise")),
    (dismiss_rejected, ('{"reason": "NOT_JSON_OBJECT", "to_offset": 5}', "cut off")),
    (replay_rejected, ()),
    (replay_rejected, ("INVALID_UNIT_PRICE",)),
]


def broken(cellar: Snowcellar) -> dict[str, Any]:
    return {
        verdict.invariant.name: verdict.offenders
        for verdict in verification.verify(cellar.session.connection)
        if not verdict.holds
    }


def rows(cellar: Snowcellar, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in cellar.session.sql(sql).collect()]


def test_events_that_are_corrected_dismissed_or_replayed_give_the_same_rows(snowcellar: Snowcellar) -> None:
    worked = snowcellar.run([BATCH], CALLS)
    assert worked == run_locally([BATCH], CALLS)
    assert broken(snowcellar) == {}
    assert sorted(row.split(" | ")[:5] for row in worked[names.REPLAY_LOG]) == [
        ["CORRECTED", "DUPLICATE", TOPIC, "0", "4"],
        ["CORRECTED", "STAGED", TOPIC, "0", "0"],
        ["CORRECTED", "STAGED", TOPIC, "0", "2"],
        ["DISMISSED", "NULL", TOPIC, "0", "3"],
        ["DISMISSED", "NULL", TOPIC, "0", "6"],
    ]


def test_a_replay_after_a_fix_of_the_contract_gives_the_same_rows(snowcellar: Snowcellar) -> None:
    batch = [
        message(event, offset)
        for offset, event in enumerate(
            [order(quantity=2), order(quantity=2), order(order_line_id="x", quantity=0)]
        )
    ]
    calls: list[Call] = [(replay_rejected, ('{"partition": 0, "from_offset": 0}',))]
    with yesterday():
        snowcellar.empty()
        snowcellar.load(batch)
        snowcellar.tick()
        snowcellar.tick()
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.REJECTED_EVENTS}") == [(3,)]
    [(procedure, arguments)] = calls
    assert procedure.main(snowcellar.session, *arguments) == {
        "read": 3,
        "replayed": 2,
        "duplicates": 1,
        "orders": 1,
        "adjustments": 0,
        "rejected": 1,
    }
    snowcellar.tick()
    assert broken(snowcellar) == {}
    columns = "SOURCE_OFFSET, DECISION, OUTCOME, ACTED_BY, REASONS::VARCHAR"
    assert rows(snowcellar, f"SELECT {columns} FROM {names.REPLAY_LOG} ORDER BY 1") == [
        (0, "REPLAYED", "STAGED", "LOCAL", '["INVALID_QUANTITY"]'),
        (1, "REPLAYED", "DUPLICATE", "LOCAL", '["INVALID_QUANTITY"]'),
    ]
    assert replay_rejected.main(snowcellar.session)["replayed"] == 0


def test_a_corrected_order_takes_its_place_among_the_versions_by_its_own_time(snowcellar: Snowcellar) -> None:
    """PITFALL 10: an older event never overwrites a newer one, corrected or not."""
    snowcellar.run(
        [
            [
                message(order(quantity="?", event_ts="2025-07-01T09:00:00Z"), 0),
                message(order(quantity=4, event_ts="2025-07-01T10:00:00Z"), 1),
            ]
        ],
        [
            (
                correct_rejected,
                (f"{TOPIC}/0/0", json.dumps(order(quantity=2, event_ts="2025-07-01T09:00:00Z")), "older"),
            )
        ],
    )
    assert rows(snowcellar, f"SELECT QUANTITY FROM {names.ORDERS}") == [(4,)]
    assert broken(snowcellar) == {}


def test_a_payload_that_the_warehouse_had_refused_can_be_corrected(snowcellar: Snowcellar) -> None:
    snowcellar.empty()
    metadata = {"topic": TOPIC, "generation": 2, "partition": 0, "offset": 0, "refusal": "PAYLOAD_REFUSED"}
    raw = (
        f"SELECT NULL, NULL, NULL, PARSE_JSON('{json.dumps(metadata)}')::OBJECT, TO_VARIANT('{{'), SYSDATE()"
    )
    snowcellar.session.sql(f"INSERT INTO {names.RAW_EVENTS} {raw}").collect()
    distribute_raw_events.main(snowcellar.session)
    assert rows(snowcellar, f"SELECT REASONS::VARCHAR FROM {names.REJECTED_EVENTS}") == [
        ('["PAYLOAD_REFUSED"]',)
    ]
    correct_rejected.main(snowcellar.session, f"{TOPIC}@2/0/0", json.dumps(order()), "retyped")
    places = f"SELECT SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET FROM {names.STG_ORDERS}"
    assert rows(snowcellar, places) == [(f"{TOPIC}@2", 0, 0)]
    assert "every_raw_row_is_accounted_for_once" not in broken(snowcellar)


def test_the_original_stays_as_it_was(snowcellar: Snowcellar) -> None:
    snowcellar.run([BATCH])
    columns = "EVENT_CONTENT::VARCHAR, EVENT_METADATA::VARCHAR, REASONS::VARCHAR, REJECTED_AT, INGESTION_TIME"
    original = f"SELECT {columns} FROM {names.REJECTED_EVENTS} ORDER BY SOURCE_OFFSET"
    raw = f"SELECT EVENT_CONTENT::VARCHAR, EVENT_TYPE FROM {names.RAW_EVENTS} ORDER BY EVENT_METADATA:offset"
    before = rows(snowcellar, original), rows(snowcellar, raw)
    for procedure, arguments in CALLS:
        procedure.main(snowcellar.session, *arguments)
    assert (rows(snowcellar, original), rows(snowcellar, raw)) == before


BREAKS_THE_CONTRACT = [
    (json.dumps(order(quantity=0, unit_price=-1)), "INVALID_QUANTITY, INVALID_UNIT_PRICE"),
    (json.dumps(order(quantity=None)), "MISSING_QUANTITY"),
    ("[1]", "no JSON object"),
    ("{", "not JSON"),
    ('{"quantity": NaN}', "NaN"),
    ('{"quantity": 1, "quantity": 2}', "twice"),
    ("[" * 100_000, "not JSON"),
]


def test_a_correction_that_breaks_the_contract_is_refused_with_its_reasons(snowcellar: Snowcellar) -> None:
    snowcellar.run([BATCH])
    for corrected, says in BREAKS_THE_CONTRACT:
        with pytest.raises(CorrectionRefusedError, match=says):
            correct_rejected.main(snowcellar.session, f"{TOPIC}/0/0", corrected, "why")
    assert rows(snowcellar, f"SELECT COUNT(REPLAYED_AT) FROM {names.REJECTED_EVENTS}") == [(0,)]
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.REPLAY_LOG}") == [(0,)]


def test_an_event_that_is_not_there_or_no_longer_waits_is_told(snowcellar: Snowcellar) -> None:
    snowcellar.run([BATCH])
    valid = json.dumps(order(order_line_id="a"))
    with pytest.raises(NotWaitingError, match=f"{TOPIC}/0/99 is not there"):
        correct_rejected.main(snowcellar.session, f"{TOPIC}/0/99", valid, "why")
    correct_rejected.main(snowcellar.session, f"{TOPIC}/0/0", valid, "why")
    with pytest.raises(NotWaitingError, match=f"{TOPIC}/0/0 was taken back at"):
        correct_rejected.main(snowcellar.session, f"{TOPIC}/0/0", valid, "why")
    assert dismiss_rejected.main(snowcellar.session, f"{TOPIC}/0/0", "why") == {"dismissed": 0}
    snowcellar.tick()
    assert broken(snowcellar) == {}


def test_a_dismissed_event_is_not_replayed_and_can_still_be_corrected(snowcellar: Snowcellar) -> None:
    snowcellar.empty()
    with yesterday():
        snowcellar.load([message(order(quantity=2), 0)])
        snowcellar.tick()
    assert dismiss_rejected.main(snowcellar.session, f"{TOPIC}/0/0", "a test order") == {"dismissed": 1}
    assert replay_rejected.main(snowcellar.session)["read"] == 0
    assert broken(snowcellar) == {}
    correct_rejected.main(snowcellar.session, f"{TOPIC}/0/0", json.dumps(order(quantity=2)), "it was real")
    snowcellar.tick()
    assert rows(snowcellar, f"SELECT DECISION FROM {names.REPLAY_LOG} ORDER BY ACTED_AT") == [
        ("DISMISSED",),
        ("CORRECTED",),
    ]
    assert broken(snowcellar) == {}


@pytest.mark.parametrize("filter_", [None, "", " ", "{}", '{"reason": null}'])
def test_everything_at_once_is_not_dismissed(snowcellar: Snowcellar, filter_: str | None) -> None:
    with pytest.raises(FilterRefusedError, match="everything"):
        dismiss_rejected.main(snowcellar.session, filter_, "why")


def test_a_decision_without_a_note_is_refused(snowcellar: Snowcellar) -> None:
    with pytest.raises(NoteMissingError):
        dismiss_rejected.main(snowcellar.session, "NOT_JSON_OBJECT", " ")
    with pytest.raises(NoteMissingError):
        correct_rejected.main(snowcellar.session, f"{TOPIC}/0/0", "{}", "")


@contextmanager
def second_session(cellar: Snowcellar) -> Iterator[Session]:
    session = Session.builder.configs(dict(load_connection("local", cellar.config))).create()
    try:
        yield session
    finally:
        session.close()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def test_two_replays_at_once_stage_each_event_once(snowcellar: Snowcellar) -> None:
    snowcellar.empty()
    with yesterday():
        snowcellar.load([message(order(order_line_id=f"o{n}", quantity=2), n) for n in range(20)])
        distribute_raw_events.main(snowcellar.session)
    with second_session(snowcellar) as other:
        counts = at_once(
            lambda: replay_rejected.main(snowcellar.session), lambda: replay_rejected.main(other)
        )
    assert sorted(count["replayed"] for count in counts) == [0, 20]
    assert {count["rejected"] for count in counts} == {0}
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.STG_ORDERS}") == [(20,)]
    assert broken(snowcellar) == {}


def test_a_replay_beside_the_distributor_does_not_stage_a_redelivery_twice(snowcellar: Snowcellar) -> None:
    snowcellar.empty()
    events = [order(order_line_id=f"o{n}", quantity=2) for n in range(20)]
    with yesterday():
        snowcellar.load([message(event, n) for n, event in enumerate(events)])
        distribute_raw_events.main(snowcellar.session)
    snowcellar.load([message(event, n) for n, event in enumerate(events, 20)])
    with second_session(snowcellar) as other:
        at_once(lambda: distribute_raw_events.main(snowcellar.session), lambda: replay_rejected.main(other))
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.STG_ORDERS}") == [(20,)]
    assert broken(snowcellar) == {}


STATEMENTS = {
    replay_rejected: ((), 7),
    correct_rejected: ((f"{TOPIC}/0/0", json.dumps(order(quantity=2)), "why"), 8),
    dismiss_rejected: ((f"{TOPIC}/0/0", "why"), 4),
}


@pytest.mark.parametrize("procedure", STATEMENTS, ids=lambda procedure: procedure.__name__)
def test_a_failure_at_any_statement_leaves_the_event_to_be_worked_on_once(
    snowcellar: Snowcellar, monkeypatch: pytest.MonkeyPatch, procedure: Any
) -> None:
    """Before each statement in turn, and after COMMIT, whose answer is then lost."""
    arguments, expected = STATEMENTS[procedure]
    connection: Any = snowcellar.session._conn
    real = connection.run_query
    snowcellar.empty()
    with yesterday():
        snowcellar.load([message(order(quantity=2), 0)])
        distribute_raw_events.main(snowcellar.session)
    for crash_at in range(1, expected + 2):
        sent: list[str] = []

        def run(
            query: str, *args: Any, crash_at: int = crash_at, sent: list[str] = sent, **options: Any
        ) -> Any:
            sent.append(query)
            if len(sent) == crash_at and not query.startswith("ROLLBACK"):
                raise ConnectionError("the line is cut")
            answer = real(query, *args, **options)
            if query == "COMMIT":
                raise ConnectionError("the answer is lost")
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(connection, "run_query", run)
            with pytest.raises(ConnectionError):
                procedure.main(snowcellar.session, *arguments)
        kept = crash_at > expected
        assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.REPLAY_LOG}") == [(int(kept),)], crash_at
        staged = int(kept and procedure is not dismiss_rejected)
        assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.STG_ORDERS}") == [(staged,)], crash_at
        # Before that, nothing has changed since the first one.
        if crash_at in (1, expected, expected + 1):
            assert broken(snowcellar) == {}, crash_at
    try:
        assert not any(procedure.main(snowcellar.session, *arguments).values())
    except NotWaitingError:
        assert procedure is correct_rejected
    assert rows(snowcellar, f"SELECT COUNT(*) FROM {names.REPLAY_LOG}") == [(1,)]
