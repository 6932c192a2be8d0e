"""A local testing session, and the project's warehouse in it."""

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session

from tests.unit.local_warehouse import LocalWarehouse, local_session, local_warehouse


@pytest.fixture
def session() -> Iterator[Session]:
    with local_session() as session:
        yield session


@pytest.fixture
def warehouse() -> Iterator[LocalWarehouse]:
    with local_warehouse() as warehouse:
        yield warehouse
