"""A statement that works for long is not taken for a network that is gone."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import connections
from ingest.errors import WarehouseBusy
from ingest.session import WarehouseSession, warehouse_session
from tests.ingest.warehouse import LocalWarehouse


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarehouseSession]:
    monkeypatch.setattr(connections, "NETWORK_TIMEOUT_SECONDS", 1)
    local = LocalWarehouse(tmp_path)
    local.start()
    opened = warehouse_session("local", local.config_file)
    try:
        yield opened
    finally:
        opened.drop()
        local.kill(signal.SIGTERM)


def test_a_statement_has_the_time_that_it_is_given_and_no_more(session: WarehouseSession) -> None:
    assert session.run("CALL SYSTEM$WAIT(3)", seconds=30).rows
    with pytest.raises(WarehouseBusy, match="SYSTEM"):
        session.run("CALL SYSTEM$WAIT(30)")
