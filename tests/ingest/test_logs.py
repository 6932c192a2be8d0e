"""One line an event, whatever is in it, for a person and for a machine."""

import io
import json
import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ingest.errors import FencedError, WarehouseUnreachable
from ingest.event_log import EventLog
from ingest.logs import LogFormat, TextFormatter, logging_as, printable, tell
from ingest.observer import BatchReport, Observer

HOSTILE = 'a\n2026-01-01 INFO all is well\r\x1b[31m\x00\u2028\u202e\ud800 "x" [bold]%s %(name)s {0}'
Written = Callable[[LogFormat, Callable[[], object]], list[str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def written() -> Written:
    def run(log_format: LogFormat, work: Callable[[], object]) -> list[str]:
        stream = io.StringIO()
        with logging_as(log_format, stream):
            work()
        return stream.getvalue().split("\n")[:-1]

    return run


def a_batch(partitions: int = 2, rows: int = 20_000) -> BatchReport:
    first = {p: 1_000_000 + p for p in range(partitions)}
    return BatchReport(
        rows, 5_100_000, 0.8213, 2.1, {p: start + rows for p, start in first.items()}, 12_345_678, first
    )


def a_life(log: Observer) -> None:
    """Every event once."""
    log.offsets_read({0: 0, 1: 5})
    log.partitions_owned(frozenset({0, 1}))
    log.lag(0, 1_234_567)
    log.batch_committed(a_batch())
    log.retried(WarehouseUnreachable("127.0.0.1:8085", "250001: Could not connect to Snowflake backend"))
    log.paused(frozenset({0, 1}))
    log.paused(frozenset())
    log.gap_recorded(0, 3, "NOT_IN_LOG")
    log.gap_recorded(1, None, "RETENTION")
    log.fenced(FencedError("sales_events", {0: 5}, {0: 9}))
    log.partitions_owned(frozenset({1}))


def test_json_has_one_object_an_event_with_its_facts(written: Written) -> None:
    entries: list[dict[str, Any]] = [
        json.loads(line) for line in written(LogFormat.JSON, lambda: a_life(EventLog("sales_events")))
    ]
    events = "reading_on rebalance batch retry paused resumed gap reset fenced rebalance"
    assert [entry["event"] for entry in entries] == events.split()
    assert {entry["topic"] for entry in entries} == {"sales_events"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]) for entry in entries)
    batch = entries[2]
    assert {
        key: batch[key] for key in ("rows", "bytes", "seconds", "batch_seconds", "total_rows", "lag")
    } == {
        "rows": 20_000,
        "bytes": 5_100_000,
        "seconds": 0.821,
        "batch_seconds": 2.1,
        "total_rows": 12_345_678,
        "lag": 1_234_567,
    }
    assert batch["partitions"] == {
        "0": {"from": 1_000_000, "to": 1_020_000},
        "1": {"from": 1_000_001, "to": 1_020_001},
    }
    assert (entries[3]["reason"], entries[3]["attempt"], entries[3]["level"]) == (
        "WarehouseUnreachable",
        1,
        "warning",
    )
    assert entries[7]["offsets"] is None
    assert (entries[9]["partitions"], entries[9]["gained"], entries[9]["lost"]) == ([1], [], [0])


def test_text_has_the_same_events_a_line_each(written: Written) -> None:
    lines = written(LogFormat.TEXT, lambda: a_life(EventLog("sales_events")))
    assert len(lines) == 10
    assert lines[2][9:] == "20,000 rows, 5.1 MB in 0.82 s, lag 1,234,567; 0: 1000000-1020000, +1"
    assert lines[3][9:].startswith(
        "warning: attempt 1 failed: The warehouse at 127.0.0.1:8085 does not answer"
    )
    assert lines[9][9:] == "partitions now 1: 0 came, 1 left"
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)


@pytest.mark.parametrize("partitions", [1, 4, 64, 1_000])
def test_text_of_a_batch_fits_80_columns_however_many_partitions_it_has(
    written: Written, partitions: int
) -> None:
    def work() -> None:
        log = EventLog("sales_events")
        log.partitions_owned(frozenset(range(0, partitions * 2, 2)))
        log.lag(0, 1_234_567)
        log.batch_committed(a_batch(partitions))
        log.batch_committed(BatchReport(10**6, 10**9, 999, 999, {0: 10**15}, 10**9, {0: 10**14}))

    assert [line for line in written(LogFormat.TEXT, work) if len(line) > 80] == []


def test_a_terminal_gets_no_line_wider_than_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    with logging_as(LogFormat.TEXT, terminal):
        a_life(EventLog("sales_events"))
        logging.getLogger("ingest.elsewhere").warning("long " * 100)
    lines = terminal.getvalue().splitlines()
    assert max(len(line) for line in lines) == 80
    assert lines[-1].endswith("…")


@pytest.mark.parametrize("log_format", LogFormat)
def test_hostile_names_and_messages_stay_on_their_line(written: Written, log_format: LogFormat) -> None:
    def work() -> None:
        log = EventLog(HOSTILE)
        log.retried(WarehouseUnreachable(HOSTILE, HOSTILE))
        log.gap_recorded(0, 1, HOSTILE)
        tell(logging.INFO, "started", f"Loading {HOSTILE}", topic=HOSTILE)
        logging.getLogger("ingest.kafka").warning("Kafka: %s", HOSTILE)

    lines = written(log_format, work)
    assert len(lines) == 4
    assert all(line.isprintable() and len(line.splitlines()) == 1 for line in lines)
    if log_format is LogFormat.JSON:
        assert json.loads(lines[2])["topic"] == HOSTILE
        assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_traceback_stays_on_its_line(written: Written, log_format: LogFormat) -> None:
    def work() -> None:
        try:
            raise KeyError(HOSTILE)
        except KeyError:
            logging.getLogger("ingest").exception("that failed")

    (line,) = written(log_format, work)
    assert "KeyError" in line
    assert line.isprintable()


def test_what_prints_as_itself_is_left_alone() -> None:
    assert printable("Château d'Yquem, 75 cl: 210,00 €") == "Château d'Yquem, 75 cl: 210,00 €"


def test_events_are_shown_and_of_the_rest_only_warnings(written: Written) -> None:
    def work() -> None:
        tell(logging.INFO, "started", "shown")
        logging.getLogger("ingest.loading").info("not shown")
        logging.getLogger("ingest.loading").warning("shown too")
        # Once a second while the warehouse is away.
        logging.getLogger("snowflake.connector.network").error("not shown either")

    assert [line[9:] for line in written(LogFormat.TEXT, work)] == ["shown", "warning: shown too"]


def test_debug_shows_everything(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    connector = logging.getLogger("snowflake.connector.network")
    monkeypatch.setattr(connector, "level", logging.DEBUG)
    assert len(written(LogFormat.TEXT, lambda: connector.debug("shown"))) == 1


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_thread_that_dies_is_told_on_one_line(
    written: Written, log_format: LogFormat, capfd: pytest.CaptureFixture[str]
) -> None:
    def die() -> None:
        raise ConnectionRefusedError(HOSTILE)

    def work() -> None:
        thread = threading.Thread(target=die, name="heartbeat")
        thread.start()
        thread.join()

    (line,) = written(log_format, work)
    assert "heartbeat" in line and "ConnectionRefusedError" in line
    assert line.isprintable()
    assert capfd.readouterr().err == ""


def test_logging_is_as_before_when_the_block_ends() -> None:
    root, events = logging.getLogger(), logging.getLogger("ingest.logs")
    before = root.handlers[:], root.level, events.level, threading.excepthook
    with logging_as(LogFormat.JSON, io.StringIO()):
        assert root.handlers != before[0]
    assert (root.handlers, root.level, events.level, threading.excepthook) == before


def test_a_batch_without_beginnings_takes_them_from_what_was_read_before(written: Written) -> None:
    def work() -> None:
        log = EventLog("t")
        log.offsets_read({0: 10})
        log.batch_committed(BatchReport(5, 100, 0.1, 0.1, {0: 15}, 5))
        log.batch_committed(BatchReport(5, 100, 0.1, 0.1, {0: 20, 1: 3}, 10))

    lines = written(LogFormat.TEXT, work)
    assert [line[9:] for line in lines[1:]] == [
        "5 rows, 100 bytes in 0.10 s; 0: 10-15",
        "5 rows, 100 bytes in 0.10 s; 0: 15-20, 1: ?-3",
    ]


def test_attempts_are_counted_until_one_succeeds(written: Written) -> None:
    def work() -> None:
        log, error = EventLog("t"), WarehouseUnreachable("w", "gone")
        log.retried(error)
        log.retried(error)
        log.batch_committed(a_batch())
        log.retried(error)

    entries = [json.loads(line) for line in written(LogFormat.JSON, work)]
    assert [entry["attempt"] for entry in entries if entry["event"] == "retry"] == [1, 2, 1]


def test_pauses_are_told_when_they_change_and_not_at_every_turn(written: Written) -> None:
    def work() -> None:
        log = EventLog("t")
        for partitions in ({0}, {0}, set[int](), set[int]()):
            log.paused(frozenset(partitions))

    assert len(written(LogFormat.TEXT, work)) == 2


def test_text_names_the_level_of_what_is_wrong_only() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "bad", None, None)
    assert TextFormatter().format(record)[9:] == "error: bad"
