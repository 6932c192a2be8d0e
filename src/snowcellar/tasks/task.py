"""One task, and the errors that its statements share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from snowcellar.errors import WarehouseError
from snowcellar.names import QualifiedName

OptionValue = str | int | bool

DEFAULT_TIMEOUT_MS = 3_600_000
DEFAULT_SUSPEND_AFTER_FAILURES = 10
DEFAULT_TRIGGER_INTERVAL_SECONDS = 30
NO_OVERLAP = "NO_OVERLAP"
SUSPENDED_BY_USER = "USER_SUSPENDED"
SUSPENDED_BY_ERRORS = "SUSPENDED_DUE_TO_ERRORS"


class TaskError(WarehouseError):
    """A task statement that Snowflake refuses for the task's or its graph's state."""

    def __init__(self, message: str, errno: int = 91400) -> None:
        super().__init__(message, errno, "22000")


class RootNotSuspended(TaskError):
    """A change to a graph whose root task runs (SEMANTICS 13)."""

    def __init__(self, root: QualifiedName) -> None:
        super().__init__(
            f"Unable to update graph with root task {root} since that root task is not suspended.", 91421
        )


@dataclass(frozen=True)
class Task:
    """One task's definition and state.

    `options` holds the properties that were set, by Snowflake's names; `parameters` the session
    parameters that its runs start with. Predecessors and the finalized root are names in its own schema.
    """

    name: QualifiedName
    task_id: str
    owner: str
    created_on: datetime
    body: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    parameters: Mapping[str, OptionValue] = field(default_factory=dict)
    predecessors: tuple[str, ...] = ()
    finalizes: str | None = None
    condition: str | None = None
    started: bool = False
    resumed_on: datetime | None = None
    committed_on: datetime | None = None
    suspended_on: datetime | None = None
    suspended_reason: str | None = None
    failures: int = 0
    """Failed runs of its graph in a row; only a root's counts."""
    graph_version: int = 0

    @property
    def is_root(self) -> bool:
        """Whether it starts a graph, be it of one task."""
        return not self.predecessors and self.finalizes is None

    @property
    def start(self) -> tuple[str, datetime | None]:
        """What tells one start of it from another."""
        return self.task_id, self.resumed_on

    @property
    def schedule(self) -> str | None:
        return _text(self.options.get("SCHEDULE"))

    @property
    def warehouse(self) -> str | None:
        return _text(self.options.get("WAREHOUSE"))

    @property
    def config(self) -> str | None:
        return _text(self.options.get("CONFIG"))

    @property
    def comment(self) -> str:
        return str(self.options.get("COMMENT", ""))

    @property
    def overlap_policy(self) -> str:
        return str(self.options.get("OVERLAP_POLICY", NO_OVERLAP))

    @property
    def timeout_ms(self) -> int | None:
        """USER_TASK_TIMEOUT_MS where it was set."""
        value = self.options.get("USER_TASK_TIMEOUT_MS")
        return None if value is None else int(value)

    @property
    def suspend_after_failures(self) -> int:
        return int(self.options.get("SUSPEND_TASK_AFTER_NUM_FAILURES", DEFAULT_SUSPEND_AFTER_FAILURES))

    @property
    def auto_retry_attempts(self) -> int:
        return int(self.options.get("TASK_AUTO_RETRY_ATTEMPTS", 0))

    @property
    def trigger_interval_seconds(self) -> int:
        name = "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS"
        return int(self.options.get(name, DEFAULT_TRIGGER_INTERVAL_SECONDS))

    @property
    def is_triggered(self) -> bool:
        """Whether a stream wakes it rather than a clock (SEMANTICS 17)."""
        return self.schedule is None and "STREAM_HAS_DATA" in (self.condition or "").upper()

    def sibling(self, name: str) -> QualifiedName:
        """The full name of a task in the same schema."""
        return QualifiedName(self.name.database, self.name.schema, name)

    def to_json(self) -> str:
        """The definition as it is kept in the database's file."""
        values = dataclasses.asdict(self)
        del values["name"]
        return json.dumps(values, default=lambda value: value.isoformat())

    @staticmethod
    def from_json(name: QualifiedName, text: str) -> Task:
        """The task that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        for key in ("created_on", "resumed_on", "committed_on", "suspended_on"):
            if values[key] is not None:
                values[key] = datetime.fromisoformat(values[key])
        values["predecessors"] = tuple(values["predecessors"])
        return Task(name=name, **values)


def _text(value: OptionValue | None) -> str | None:
    return None if value is None else str(value)
