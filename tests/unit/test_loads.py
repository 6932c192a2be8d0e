"""Loads: the transaction, the counts of an INSERT ALL, and the task's return value."""

import json
from unittest.mock import MagicMock

import pytest
from snowflake.snowpark import Row
from snowflake.snowpark.exceptions import SnowparkSQLException

from caves_snowpark.loads import UnaccountedEventsError, insert_each, report, transaction
from tests.unit.local_warehouse import LocalWarehouse


def test_a_transaction_commits_what_ends_well(warehouse: LocalWarehouse) -> None:
    with transaction(warehouse.session):
        warehouse.statements.append("work")
    assert warehouse.statements == ["BEGIN", "work", "COMMIT"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_transaction_rolls_back_what_fails_and_says_why(
    warehouse: LocalWarehouse, failure: type[BaseException]
) -> None:
    with pytest.raises(failure), transaction(warehouse.session):
        raise failure
    assert warehouse.statements == ["BEGIN", "ROLLBACK"]


def test_in_a_task_the_counts_are_its_return_value(warehouse: LocalWarehouse) -> None:
    warehouse.in_task = True
    assert report(warehouse.session, {"read": 2}) == {"read": 2}
    assert warehouse.return_value is not None
    assert json.loads(warehouse.return_value) == {"read": 2}


def test_outside_a_task_a_missing_return_value_is_no_failure(warehouse: LocalWarehouse) -> None:
    with pytest.raises(SnowparkSQLException):
        warehouse.execute("CALL SYSTEM$SET_RETURN_VALUE('{}')")
    assert report(warehouse.session, {"read": 2}) == {"read": 2}
    assert warehouse.return_value is None


def test_unaccounted_events_are_told_with_their_numbers_and_a_way_out() -> None:
    error = UnaccountedEventsError(read=3, written=2)
    assert (error.read, error.written) == (3, 2)
    assert "Read 3 events but wrote 2 rows" in str(error)
    assert "run it again" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        Row(**{"number of rows inserted into B": 2, "number of rows inserted into A": 1}),
        Row(**{'number of rows inserted into "DB"."S"."B"': 2, "number of rows inserted into DB.S.A": 1}),
        # Without the tables' names it can only be their order.
        Row(**{"number of rows inserted": 1, "number of rows inserted (2)": 2}),
    ],
)
def test_the_rows_that_went_to_each_table_are_known_however_the_answer_names_them(answer: Row) -> None:
    session = MagicMock()
    session.sql.return_value.collect.return_value = [answer]
    rows = MagicMock(session=session, queries={"queries": ["SELECT 1"]})
    assert insert_each(rows, {"S.A": {"X": "X"}, "S.B": {"X": "X"}}) == {"S.A": 1, "S.B": 2}
