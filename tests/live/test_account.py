"""The pipeline on a real account: `make test-live CONNECTION=name`.

The connection's user needs ACCOUNTADMIN. Everything is made under a name of its own, CAVES_LIVE_<8 digits>,
and dropped at the end; nothing else on the account is touched. Cost: an XSMALL warehouse for a few minutes.
"""

import time
from collections.abc import Callable

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli import overview, report, verification
from caves_cli.connection import Target
from caves_cli.report import Report
from caves_snowpark import names
from ingest.truth import Truth

pytestmark = [pytest.mark.live, pytest.mark.timeout(1_800)]
# Tasks look once a minute, and a warehouse takes seconds to wake.
PATIENCE_SECONDS = 600.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(5)


@pytest.fixture
def drained(session: SnowflakeConnection, truth: Truth) -> None:
    """The scheduled tasks have taken every event to its table."""
    wait_until(lambda: not any(overview.rows_waiting(session).values()))


@pytest.mark.usefixtures("drained")
def test_every_event_and_cent_and_bottle_is_accounted_for(session: SnowflakeConnection, truth: Truth) -> None:
    outcome = Report(truth, report.read(session), {})
    assert outcome.mismatches == []
    assert outcome.holds


@pytest.mark.usefixtures("drained")
def test_an_analyst_reads_what_is_produced_and_nothing_before_it(
    account: Target, session: SnowflakeConnection
) -> None:
    with session.cursor() as cursor:
        cursor.execute("USE SECONDARY ROLES NONE")
        cursor.execute(f"USE ROLE {account.role('ANALYST')}")
        cursor.execute(f"SELECT COUNT(*) FROM {names.DAILY_SALES}")
        assert cursor.fetchall() != [(0,)]
        with pytest.raises(Exception, match="does not exist or not authorized"):
            cursor.execute(f"SELECT COUNT(*) FROM {names.RAW_EVENTS}")


@pytest.mark.usefixtures("drained")
def test_the_procedures_run_by_hand_and_find_nothing_left(
    account: Target, session: SnowflakeConnection
) -> None:
    with session.cursor() as cursor:
        cursor.execute(f"USE ROLE {account.role('ADMIN')}")
        for procedure in names.TASK_PROCEDURES.values():
            cursor.execute(f"CALL {procedure}()")
            assert cursor.fetchall()
    assert all(verdict.holds for verdict in verification.verify(session))
