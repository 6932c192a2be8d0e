"""Scripts decide by exit codes: each is provoked here, and the page lists them all."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from snowflake.connector.errors import OperationalError, ProgrammingError

from caves_cli.exit_codes import MEANINGS, ExitCode, exit_code
from ingest.errors import BrokerUnreachable, InvalidSetting, PortInUse, WarehouseUnreachable
from tests.cli.conftest import Caves


class NoWarehouse:
    """Stands for a connection whose statements all fail."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __enter__(self) -> "NoWarehouse":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def cursor(self, *_: object) -> "NoWarehouse":
        raise self._error


@pytest.fixture
def warehouse_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Lets every statement on connection `local` end in an error."""
    (tmp_path / ".caves").mkdir()
    (tmp_path / ".caves" / "config.toml").write_text('[connections.local]\naccount = "a"\n')

    def say(error: BaseException) -> None:
        monkeypatch.setattr("caves_cli.connection.Target.open", lambda _: NoWarehouse(error))

    return say


def test_0_when_done(caves: Caves) -> None:
    assert caves("down").code == ExitCode.OK


def test_1_when_the_work_cannot_be_done(caves: Caves) -> None:
    Path(".caves").mkdir()
    Path(".caves/state.json").write_text("{")
    assert caves("down").code == ExitCode.FAILED


@pytest.mark.parametrize("arguments", [("bogus",), ("demo", "--events", "0"), ("demo", "--bad-share", "2")])
def test_2_when_nothing_was_begun_because_of_how_it_was_asked(caves: Caves, arguments: tuple[str]) -> None:
    assert caves(*arguments).code == ExitCode.USAGE


def test_3_when_there_is_no_such_connection(caves: Caves) -> None:
    assert caves("status", "-c", "nowhere").code == ExitCode.UNREACHABLE


def test_3_when_the_warehouse_goes_away_between_two_statements(
    caves: Caves, warehouse_says: Callable[[BaseException], None]
) -> None:
    warehouse_says(OperationalError("connection reset"))
    outcome = caves("verify")
    assert outcome.code == ExitCode.UNREACHABLE
    assert "went away" in outcome.err


@pytest.mark.parametrize("command", ["status", "verify"])
def test_4_when_the_pipeline_is_not_there(
    caves: Caves, warehouse_says: Callable[[BaseException], None], command: str
) -> None:
    warehouse_says(ProgrammingError("Object 'X' does not exist"))
    outcome = caves(command)
    assert outcome.code == ExitCode.NOT_DEPLOYED
    assert "caves deploy -c local" in outcome.err


def test_4_also_where_a_command_meets_a_table_that_is_not_there(
    caves: Caves, warehouse_says: Callable[[BaseException], None]
) -> None:
    warehouse_says(ProgrammingError("Object 'X' does not exist", errno=2003))
    outcome = caves("rejected", "list")
    assert outcome.code == ExitCode.NOT_DEPLOYED
    assert "caves deploy" in outcome.err


def test_70_when_it_is_our_own_fault(caves: Caves, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caves_cli.local_kafka.topic", {}.__getitem__)
    assert caves("produce").code == ExitCode.FAULT


def test_130_when_ctrl_c_cuts_it_short(caves: Caves, warehouse_says: Callable[[BaseException], None]) -> None:
    warehouse_says(KeyboardInterrupt())
    outcome = caves("verify")
    assert outcome.code == ExitCode.INTERRUPTED
    assert "Traceback" not in outcome.err


def test_130_is_what_the_shell_sees(tmp_path: Path) -> None:
    """The real thing: a process that waits for an answer, and the signal that Ctrl-C sends."""
    script = (
        "import signal, sys, time\nfrom caves_cli import local_kafka, main\n"
        # What a shell starts in the background ignores it, and so do the tests of such a job.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def wait(_):\n    print('waiting', flush=True)\n    time.sleep(60)\n"
        "local_kafka.topic = wait\nsys.argv = ['caves', 'produce']\nmain.main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidSetting("rate", -1, "0 or more"), ExitCode.USAGE),
        (WarehouseUnreachable("here", "gone"), ExitCode.UNREACHABLE),
        (BrokerUnreachable("here", "gone"), ExitCode.UNREACHABLE),
        (PortInUse(1), ExitCode.FAILED),
        (ProgrammingError("no"), ExitCode.FAILED),
        (ProgrammingError("no such table", errno=2003), ExitCode.NOT_DEPLOYED),
        (KeyError("x"), ExitCode.FAULT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_one_exit_code(error: Exception, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_debug_keeps_the_traceback(caves: Caves) -> None:
    with pytest.raises(Exception, match="nowhere"):
        caves("status", "-c", "nowhere", "--debug")
