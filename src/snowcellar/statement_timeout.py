"""STATEMENT_TIMEOUT_IN_SECONDS: a statement that runs longer is stopped.

Source: https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError

if TYPE_CHECKING:
    from snowcellar.session import Session

PARAMETER = "STATEMENT_TIMEOUT_IN_SECONDS"


class StatementTimeout(WarehouseError):
    """A statement that ran for longer than its session lets it."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled.",
            630,
            "57014",
        )


@contextlib.contextmanager
def limit(session: Session) -> Iterator[None]:
    """Stop what runs within when its time is up. 0, or nothing said, is no limit."""
    seconds = session.parameters.get(PARAMETER) or 0
    if not isinstance(seconds, int) or seconds <= 0:
        yield
        return
    late = threading.Event()

    def stop() -> None:
        late.set()
        session.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise StatementTimeout(seconds) from error
        raise
    finally:
        timer.cancel()
