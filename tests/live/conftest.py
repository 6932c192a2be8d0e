"""The pipeline on an account, deployed once for all live tests."""

from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli.connection import Target
from ingest.broker import running_broker
from ingest.ingestor import run as ingest
from ingest.producer import produce
from ingest.settings import IngestSettings, ProducerSettings
from ingest.truth import Truth
from tests.live.database_of_its_own import CONNECTION_VARIABLE, asked_for, deployed, new_target

EVENTS = 2_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if asked_for() is None:
        reason = f"needs an account: `make test-live CONNECTION=name` ({CONNECTION_VARIABLE} is not set)"
        for item in items:
            if item.get_closest_marker("live"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def account() -> Iterator[Target]:
    asked = asked_for()
    assert asked is not None, "the tests that use this are marked live, and skipped without a connection"
    with deployed(new_target(*asked)) as chosen:
        yield chosen


@pytest.fixture(scope="session")
def truth(account: Target) -> Truth:
    """Events of known sum, sent through a broker on this machine and loaded into the account."""
    own = f"SNOWFLAKE_CONNECTIONS_{account.name.upper()}_"
    with pytest.MonkeyPatch.context() as shell, running_broker() as broker:
        # A connection names its database and warehouse; for this run they are others.
        shell.setenv(f"{own}DATABASE", account.database)
        shell.setenv(f"{own}WAREHOUSE", account.warehouse)
        shell.setenv(f"{own}ROLE", account.role("INGEST"))
        sent = produce(ProducerSettings(broker.bootstrap, "sales_events", EVENTS)).truth
        ingest(
            IngestSettings(
                bootstrap=broker.bootstrap,
                connection=account.name,
                config_file=account.config_file,
                topic="sales_events",
                assign=True,
                until_caught_up=True,
            )
        )
    return sent


@pytest.fixture
def session(account: Target) -> Iterator[SnowflakeConnection]:
    with account.open() as opened:
        yield opened
