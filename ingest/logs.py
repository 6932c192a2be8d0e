"""The ingestor's log: one line an event, for a person (text) or for a machine (JSON).

Whatever an event carries, a topic's name or a broker's message, stays on its line: what is not printable is
written as an escape.
"""

import json
import logging
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

log = logging.getLogger(__name__)

# What a line of text may take where nobody says how wide the terminal is.
COLUMNS: Final = 80
_FIELDS: Final = "caves_fields"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


@contextmanager
def logging_as(log_format: LogFormat, stream: TextIO | None = None) -> Iterator[None]:
    """Write the log to stderr for the length of a block: this module's events, and warnings of everything.

    Where the root logger was set to show more (`--debug`), it goes on to.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_is_news)
    handler.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else TextFormatter(_width(handler)))
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], log.level, threading.excepthook
    root.handlers[:] = [handler]
    log.setLevel(min(logging.INFO, root.level))
    # Python would write a traceback of many lines; the connector's own threads die when the network does.
    threading.excepthook = _tell_dead_thread
    try:
        yield
    finally:
        root.handlers[:] = handlers
        log.setLevel(level)
        threading.excepthook = hook


def tell(level: int, event: str, text: str, **fields: object) -> None:
    """One event: a sentence for a person, and the same facts by name for a machine."""
    log.log(level, "%s", text, extra={_FIELDS: {"event": event, **fields}})


class JsonFormatter(logging.Formatter):
    """One JSON object a line, ASCII only."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """Local time and a sentence; no wider than the terminal, where there is one."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__()
        self._width = width

    def format(self, record: logging.LogRecord) -> str:
        weight = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        line = f"{_moment(record).astimezone():%H:%M:%S} {weight}{printable(message)}"
        return line if self._width is None or len(line) <= self._width else f"{line[: self._width - 1]}…"


def printable(text: str) -> str:
    """The text on one line: line ends, colours, text that runs backwards and half characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _is_news(record: logging.LogRecord) -> bool:
    """Not what the connector says of each attempt: what comes of them is told by the error that it raises."""
    chatter = record.name.startswith("snowflake.connector") and record.levelno < logging.CRITICAL
    return not chatter or logging.getLogger().level <= logging.DEBUG


def _tell_dead_thread(death: threading.ExceptHookArgs) -> None:
    name = death.thread.name if death.thread else "?"
    log.warning("thread %s ended: %s", name, death.exc_type.__name__, exc_info=death.exc_value)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _width(handler: "logging.StreamHandler[TextIO]") -> int | None:
    return shutil.get_terminal_size((COLUMNS, 24)).columns if handler.stream.isatty() else None
