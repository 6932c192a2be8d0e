"""Stands before a procedure's handler and ends it between two of its statements, as a test has asked.

It is uploaded in the place of nothing: the fault tests deploy the project with this file among its
procedures and one more line in each of them. Every request that the handler sends to the warehouse counts,
those that only ask for the columns of a result, too. Gap 0 lies before the first statement, gap k after the
k-th. What is asked for lies in the worker's working folder, one file for each procedure.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RAISE = "an exception, then a ROLLBACK"
RAISE_SILENTLY = "an exception, and the ROLLBACK does not arrive"
KILL = "kill -9 of the worker"
HOLD = "a pause, until the test lets it go on"

_HELD_SECONDS = 120.0


class Crash(Exception):
    """What a test asked for."""


class _Gaps:
    """Counts the statements of one call and acts in the gap that was asked for."""

    def __init__(self, name: str) -> None:
        self._orders = Path(f"{name}.json")
        self._said = Path(f"{name}.log")
        orders = json.loads(self._orders.read_text()) if self._orders.exists() else {}
        self._gap: int | None = orders.get("gap")
        self._how: str = orders.get("how", RAISE)
        if self._how == HOLD:
            # Of this call alone: the next one runs undisturbed.
            self._orders = self._orders.rename(f"{name}.{os.getpid()}.held")
        self._sent = 0
        self._crashed = False

    def watch(self, connection: Any) -> None:
        """Let every statement of a connection pass by here."""
        send = connection.cmd_query

        def cmd_query(sql: str, *arguments: Any, **options: Any) -> Any:
            if self._crashed and self._how == RAISE_SILENTLY:
                raise Crash("the connection is gone")
            answer = send(sql, *arguments, **options)
            self._sent += 1
            self._say("described" if options.get("describe_only") else "sent", sql)
            self.act()
            return answer

        connection.cmd_query = cmd_query
        self.act()

    def act(self) -> None:
        """Die here, if this is the gap."""
        if self._crashed or self._sent != self._gap:
            return
        self._crashed = True
        if self._how == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._how != HOLD:
            raise Crash(f"in gap {self._gap}")
        self._say("held", str(os.getpid()))
        over = time.monotonic() + _HELD_SECONDS
        while self._orders.exists() and time.monotonic() < over:
            time.sleep(0.01)

    def end(self) -> None:
        """The handler has returned."""
        self._say("ended", "")

    def _say(self, what: str, text: str) -> None:
        with self._said.open("a") as file:
            file.write(json.dumps([what, text]) + "\n")


def guarded(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, which dies where a test says."""

    def main(session: Any, *arguments: Any) -> Any:
        gaps = _Gaps(name)
        gaps.watch(session.connection)
        answer = handler(session, *arguments)
        gaps.end()
        return answer

    return main
