"""`caves ingest` as operations see it, as far as that needs neither broker nor warehouse."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Caves

CANARY = "canary-7f3a-do-not-print"


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.fixture
def config_file(tmp_path: Path, closed_port: int) -> Path:
    """A connection that nobody serves, with a password that must not show anywhere."""
    path = tmp_path / "config.toml"
    path.write_text(
        f'[connections.local]\naccount = "a"\nuser = "u"\npassword = "{CANARY}"\nhost = "127.0.0.1"\n'
        f'port = {closed_port}\nprotocol = "http"\ndatabase = "CAVES_ALBERT_DB"\n'
    )
    path.chmod(0o600)
    return path


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CAVES_METRICS_PORT", "CAVES_METRICS_HOST", "CAVES_LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)


def test_a_taken_port_is_said_before_anything_starts(
    caves: Caves, config_file: Path, taken_port: int
) -> None:
    # The broker is not there either, and is not asked.
    outcome = caves("ingest", "--config-file", str(config_file), "--metrics-port", str(taken_port))
    assert outcome.code == 1
    assert outcome.err.startswith(f"Error: Port {taken_port} is already in use.")
    assert len(outcome.err.splitlines()) == 1


def test_an_address_of_another_machine_is_said(caves: Caves, config_file: Path) -> None:
    outcome = caves(
        "ingest", "--config-file", str(config_file), "--metrics-port", "0", "--metrics-host", "192.0.2.1"
    )
    assert outcome.code == 1
    assert outcome.err.startswith("Error: Cannot listen on '192.0.2.1', port 0: ")


def test_a_port_that_is_none_is_a_usage_error(caves: Caves) -> None:
    assert caves("ingest", "--metrics-port", "70000").code == 2


def test_the_environment_sets_what_the_flags_set(
    caves: Caves, config_file: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAVES_CONFIG_FILE", str(config_file))
    monkeypatch.setenv("CAVES_METRICS_PORT", str(taken_port))
    monkeypatch.setenv("CAVES_METRICS_HOST", "127.0.0.1")
    monkeypatch.setenv("CAVES_LOG_FORMAT", "json")
    outcome = caves("ingest")
    assert outcome.code == 1
    assert json.loads(outcome.err)["reason"] == "PortInUse"


@pytest.mark.parametrize("arguments", [[], ["-c", "nowhere"]])
def test_json_has_the_error_that_ends_the_run_and_no_other_form(
    caves: Caves, config_file: Path, closed_port: int, arguments: list[str]
) -> None:
    outcome = caves(
        *("ingest", "--config-file", str(config_file), "--bootstrap", f"127.0.0.1:{closed_port}"),
        *("--log-format", "json", "--metrics-port", "0", *arguments),
    )
    entries = [json.loads(line) for line in outcome.err.splitlines()]
    assert outcome.code == 3
    assert outcome.out == ""
    assert entries[-1]["event"] == "failed"
    assert entries[-1]["level"] == "critical"
    assert entries[-1]["reason"] == ("ConnectionNotFound" if arguments else "BrokerUnreachable")


def test_a_hostile_topic_name_is_escaped_where_it_is_told(
    caves: Caves, config_file: Path, closed_port: int
) -> None:
    outcome = caves(
        *("ingest", "--config-file", str(config_file), "--bootstrap", f"127.0.0.1:{closed_port}"),
        *("--topic", "x\x1b[2J\nError: all is lost [bold]"),
    )
    first = outcome.err.splitlines()[0]
    assert r"x\x1b[2J\nError: all is lost [bold]" in first


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
def test_no_password_is_told_whatever_fails(
    caves: Caves,
    config_file: Path,
    closed_port: int,
    log_format: str,
    debug: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A canary: the warehouse is asked, with the password, and is not there."""
    monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers[:])
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    monkeypatch.setattr("ingest.source.topic_partitions", lambda *_: [0])
    try:
        outcome = caves(
            *("ingest", "--config-file", str(config_file), "--bootstrap", f"127.0.0.1:{closed_port}"),
            *("--until-caught-up", "--assign", "--metrics-port", "0", "--log-format", log_format, *debug),
        )
        told = outcome.out + outcome.err
    except Exception:
        # --debug lets the error through, for its traceback.
        captured = capsys.readouterr()
        told = captured.out + captured.err
    assert f"127.0.0.1:{closed_port}" in told
    assert CANARY not in told


def test_nothing_listens_unless_it_is_asked_for(
    caves: Caves, config_file: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a server was made")

    monkeypatch.setattr("ingest.endpoints.Endpoints.__init__", refuse)
    before = threading.active_count()
    outcome = caves("ingest", "--config-file", str(config_file), "--bootstrap", f"127.0.0.1:{closed_port}")
    assert "a server was made" not in outcome.err
    assert threading.active_count() == before
