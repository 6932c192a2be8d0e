"""Whatever is wrong, a command says so in one or two lines with a way out, and shows no traceback."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from snowflake.connector.errors import OperationalError

from caves_cli.errors import TaskFailed
from caves_cli.exit_codes import ExitCode
from tests.cli.conftest import Caves, Outcome


@pytest.fixture
def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.fixture
def dead_warehouse(tmp_path: Path, closed_port: int) -> Path:
    """A config file whose warehouse is not running."""
    path = tmp_path / "config.toml"
    path.write_text(
        f'[connections.local]\naccount = "a"\nuser = "u"\npassword = "p"\nhost = "127.0.0.1"\n'
        f'port = {closed_port}\nprotocol = "http"\ndatabase = "CAVES_ALBERT_DB"\n'
    )
    path.chmod(0o600)
    return path


def assert_short(outcome: Outcome, *words: str, code: ExitCode = ExitCode.FAILED) -> None:
    assert outcome.code == code
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("Error: ")
    assert len(outcome.err.strip().splitlines()) <= 2, outcome.err
    for word in words:
        assert word in outcome.err, outcome.err


@pytest.mark.parametrize("command", ["deploy", "status", "verify", "ingest"])
def test_a_missing_connection_is_named_with_the_way_out(caves: Caves, command: str) -> None:
    assert_short(caves(command, "-c", "nowhere"), "'nowhere'", "caves up", code=ExitCode.UNREACHABLE)


@pytest.mark.parametrize("command", ["deploy", "status", "verify"])
def test_an_unreachable_warehouse_is_said_within_seconds(
    caves: Caves, command: str, dead_warehouse: Path, closed_port: int
) -> None:
    outcome = caves(command, "--config-file", str(dead_warehouse))
    assert_short(outcome, f"127.0.0.1:{closed_port}", "caves up", code=ExitCode.UNREACHABLE)


def test_an_unreachable_broker_is_said(caves: Caves, closed_port: int) -> None:
    outcome = caves("produce", "--bootstrap", f"127.0.0.1:{closed_port}", "--events", "1")
    assert_short(outcome, f"127.0.0.1:{closed_port}", "caves up", code=ExitCode.UNREACHABLE)


def test_a_config_file_that_is_not_there_is_named(caves: Caves) -> None:
    assert_short(caves("status", "--config-file", "no-such.toml"), "no-such.toml", code=ExitCode.UNREACHABLE)


def test_a_taken_port_is_named_and_nothing_is_left_running(caves: Caves, taken_port: int) -> None:
    assert_short(caves("up", "--port", str(taken_port)), str(taken_port), "in use")
    assert not Path(".caves/state.json").exists()


def test_a_state_file_that_cannot_be_read_says_what_to_do(caves: Caves) -> None:
    Path(".caves").mkdir()
    Path(".caves/state.json").write_text("{")
    assert_short(caves("down"), "state.json", "delete")


def test_a_share_outside_its_range_is_refused(caves: Caves) -> None:
    assert_short(caves("produce", "--bad-share", "2"), "bad_share", code=ExitCode.USAGE)


def test_a_fault_of_ours_is_said_as_such(caves: Caves, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("caves_cli.local_kafka.topic", broken)
    assert_short(caves("produce"), "KeyError", "--debug", code=ExitCode.FAULT)


def test_a_failed_task_is_told_with_the_line_that_names_the_exception() -> None:
    traceback = (
        "Python Interpreter Error:\nTraceback (most recent call last):\n"
        '  File "merge_orders.zip", line 3, in main\n    boom()\nValueError: no such order\n'
        " in function MERGE_ORDERS with handler merge_orders.main"
    )
    failed = TaskFailed("TASK_STAGING_TO_PROD_ORDERS", traceback, Path("logs"))
    assert str(failed) == (
        "Task TASK_STAGING_TO_PROD_ORDERS failed: ValueError: no such order\nThe logs are in logs."
    )


def test_a_demo_tells_before_it_starts_that_its_json_file_cannot_be_written(
    caves: Caves, tmp_path: Path
) -> None:
    assert_short(caves("demo", "--json", str(tmp_path / "absent" / "x.json")), "cannot be written", "absent")


@pytest.mark.parametrize("share", ["2", "nan", "-0.5"])
def test_a_demo_tells_before_it_starts_that_a_share_is_none(caves: Caves, share: str) -> None:
    outcome = caves("demo", "--bad-share", share)
    assert_short(outcome, "bad_share", "a share from 0", code=ExitCode.USAGE)
    assert "Starting" not in outcome.err


def test_an_ingest_without_a_broker_says_so_once(
    caves: Caves, dead_warehouse: Path, closed_port: int
) -> None:
    outcome = caves("ingest", "--config-file", str(dead_warehouse), "--bootstrap", f"127.0.0.1:{closed_port}")
    doing, error = outcome.err.splitlines()
    assert (outcome.code, " Loading " in doing, error.startswith("Error: ")) == (3, True, True)
    assert f"127.0.0.1:{closed_port}" in error
    assert "caves up" in error


def test_a_thread_of_the_connector_dies_in_silence_and_one_of_ours_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caves: Caves
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    assert caves("down").code == ExitCode.OK
    for error in (OperationalError("the statement could not be cancelled"), KeyError("ours")):
        thread = threading.Thread(target=raiser(error))
        thread.start()
        thread.join()
    told = capsys.readouterr().err
    assert "KeyError: 'ours'" in told
    assert "cancelled" not in told


def raiser(error: Exception) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def test_a_dashboard_whose_port_is_taken_says_which_option_gives_it_another(
    caves: Caves, dead_warehouse: Path, taken_port: int
) -> None:
    outcome = caves(
        "dashboard", "--config-file", str(dead_warehouse), "--no-browser", "--port", str(taken_port)
    )
    assert outcome.code == ExitCode.FAILED
    assert f"port {taken_port}" in outcome.err
    assert "--port" in outcome.err
