"""The embedded broker: started, found ready, stopped by pid and by nothing else."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.broker import EmbeddedBroker, running_broker, start_broker, stop_broker
from ingest.errors import BrokerBinaryMissing, BrokerUnreachable, PortInUse, TopicMissing
from ingest.topics import check_broker, create_topic, topic_partitions


def test_broker_answers_as_soon_as_it_is_started_and_is_gone_when_stopped(tmp_path: Path) -> None:
    started = start_broker(log_file=tmp_path / "broker.log")
    check_broker(started.bootstrap)
    assert stop_broker(started.pid)
    with pytest.raises(BrokerUnreachable):
        check_broker(started.bootstrap, timeout_seconds=0.5)
    assert not stop_broker(started.pid)
    assert "tansu" in (tmp_path / "broker.log").read_text()


def test_detached_broker_survives_the_process_that_started_it() -> None:
    code = "from ingest.broker import start_broker as s; b = s(detached=True); print(b.port, b.pid)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    port, pid = map(int, done.stdout.split())
    try:
        check_broker(f"127.0.0.1:{port}")
    finally:
        assert stop_broker(pid)


def test_port_that_is_taken_is_said_before_anything_is_started() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is already in use"):
            start_broker(port)


def test_stop_leaves_a_process_alone_that_took_over_the_pid() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert not stop_broker(stranger.pid)
        time.sleep(0.05)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_broker_stops_although_a_client_is_still_connected() -> None:
    with running_broker() as running:
        host, port = running.bootstrap.split(":")
        with socket.create_connection((host, int(port))):
            begun = time.monotonic()
            assert stop_broker(running.pid)
            assert time.monotonic() - begun < 5
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_missing_binary_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nonexistent/tansu")
    with pytest.raises(BrokerBinaryMissing, match="make install"):
        start_broker()


def test_topic_is_made_once_and_found_with_its_partitions(broker: EmbeddedBroker) -> None:
    assert create_topic(broker.bootstrap, "made_once", partitions=3)
    assert not create_topic(broker.bootstrap, "made_once", partitions=3)
    assert topic_partitions(broker.bootstrap, "made_once") == [0, 1, 2]


def test_missing_topic_is_answered_with_those_that_exist(broker: EmbeddedBroker, topic: str) -> None:
    with pytest.raises(TopicMissing, match=topic):
        topic_partitions(broker.bootstrap, "sales_event")
