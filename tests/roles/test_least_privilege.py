"""What each role must not be able to do, tried as its service."""

import re

import pytest
from snowflake.connector.errors import ProgrammingError

from caves_snowpark import names
from tests.roles.stage import Stage, show

REFUSED = re.compile(
    r"not authorized|insufficient privileges|access control|unknown user-defined function|not assigned",
    re.IGNORECASE,
)
EVERYBODY = (
    "CREATE DATABASE MINE",
    "CREATE ROLE MINE",
    "CREATE USER SOMEBODY",
    f"DROP DATABASE {names.DEFAULT_DATABASE}",
    f"DROP TABLE {names.ORDERS}",
    f"TRUNCATE TABLE {names.RAW_EVENTS}",
    f"CREATE TABLE {names.PRODUCTION}.MINE (A INTEGER)",
    f"CREATE VIEW {names.ANALYTICS}.MINE AS SELECT 1 AS A",
    f"CREATE STAGE {names.RAW_DATA}.MINE",
    f"CREATE OR REPLACE STREAM {names.STREAM_RAW_EVENTS} ON TABLE {names.RAW_EVENTS}",
    f"CREATE TASK {names.RAW_DATA}.MINE SCHEDULE = '1 MINUTE' AS SELECT 1",
    f"ALTER TABLE {names.ORDERS} DROP COLUMN SHIPPING_ADDRESS",
    f"GRANT SELECT ON TABLE {names.RAW_EVENTS} TO ROLE PUBLIC",
    "GRANT ROLE ACCOUNTADMIN TO ROLE PUBLIC",
    "USE ROLE ACCOUNTADMIN",
    "USE ROLE CAVES_ADMIN",
)
FORBIDDEN = {
    "INGEST": (
        f"SELECT * FROM {names.RAW_EVENTS}",
        f"DELETE FROM {names.RAW_EVENTS}",
        f"UPDATE {names.RAW_EVENTS} SET EVENT_TYPE = 'X'",
        f"DELETE FROM {names.KAFKA_OFFSETS}",
        f"SELECT * FROM {names.STREAM_RAW_EVENTS}",
        f"SELECT * FROM {names.STG_ORDERS}",
        f"INSERT INTO {names.REJECTED_EVENTS} (REJECTED_AT) SELECT SYSDATE()",
        f"SELECT * FROM {names.ORDERS}",
        f"SELECT * FROM {names.DAILY_SALES}",
        f"SELECT * FROM {names.ALERT_LOG}",
        "CALL OPS.MERGE_ORDERS()",
        f"EXECUTE TASK {names.ROOT_TASK}",
    ),
    "TRANSFORM": (
        f"INSERT INTO {names.RAW_EVENTS} (EVENT_TYPE) VALUES ('X')",
        f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = 0",
        f"UPDATE {names.STG_INVENTORY_ADJUSTMENTS} SET QUANTITY_CHANGE = 0",
        f"DELETE FROM {names.INVENTORY_HISTORY}",
        f"DELETE FROM {names.INVENTORY_CURRENT}",
        f"SELECT * FROM {names.DAILY_SALES}",
        f"UPDATE {names.ALERT_SETTINGS} SET THRESHOLD = 0",
        f"SELECT * FROM @{names.CODE_STAGE}",
        (
            "CREATE PROCEDURE OPS.MINE() RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
            " PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS 'def main(session):\n    return 1'"
        ),
    ),
    "ANALYST": (
        f"SELECT * FROM {names.RAW_EVENTS}",
        f"SELECT * FROM {names.STG_ORDERS}",
        f"SELECT * FROM {names.REJECTED_EVENTS}",
        f"SELECT * FROM {names.STREAM_STG_ORDERS}",
        f"SELECT * FROM {names.ALERT_LOG}",
        f"INSERT INTO {names.ORDERS} SELECT * FROM {names.ORDERS}",
        f"UPDATE {names.ORDERS} SET TOTAL_AMOUNT = 0",
        f"DELETE FROM {names.ORDERS}",
        f"CREATE VIEW {names.PRODUCTION}.SHORTCUT AS SELECT * FROM {names.RAW_EVENTS}",
        "CALL OPS.REPLAY_REJECTED()",
        f"ALTER TASK {names.ROOT_TASK} SUSPEND",
    ),
    "OPERATOR": (
        f"INSERT INTO {names.RAW_EVENTS} (EVENT_TYPE) VALUES ('X')",
        f"DELETE FROM {names.STG_ORDERS}",
        f"UPDATE {names.REJECTED_EVENTS} SET DISMISSED_AT = SYSDATE()",
        f"UPDATE {names.ORDERS} SET TOTAL_AMOUNT = 0",
        f"UPDATE {names.ALERT_LOG} SET CLEARED_AT = SYSDATE()",
        f"DELETE FROM {names.ALERT_SETTINGS}",
        f"UPDATE {names.KAFKA_OFFSETS} SET NEXT_OFFSET = 0",
        f"ALTER TASK {names.ROOT_TASK} MODIFY AS SELECT 1",
        f"DROP TASK {names.ROOT_TASK}",
        f"DROP ALERT {names.ALERT_LOW_STOCK}",
        "CALL OPS.MERGE_ORDERS()",
        "CALL OPS.DISTRIBUTE_RAW_EVENTS()",
        "CALL OPS.ERASE_CUSTOMER(1, FALSE)",
        "SELECT * FROM OPS.ERASURE_KEY",
    ),
}


@pytest.mark.parametrize("job", FORBIDDEN)
def test_a_role_is_refused_what_is_not_its_work(stage: Stage, job: str) -> None:
    let_through = []
    with stage.session(job) as run:
        for statement in (*EVERYBODY, *FORBIDDEN[job]):
            try:
                run(statement)
            except ProgrammingError as error:
                assert REFUSED.search(str(error.msg)), (statement, error.msg)
            else:
                let_through.append(statement)
    assert let_through == []


def test_the_owner_of_the_pipeline_has_nothing_outside_it(stage: Stage) -> None:
    with stage.session("ADMIN") as run:
        for statement in EVERYBODY[:3] + EVERYBODY[-2:-1]:
            with pytest.raises(ProgrammingError, match=REFUSED):
                run(statement)
        assert run(f"SELECT COUNT(*) FROM {names.ORDERS}")


@pytest.mark.parametrize("page", ["sales", "stock", "customers"])
def test_an_analyst_sees_the_pages_of_the_shop(stage: Stage, page: str) -> None:
    app = show(stage, "ANALYST", page)
    assert not app.exception
    assert app.metric


def test_an_analyst_is_told_that_the_state_of_the_pipeline_is_not_for_this_role(stage: Stage) -> None:
    app = show(stage, "ANALYST", "pipeline")
    assert not app.exception
    assert not app.metric
    words = " ".join(str(element.value) for element in (*app.header, *app.markdown, *app.warning))
    assert "ce rôle n'a pas le droit de les lire" in words
