"""What operations see of a real `caves ingest`, compared with what is in the warehouse."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from caves_snowpark.names import KAFKA_OFFSET_GAPS, KAFKA_OFFSETS, RAW_EVENTS
from ingest.broker import EmbeddedBroker
from ingest.ingestor import run
from ingest.producer import produce
from ingest.settings import IngestSettings
from tests.ingest.doubles import a_run
from tests.ingest.test_metrics import Series, scraped
from tests.ingest.warehouse import LocalWarehouse

CAVES = Path(sys.prefix) / "bin" / "caves"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[LocalWarehouse]:
    """One to be killed."""
    local = LocalWarehouse(tmp_path)
    local.start()
    try:
        local.deploy()
        yield local
    finally:
        local.kill(signal.SIGTERM)


@dataclass
class Service:
    """A `caves ingest` that runs, with its log as JSON in a file."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def entries(self, event: str | None = None) -> list[dict[str, Any]]:
        """What it logged so far, each line read as JSON; a last line may still be on its way."""
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [entry for entry in entries if event is None or entry.get("event") == event]

    @property
    def url(self) -> str:
        eventually(lambda: bool(self.entries("serving")), "it serves")
        return str(self.entries("serving")[0]["url"])

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(f"{self.url}{path}", timeout=20) as response:
                return response.status, response.read().decode()
        except HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()
        except OSError as error:
            raise AssertionError(
                f"no answer; exit code {self.process.poll()}: {self.entries()[-1]}"
            ) from error

    def metrics(self) -> Series:
        return scraped(self.get("/metrics")[1].encode())

    def value(self, name: str, **labels: str) -> float:
        return self.metrics()[(f"caves_ingest_{name}", tuple(sorted(labels.items())))]

    def total(self, name: str) -> float:
        return sum(value for (found, _), value in self.metrics().items() if found == f"caves_ingest_{name}")

    def next_offsets(self) -> dict[int, int]:
        return {
            int(dict(labels)["partition"]): int(value)
            for (name, labels), value in self.metrics().items()
            if name == "caves_ingest_next_offset"
        }


@contextmanager
def service(
    broker: EmbeddedBroker, warehouse: LocalWarehouse, topic: str, *arguments: str
) -> Iterator[Service]:
    log = warehouse.folder / f"ingest-{time.monotonic_ns()}.log"
    command = [str(CAVES), "ingest", "--config-file", str(warehouse.config_file), "--topic", topic]
    command += ["--bootstrap", broker.bootstrap, "--batch-seconds", "0.2", "--log-format", "json"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--metrics-port", "0", *arguments], stderr=stderr, cwd=warehouse.folder
        )
    try:
        yield Service(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def eventually(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.05)


def loaded(warehouse: LocalWarehouse, topic: str) -> int:
    with warehouse.session() as ask:
        ((count,),) = ask(
            f"SELECT COUNT(*) FROM {RAW_EVENTS} WHERE EVENT_METADATA:topic::VARCHAR = '{topic}'"
        )
    return int(count)


def stored(warehouse: LocalWarehouse, topic: str) -> tuple[dict[int, int], datetime]:
    """NEXT_OFFSET by partition, and when the last of them moved."""
    with warehouse.session() as ask:
        rows = ask(f"SELECT PARTITION, NEXT_OFFSET, UPDATED_AT FROM {KAFKA_OFFSETS} WHERE TOPIC = '{topic}'")
    return {p: offset for p, offset, _ in rows}, max(moved for _, _, moved in rows).replace(tzinfo=UTC)


def assert_true_to(warehouse: LocalWarehouse, topic: str, service: Service, before: int) -> None:
    """Everything that it tells is what the warehouse holds."""
    offsets, moved = stored(warehouse, topic)
    assert service.value("messages_total") == loaded(warehouse, topic) - before
    assert service.next_offsets() == offsets
    last_commit = datetime.fromtimestamp(service.value("last_commit_timestamp_seconds"), UTC)
    # The warehouse notes the time inside the transaction, the ingestor when it is committed.
    assert moved <= last_commit <= datetime.now(UTC)
    batches = service.entries("batch")
    assert sum(batch["rows"] for batch in batches) == service.value("messages_total")
    assert sum(batch["bytes"] for batch in batches) == service.value("payload_bytes_total")
    assert len(batches) == service.value("batches_total") == service.value("commit_seconds_count")
    # Each batch goes on where the one before it ended, up to what is stored.
    ends: dict[str, int] = {}
    for batch in batches:
        for partition, span in batch["partitions"].items():
            assert span["from"] == ends.get(partition, span["from"])
            ends[partition] = span["to"]
    assert {int(partition): end for partition, end in ends.items()} == offsets


def test_metrics_probes_and_log_are_true_through_an_outage_of_the_warehouse(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 28. What another process loaded before is not this one's.
    produce(a_run(broker.bootstrap, topic=topic, events=500))
    run(
        IngestSettings(
            broker.bootstrap, "local", warehouse.config_file, topic=topic, assign=True, until_caught_up=True
        )
    )
    with service(broker, warehouse, topic, "--assign") as ingest:
        eventually(lambda: ingest.get("/readyz")[0] == 200, "it is ready")
        assert ingest.get("/healthz")[0] == 200
        assert ingest.value("messages_total") == ingest.value("last_commit_timestamp_seconds") == 0
        assert ingest.next_offsets() == stored(warehouse, topic)[0]
        assert ingest.value("owned_partitions") == 4

        produce(a_run(broker.bootstrap, topic=topic, events=2_000, seed=7))
        eventually(lambda: ingest.value("messages_total") == 2_000, "2,000 are loaded")
        assert_true_to(warehouse, topic, ingest, before=500)

        warehouse.kill()
        produce(a_run(broker.bootstrap, topic=topic, events=1_000, seed=9))
        eventually(lambda: ingest.total("retries_total") > 0, "an attempt fails")
        assert ingest.get("/readyz")[0] == 503
        assert json.loads(ingest.get("/readyz")[1])["warehouse_answered"] is False
        assert ingest.get("/healthz")[0] == 200
        assert ingest.value("messages_total") == 2_000
        eventually(lambda: ingest.value("buffer_messages") > 0, "the rest waits in the buffer")
        assert 0 < ingest.value("buffer_bytes") <= ingest.value("buffer_limit_bytes")
        eventually(lambda: ingest.total("lag_messages") > 0, "the lag is told")

        warehouse.start()
        eventually(lambda: ingest.value("messages_total") == 3_000, "all are loaded")
        eventually(lambda: ingest.total("lag_messages") == 0, "the lag is gone")
        eventually(lambda: ingest.value("buffer_messages") == 0, "the buffer is empty")
        assert ingest.get("/readyz")[0] == ingest.get("/healthz")[0] == 200
        assert_true_to(warehouse, topic, ingest, before=500)
        retries = [entry["reason"] for entry in ingest.entries("retry")]
        assert len(retries) == ingest.total("retries_total")
        assert ingest.value("retries_total", reason="WarehouseUnreachable") == len(retries)
        seen = ingest.get("/metrics")[1] + ingest.get("/readyz")[1] + ingest.get("/healthz")[1]

        url = ingest.url
        ingest.process.send_signal(signal.SIGTERM)
        assert ingest.process.wait(30) == 0
        assert (ingest.entries()[-1]["event"], ingest.entries()[-1]["rows"]) == ("stopped", 3_000)
        with pytest.raises(URLError):
            urlopen(f"{url}/healthz", timeout=5)
        password = tomllib.loads(warehouse.config_file.read_text())["connections"]["local"]["password"]
        assert len(password) > 8
        assert password not in seen + ingest.log.read_text()


def test_a_partition_that_moves_to_another_member_is_told_by_that_one_only(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=topic, events=1_000))
    with service(broker, warehouse, topic) as one:
        eventually(lambda: one.value("messages_total") == 1_000, "the first has loaded all")
        with service(broker, warehouse, topic) as two:
            eventually(lambda: two.value("owned_partitions") == 2, "the second has its share")
            eventually(lambda: one.value("owned_partitions") == 2, "the first has given it")
            assert one.next_offsets().keys() | two.next_offsets().keys() == {0, 1, 2, 3}
            assert one.next_offsets().keys() & two.next_offsets().keys() == set()
            produce(a_run(broker.bootstrap, topic=topic, events=1_000, seed=3))
            eventually(
                lambda: one.value("messages_total") + two.value("messages_total") == 2_000, "all are loaded"
            )
            assert {**one.next_offsets(), **two.next_offsets()} == stored(warehouse, topic)[0]
            assert loaded(warehouse, topic) == 2_000
            assert one.entries("rebalance")[-1]["lost"] == two.entries("rebalance")[-1]["partitions"]


def test_offsets_passed_over_are_counted_as_the_warehouse_records_them(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    # PITFALLS 29.
    settings = IngestSettings(
        broker.bootstrap, "local", warehouse.config_file, topic=topic, assign=True, until_caught_up=True
    )
    produce(a_run(broker.bootstrap, topic=topic, events=300))
    run(settings)
    with warehouse.session() as ask:
        ask(f"UPDATE {KAFKA_OFFSETS} SET NEXT_OFFSET = NEXT_OFFSET + 1000 WHERE TOPIC = '{topic}'")
    with service(broker, warehouse, topic, "--assign", "--on-offset-reset", "earliest") as ingest:
        eventually(lambda: ingest.value("messages_total") == 300, "the log is read again from its beginning")
        with warehouse.session() as ask:
            gaps = ask(f"SELECT REASON FROM {KAFKA_OFFSET_GAPS} WHERE TOPIC = '{topic}'")
        recorded = Counter(reason for (reason,) in gaps)
        assert recorded.total() == 4
        counted = {
            dict(labels)["reason"]: value
            for (name, labels), value in ingest.metrics().items()
            if name == "caves_ingest_gaps_total" and value
        }
        assert counted == recorded
        assert [entry["reason"] for entry in ingest.entries("reset")] == list(recorded) * 4
        assert ingest.next_offsets() == stored(warehouse, topic)[0]


def test_text_on_a_terminal_of_80_columns_stays_within_them(
    broker: EmbeddedBroker, topic: str, warehouse: LocalWarehouse
) -> None:
    produce(a_run(broker.bootstrap, topic=topic, events=1_000))
    command = [str(CAVES), "ingest", "--config-file", str(warehouse.config_file), "--topic", topic]
    command += ["--bootstrap", broker.bootstrap, "--assign", "--until-caught-up", "--metrics-port", "0"]
    controller, terminal = pty.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        done = subprocess.run(
            command, stderr=terminal, stdin=terminal, env=environment, cwd=warehouse.folder, check=False
        )
        told = os.read(controller, 65_536).decode()
    finally:
        os.close(controller)
        os.close(terminal)
    lines = told.split("\r\n")
    assert done.returncode == 0
    assert "Loading " in lines[0] and topic in lines[0]
    assert any(" rows, " in line for line in lines)
    assert "Loaded 1,000 events in " in told
    assert [line for line in lines if len(line) > 80] == []
