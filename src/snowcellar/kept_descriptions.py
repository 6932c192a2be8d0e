"""The columns of statements that clients had described, kept until something is made, changed or dropped.

Snowpark asks for the columns of most DataFrames that it puts together, and of the same ones at every run.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from snowcellar.result import Result

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.statement import Statement

KEPT = 512
_LONGEST_KEPT = 200_000
_KEEPS_THE_CATALOGUE = re.compile(
    r"(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|CALL|COPY|PUT|GET|LIST|LS|SHOW|DESC|DESCRIBE|USE)\b|\("
    r"|(?:BEGIN|START|COMMIT|ROLLBACK)(?:\s+(?:WORK|TRANSACTION))?\s*\Z",
    re.IGNORECASE,
)
"""After these the columns of every statement are what they were. What a CALL runs is seen by itself."""

Key = tuple[object, ...]


class KeptDescriptions:
    """The descriptions that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Result] = OrderedDict()
        self.version = 0
        """Counts up with every statement that may have changed the catalogue."""

    def get(self, key: Key) -> Result | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, described: Result, version: int) -> None:
        """Keep what was found out while the catalogue was of a version; too late if it no longer is."""
        with self._lock:
            if version == self.version:
                self._kept[key] = described
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)

    def ran(self, statement: Statement) -> None:
        """A statement has run, well or not."""
        if _KEEPS_THE_CATALOGUE.match(statement.text) is None:
            with self._lock:
                self.version += 1
                self._kept.clear()


def key_of(session: Session, statement: Statement) -> Key | None:
    """What the columns of a statement depend on, besides the catalogue; None if they are not to be kept."""
    # A temporary table hides another of its name from its own session alone.
    if session.temporary or len(statement.text) > _LONGEST_KEPT:
        return None
    return statement.text, session.database, session.schema
