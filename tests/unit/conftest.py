"""A local testing session, and the project's warehouse in it."""

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session

from tests.unit import emulator
from tests.unit.local_warehouse import LocalWarehouse


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    emulator.mend_expressions(monkeypatch)
    with Session.builder.config("local_testing", True).create() as session:
        yield session


@pytest.fixture
def warehouse(session: Session, monkeypatch: pytest.MonkeyPatch) -> LocalWarehouse:
    return LocalWarehouse(session, monkeypatch)
