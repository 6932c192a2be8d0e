"""Transforms from RAW to STAGING."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from snowflake.snowpark import DataFrame, Row, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names, schemas
from caves_snowpark.staging import PLACES, classified_events, placed_events
from tests.events import ABSENT, MALFORMED, adjustment, message, order, raw_row

Raw = Callable[..., DataFrame]


@pytest.fixture
def raw(session: Session) -> Raw:
    """Makes a DataFrame of raw rows from events at offsets 0, 1, 2, ..."""

    def frame(*events: Any) -> DataFrame:
        columns = schemas.columns(schemas.RAW_EVENTS)
        rows = [raw_row(message(event, offset)) for offset, event in enumerate(events)]
        return session.create_dataframe(
            [tuple(row[name] for name in columns) for row in rows], schema=schemas.RAW_EVENTS
        )

    return frame


@pytest.fixture
def staged(session: Session) -> DataFrame:
    """A staging table, as far as these transforms look at it: empty."""
    return session.create_dataframe([], schema=schemas.STG_ORDERS)


def placed(
    table: str, events: DataFrame, orders: DataFrame, adjustments: DataFrame | None = None
) -> list[Row]:
    """What goes to a table of STAGING, as its columns and by offset, when these are staged already."""
    rows = placed_events(events, orders, adjustments or orders).filter(F.col("DESTINATION") == F.lit(table))
    columns = [
        (F.lit(None) if source == "NULL" else F.col(source)).alias(column)
        for column, source in PLACES[table].items()
    ]
    found: list[Row] = rows.select(columns).sort("SOURCE_OFFSET").collect()
    return found


def offsets(rows: list[Row]) -> list[int]:
    return [int(row["SOURCE_OFFSET"]) for row in rows]


def reasons(events: DataFrame) -> list[list[str]]:
    """The reasons of each event, by offset."""
    rows = classified_events(events).select("SOURCE_OFFSET", "REASONS").collect()
    return [json.loads(listed) for _, listed in sorted(rows)]


def values(events: DataFrame, column: str) -> list[Any]:
    """A typed column, by offset."""
    rows = classified_events(events).select("SOURCE_OFFSET", column).collect()
    return [value for _, value in sorted(rows, key=lambda row: int(row[0]))]


def test_a_full_order_fills_every_column_from_its_own_field(raw: Raw, staged: DataFrame) -> None:
    """PITFALL 1, 2, 5 and 7."""
    event = order(
        order_line_id="L-1",
        event_ts="2025-07-01T00:30:00.25+02:00",
        quantity=2,
        unit_price=19.99,
        total_price=37.98,
        discount=2,
        product_name="Pauillac 2018",
        category="Rouge",
        sales_channel="WEB",
        payment_method="CARD",
        shipping_address="3 quai de l'Île, Bordeaux",
        bottle_size_l=0.75,
        source_service="web-shop",
        emoji="🍷",
        unknown_field=[1],
    )
    [row] = placed(names.STG_ORDERS, raw(event), staged)
    staged_at, content_hash = row["STAGED_AT"], row["CONTENT_HASH"]
    assert row.as_dict() == {
        "ORDER_ID": "L-1",
        "EVENT_TIMESTAMP": datetime(2025, 6, 30, 22, 30, 0, 250000),
        "CUSTOMER_ID": 501,
        "PRODUCT_ID": 1001,
        "PRODUCT_NAME": "Pauillac 2018",
        "PRODUCT_CATEGORY": "Rouge",
        "QUANTITY": 2,
        "UNIT_PRICE": Decimal("19.99"),
        "DISCOUNT": Decimal("2.00"),
        "TOTAL_AMOUNT": Decimal("37.98"),
        "SALES_CHANNEL": "WEB",
        "PAYMENT_METHOD": "CARD",
        "SHIPPING_ADDRESS": "3 quai de l'Île, Bordeaux",
        "BOTTLE_SIZE_L": Decimal("0.750"),
        "SOURCE_SERVICE": "web-shop",
        "CONTENT_HASH": content_hash,
        "SOURCE_TOPIC": "sales_events",
        "SOURCE_PARTITION": 0,
        "SOURCE_OFFSET": 0,
        "STAGED_AT": staged_at,
    }
    assert list(row.as_dict()) == schemas.columns(schemas.STG_ORDERS)
    assert len(content_hash) == 64


def test_a_full_adjustment_fills_every_column_from_its_own_field(raw: Raw, staged: DataFrame) -> None:
    """PITFALL 3: the quantity is read from the field that events carry."""
    event = adjustment(
        quantity_change=-4,
        adjustment_type="SPOILAGE",
        product_name="Chablis",
        category="Blanc",
        reason="bouchonné",
        source_service="cellar",
    )
    [row] = placed(names.STG_INVENTORY_ADJUSTMENTS, raw(event), staged)
    assert row.as_dict() == {
        "ADJUSTMENT_ID": "adjustment-1",
        "EVENT_TIMESTAMP": datetime(2025, 7, 1, 8, 0),
        "PRODUCT_ID": 1001,
        "PRODUCT_NAME": "Chablis",
        "PRODUCT_CATEGORY": "Blanc",
        "WAREHOUSE_LOCATION": "PARIS-BERCY",
        "QUANTITY_CHANGE": -4,
        "ADJUSTMENT_TYPE": "SPOILAGE",
        "REASON": "bouchonné",
        "SOURCE_SERVICE": "cellar",
        "CONTENT_HASH": row["CONTENT_HASH"],
        "SOURCE_TOPIC": "sales_events",
        "SOURCE_PARTITION": 0,
        "SOURCE_OFFSET": 0,
        "STAGED_AT": row["STAGED_AT"],
    }
    assert list(row.as_dict()) == schemas.columns(schemas.STG_INVENTORY_ADJUSTMENTS)


def test_no_events_give_no_rows(staged: DataFrame, session: Session) -> None:
    none = session.create_dataframe([], schemas.RAW_EVENTS)
    assert placed_events(none, staged, staged).collect() == []


def test_whole_numbers_are_accepted_in_any_spelling_and_nothing_else_is(raw: Raw) -> None:
    """PITFALL 23, 24 and 25: a number as large as 1e400, "PROD-1" where an integer is meant."""
    accepted = {7: 7, "7": 7, 8.0: 8, 1e3: 1000, "1e3": 1000, "-2": -2, 0: 0, "+5": 5, 10**18 - 1: 10**18 - 1}
    refused = [
        "PROD-1",
        1.5,
        "1.5",
        True,
        [1],
        {"a": 1},
        "1e400",
        10**18,
        1e22,
        1e39,
        "NaN",
        "inf",
        "1_000",
        "0x1F",
        " 7",
        "٣",
    ]
    events = raw(*(order(customer_id=value) for value in [*accepted, *refused]))
    assert values(events, "CUSTOMER_ID") == [*accepted.values(), *[None] * len(refused)]
    assert reasons(events) == [[]] * len(accepted) + [["INVALID_CUSTOMER_ID"]] * len(refused)


def test_money_is_exact_to_the_cent_or_refused(raw: Raw) -> None:
    """PITFALL 1."""
    accepted = {
        19.99: Decimal("19.99"),
        "19.990": Decimal("19.99"),
        0: Decimal("0.00"),
        1e2: Decimal("100.00"),
        9999999999.99: Decimal("9999999999.99"),
        "1." + "0" * 400: Decimal("1.00"),
        "1.25e1": Decimal("12.50"),
        "-0.00": Decimal("0.00"),
    }
    refused = [19.999, 0.005, -0.01, 1e10, "12,50", "€12", 0.30000000000000004]
    # Too near to an amount, or to zero, for DOUBLE to see a difference.
    refused += ["19.990000000000000000001", "1e-400", "1e-99", "1E-999999999", "1990000000000000001e-17"]
    events = raw(*(order(unit_price=value, total_price=1) for value in [*accepted, *refused]))
    assert values(events, "UNIT_PRICE") == [*accepted.values(), *[None] * len(refused)]
    assert reasons(events) == [[]] * len(accepted) + [["INVALID_UNIT_PRICE"]] * len(refused)


def test_an_absent_total_is_quantity_times_price_and_a_wrong_one_is_refused(raw: Raw) -> None:
    events = raw(
        order(quantity=3, unit_price=19.99),
        order(quantity=3, unit_price=19.99, total_price=None),
        order(quantity=3, unit_price=19.99, total_price=" "),
        order(quantity=3, unit_price=19.99, total_price=50),
        order(quantity=3, unit_price=19.99, total_price="fifty"),
        order(quantity=3, unit_price=19.99, total_price=1.005),
        order(quantity=999_999_999, unit_price=9_999_999_999),
        order(quantity="x"),
    )
    default, given = Decimal("59.97"), Decimal("50.00")
    assert values(events, "TOTAL_AMOUNT") == [default, default, default, given, None, None, None, None]
    assert reasons(events) == [[], [], [], [], *[["INVALID_TOTAL_PRICE"]] * 3, ["INVALID_QUANTITY"]]


def test_quantities_keep_their_rules(raw: Raw) -> None:
    """PITFALL 25: more than that a key is there."""
    events = raw(
        order(quantity=1),
        order(quantity=999_999_999, unit_price=0),
        order(quantity=0),
        order(quantity=-1),
        order(quantity=1_000_000_000),
        adjustment(quantity_change=-1),
        adjustment(quantity_change=0),
        adjustment(quantity_change=10**37),
    )
    assert reasons(events) == [
        [],
        [],
        ["INVALID_QUANTITY"],
        ["INVALID_QUANTITY"],
        ["INVALID_QUANTITY"],
        [],
        ["INVALID_QUANTITY_CHANGE"],
        ["INVALID_QUANTITY_CHANGE"],
    ]


def test_times_are_turned_to_utc_by_their_offset(raw: Raw) -> None:
    """PITFALL 7: an offset is applied, not dropped."""
    accepted = {
        "2025-07-01T10:00:00+02:00": datetime(2025, 7, 1, 8, 0),
        "2025-07-01T10:00:00+0200": datetime(2025, 7, 1, 8, 0),
        "2025-07-01T10:00:00+02": datetime(2025, 7, 1, 8, 0),
        "2025-07-01T10:00:00Z": datetime(2025, 7, 1, 10, 0),
        "2025-07-01t10:00:00z": datetime(2025, 7, 1, 10, 0),
        "2025-07-01T10:00Z": datetime(2025, 7, 1, 10, 0),
        "2025-07-01T10:00-05:30": datetime(2025, 7, 1, 15, 30),
        "2025-07-01T00:15:00-00:30": datetime(2025, 7, 1, 0, 45),
        "2025-07-01T10:00:00.5Z": datetime(2025, 7, 1, 10, 0, 0, 500000),
        "2025-07-01T10:00:00.123456789+00:00": datetime(2025, 7, 1, 10, 0, 0, 123456),
        "2024-02-29T23:30:00-01:00": datetime(2024, 3, 1, 0, 30),
        "1970-01-01T00:00:00+14:00": datetime(1969, 12, 31, 10, 0),
        "2199-12-31T23:59:59-14:00": datetime(2200, 1, 1, 13, 59, 59),
    }
    refused = [
        "2025-07-01T10:00:00",
        "2025-07-01",
        "2025-07-01 10:00:00Z",
        "2025-02-30T10:00:00Z",
        "2025-13-01T10:00:00Z",
        "2025-07-01T24:00:00Z",
        "2025-07-01T10:00:60Z",
        "2025-07-01T10:00:00+15:00",
        "2025-07-01T10:00:00 +02:00",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "yesterday",
        "Z",
        1751364000,
        {"t": 1},
    ]
    events = raw(*(order(event_ts=value) for value in [*accepted, *refused]))
    assert values(events, "EVENT_TIMESTAMP") == [*accepted.values(), *[None] * len(refused)]
    assert reasons(events) == [[]] * len(accepted) + [["INVALID_EVENT_TS"]] * len(refused)


def test_a_required_field_that_is_absent_null_or_blank_is_missing(raw: Raw) -> None:
    """PITFALL 25."""
    required = ["order_line_id", "event_ts", "customer_id", "product_id", "quantity", "unit_price"]
    events = raw(*(order(**{name: value}) for name in required for value in (ABSENT, None, "", "  ")))
    assert reasons(events) == [[f"MISSING_{name.upper()}"] for name in required for _ in range(4)]
    required = [
        "event_id",
        "event_ts",
        "product_id",
        "warehouse_location",
        "quantity_change",
        "adjustment_type",
    ]
    events = raw(*(adjustment(**{name: ABSENT}) for name in required))
    assert reasons(events) == [[f"MISSING_{name.upper()}"] for name in required]


def test_a_text_must_be_a_json_string(raw: Raw) -> None:
    events = raw(
        order(order_line_id=17),
        order(order_line_id=["17"]),
        order(order_line_id=True),
        order(sales_channel={"name": "WEB"}),
        order(sales_channel=None, payment_method=""),
        adjustment(warehouse_location=3),
    )
    assert reasons(events) == [
        ["INVALID_ORDER_LINE_ID"],
        ["INVALID_ORDER_LINE_ID"],
        ["INVALID_ORDER_LINE_ID"],
        ["INVALID_SALES_CHANNEL"],
        [],
        ["INVALID_WAREHOUSE_LOCATION"],
    ]


def test_all_reasons_are_listed_and_none_of_another_event_type(raw: Raw) -> None:
    events = raw(
        {"event_type": "ORDER_CREATED", "quantity": 0, "discount": "much", "quantity_change": 0},
        {"event_type": "INVENTORY_ADJUSTED", "quantity": "x", "unit_price": "x", "product_id": 1.5},
    )
    of_order, of_adjustment = reasons(events)
    assert sorted(of_order) == [
        "INVALID_DISCOUNT",
        "INVALID_QUANTITY",
        "MISSING_CUSTOMER_ID",
        "MISSING_EVENT_TS",
        "MISSING_ORDER_LINE_ID",
        "MISSING_PRODUCT_ID",
        "MISSING_UNIT_PRICE",
    ]
    assert sorted(of_adjustment) == [
        "INVALID_PRODUCT_ID",
        "MISSING_ADJUSTMENT_TYPE",
        "MISSING_EVENT_ID",
        "MISSING_EVENT_TS",
        "MISSING_QUANTITY_CHANGE",
        "MISSING_WAREHOUSE_LOCATION",
    ]


def test_an_event_without_a_known_type_is_rejected_for_it_alone(raw: Raw) -> None:
    """PITFALL 12: unknown events are kept, with a reason."""
    known = [
        ABSENT,
        None,
        "",
        " ",
        "ORDER_CANCELLED",
        "order_created",
        "ORDER_CREATED ",
        42,
        ["ORDER_CREATED"],
    ]
    events = raw(*(order(event_type=value) for value in known))
    assert reasons(events) == [["MISSING_EVENT_TYPE"]] * 4 + [["UNKNOWN_EVENT_TYPE"]] * 5


def test_what_is_no_json_object_is_rejected_whole(raw: Raw, staged: DataFrame) -> None:
    """PITFALL 23 and 26: [1,2], null, 42, nothing, bytes, NaN, deep nesting."""
    rows = placed(names.REJECTED_EVENTS, raw(*MALFORMED), staged)
    assert len(rows) == len(MALFORMED)
    for row in rows:
        assert json.loads(row["REASONS"]) == ["NOT_JSON_OBJECT"]
        assert row["SOURCE_TOPIC"] == "sales_events"
        assert row["REPLAYED_AT"] is None
    by_offset = {int(row["SOURCE_OFFSET"]): row["EVENT_CONTENT"] for row in rows}
    assert by_offset[0] is None
    assert json.loads(by_offset[3]) == "[1,2]"


@pytest.mark.parametrize("reason", ["PAYLOAD_TOO_LARGE", "PAYLOAD_REFUSED"])
def test_what_the_ingestor_could_not_load_as_it_was_is_rejected_for_that_alone(
    session: Session, reason: str
) -> None:
    row = raw_row(message(order(), 0))
    row["EVENT_METADATA"]["refusal"] = reason
    row["EVENT_CONTENT"] = "the beginning of it"
    events = session.create_dataframe([tuple(row.values())], schema=schemas.RAW_EVENTS)
    assert reasons(events) == [[reason]]


def test_a_rejected_event_keeps_its_content_coordinates_and_times(raw: Raw, staged: DataFrame) -> None:
    """PITFALL 26."""
    events = raw(order(), order(quantity=0, note="gardé"))
    [row] = placed(names.REJECTED_EVENTS, events, staged)
    assert list(row.as_dict()) == schemas.columns(schemas.REJECTED_EVENTS)
    assert row["EVENT_TYPE"] == "ORDER_CREATED"
    assert json.loads(row["EVENT_CONTENT"]) == order(quantity=0, note="gardé")
    assert json.loads(row["EVENT_METADATA"])["offset"] == 1
    assert (row["SOURCE_TOPIC"], row["SOURCE_PARTITION"], row["SOURCE_OFFSET"]) == ("sales_events", 0, 1)
    assert row["INGESTION_TIME"] == datetime(2025, 7, 1, 12, 0)
    assert row["REJECTED_AT"] is not None


def test_a_repeat_in_the_batch_is_a_duplicate_of_its_first_delivery(raw: Raw, staged: DataFrame) -> None:
    """PITFALL 9 and 22."""
    events = raw(order(), adjustment(), order(), order(quantity=4), order(), adjustment())
    assert offsets(placed(names.STG_ORDERS, events, staged)) == [0, 3]
    rows = placed(names.DUPLICATE_EVENTS, events, staged)
    assert list(rows[0].as_dict()) == schemas.columns(schemas.DUPLICATE_EVENTS)
    assert [(row["EVENT_TYPE"], row["EVENT_KEY"], int(row["SOURCE_OFFSET"])) for row in rows] == [
        ("ORDER_CREATED", "order-1", 2),
        ("ORDER_CREATED", "order-1", 4),
        ("INVENTORY_ADJUSTED", "adjustment-1", 5),
    ]


def test_a_repeat_of_what_is_staged_is_a_duplicate_and_a_new_version_is_not(
    raw: Raw, staged: DataFrame, session: Session
) -> None:
    before = placed(names.STG_ORDERS, raw(order()), staged)
    already = session.create_dataframe([tuple(row) for row in before], schema=schemas.STG_ORDERS)
    events = raw(order(), order(quantity=4), adjustment())
    assert offsets(placed(names.STG_ORDERS, events, already, staged)) == [1]
    assert offsets(placed(names.DUPLICATE_EVENTS, events, already, staged)) == [0]


def test_a_repeat_of_a_rejected_event_is_rejected_again(raw: Raw, staged: DataFrame) -> None:
    events = raw(order(quantity=0), order(quantity=0))
    assert offsets(placed(names.REJECTED_EVENTS, events, staged)) == [0, 1]
    assert placed(names.DUPLICATE_EVENTS, events, staged) == []


def test_a_raw_row_without_coordinates_is_staged_too(session: Session, staged: DataFrame) -> None:
    columns = schemas.columns(schemas.RAW_EVENTS)
    row = raw_row(message(order(), 0)) | {"EVENT_METADATA": None, "INGESTION_TIME": None}
    events = session.create_dataframe([tuple(row[name] for name in columns)], schema=schemas.RAW_EVENTS)
    [staged_row] = placed(names.STG_ORDERS, events, staged)
    assert (staged_row["SOURCE_TOPIC"], staged_row["SOURCE_PARTITION"], staged_row["SOURCE_OFFSET"]) == (
        None,
    ) * 3
