"""The contract as data: what staging stores, and a meaning for every reason."""

import re

import pytest
from snowflake.snowpark.types import StructType

from caves_snowpark import event_contract, schemas
from caves_snowpark.event_contract import EVENT_TYPES, INVENTORY_ADJUSTED, ORDER_CREATED, REASONS, EventType


def test_every_reason_a_field_can_give_has_a_meaning() -> None:
    given = {field.invalid for each in EVENT_TYPES for field in each.fields}
    given |= {field.missing for each in EVENT_TYPES for field in each.fields if field.required}
    given |= {
        event_contract.NOT_JSON_OBJECT,
        event_contract.MISSING_EVENT_TYPE,
        event_contract.UNKNOWN_EVENT_TYPE,
        event_contract.PAYLOAD_REFUSED,
        event_contract.PAYLOAD_TOO_LARGE,
    }
    assert given == set(REASONS)
    assert all(re.fullmatch("[A-Z_]+", reason) and meaning for reason, meaning in REASONS.items())


@pytest.mark.parametrize(
    ("event_type", "table"),
    [(ORDER_CREATED, schemas.STG_ORDERS), (INVENTORY_ADJUSTED, schemas.STG_INVENTORY_ADJUSTMENTS)],
)
def test_each_field_fills_the_staging_column_of_its_name_in_order(
    event_type: EventType, table: StructType
) -> None:
    filled = [field.column for field in event_type.fields]
    columns = schemas.columns(table)
    assert columns[: len(filled)] == filled
    assert columns[len(filled) :] == [
        "CONTENT_HASH",
        "SOURCE_TOPIC",
        "SOURCE_PARTITION",
        "SOURCE_OFFSET",
        "STAGED_AT",
    ]


def test_a_field_that_two_types_share_is_one_field() -> None:
    fields = event_contract.FIELDS
    assert len({field.name for field in fields}) == len({field.column for field in fields}) == len(fields)


def test_every_required_field_fills_a_column_that_is_not_null() -> None:
    """What is required is never NULL in staging; the default total is the one optional field of that kind."""
    for event_type, table in [
        (ORDER_CREATED, schemas.STG_ORDERS),
        (INVENTORY_ADJUSTED, schemas.STG_INVENTORY_ADJUSTMENTS),
    ]:
        required = {field.column for field in event_type.fields if field.required}
        not_null = {field.name for field in table.fields if not field.nullable}
        assert not_null - required <= {"TOTAL_AMOUNT", "CONTENT_HASH", "STAGED_AT"}
        assert required <= not_null
