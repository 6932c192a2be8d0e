"""A request that a client sends again, because the answer got lost, gets the first one's answer.

After a broken connection clients resend with the same requestId; to run an INSERT twice would double its
rows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

KEPT_ANSWERS = 8
"""A session sends one request after the other, so a resent one is among the last."""

KEPT_ROWS_CHARACTERS = 1_000_000
"""Longer rows come from queries, which can as well run again."""


class AnsweredRequests:
    """The last requests of one session, by requestId."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Future[dict[str, Any]]] = OrderedDict()

    def answer(self, request_id: str | None, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer to a request: of its first run, if it came before, waiting for that to end."""
        if not request_id:
            return run()
        with self._lock:
            known = self._answers.get(request_id)
            if known is None:
                mine = self._answers[request_id] = Future()
                while len(self._answers) > KEPT_ANSWERS:
                    self._answers.popitem(last=False)
        if known is not None:
            return known.result()
        try:
            answer = run()
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(answer)
        if len(answer.get("rowsetBase64") or "") > KEPT_ROWS_CHARACTERS:
            with self._lock:
                self._answers.pop(request_id, None)
        return answer
