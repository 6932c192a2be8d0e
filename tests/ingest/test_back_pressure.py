"""A warehouse that is away while messages pour in: bounded memory, a living group member, no loss."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caves_snowpark.names import KAFKA_OFFSETS, RAW_EVENTS
from ingest.broker import EmbeddedBroker
from ingest.producer import produce
from tests.ingest.doubles import a_run
from tests.ingest.warehouse import LocalWarehouse

EVENTS = 120_000
BUFFER_MB = 8
# Longer than the session timeout: a member without heartbeats would have been put out of the group.
AWAY_SECONDS = 9
# A payload costs more than its bytes: the message, its key and headers, the columns, the file, the allocator.
MEMORY_BOUND_MB = 5 * BUFFER_MB


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[LocalWarehouse]:
    local = LocalWarehouse(tmp_path)
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


class Service:
    """`caves ingest` as a service runs it, with its log read as JSON."""

    def __init__(self, broker: EmbeddedBroker, warehouse: LocalWarehouse, topic: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "caves_cli.main", "ingest", "--topic", topic]
        command += ["--bootstrap", broker.bootstrap, "--config-file", str(warehouse.config_file)]
        command += ["--buffer-mb", str(BUFFER_MB), "--batch-seconds", "0.5", "--log-format", "json"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(json.loads(line))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == name]

    @property
    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self._reader.join(10)


def _eventually(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_warehouse_that_is_away_costs_bounded_memory_and_no_membership(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 30.
    produce(a_run(broker.bootstrap, topic=topic, events=20_000))
    service = Service(broker, warehouse, topic)
    try:
        _eventually(lambda: sum(line["rows"] for line in service.events("batch")) == 20_000, 60)
        before, rebalances = service.peak_memory_mb, len(service.events("rebalance"))
        warehouse.kill()
        produce(a_run(broker.bootstrap, topic=topic, events=EVENTS, seed=7))
        time.sleep(AWAY_SECONDS)
        assert service.events("paused")
        assert service.peak_memory_mb - before < MEMORY_BOUND_MB
        assert len(service.events("rebalance")) == rebalances
        warehouse.start()
        _eventually(lambda: sum(line["rows"] for line in service.events("batch")) == 20_000 + EVENTS, 120)
        assert service.peak_memory_mb - before < MEMORY_BOUND_MB
        assert sum(line["bytes"] for line in service.events("batch")) > 5 * BUFFER_MB * 1024 * 1024
        assert service.stop() == 0
    finally:
        service.process.kill()
    with warehouse.session() as ask:
        place = "CONCAT(EVENT_METADATA:partition::VARCHAR, '/', EVENT_METADATA:offset::VARCHAR)"
        loaded = ask(f"SELECT COUNT(*), COUNT(DISTINCT {place}) FROM {RAW_EVENTS}")
        stored = ask(f"SELECT SUM(NEXT_OFFSET) FROM {KAFKA_OFFSETS} WHERE TOPIC = '{topic}'")
    assert (loaded, stored) == ([(20_000 + EVENTS,) * 2], [(20_000 + EVENTS,)])
