"""One alert, and the error that its statements share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowcellar.errors import WarehouseError
from snowcellar.names import QualifiedName


class AlertError(WarehouseError):
    """An alert statement that Snowflake refuses for what it asks of the alert."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 91400, "22000")


@dataclass(frozen=True)
class Alert:
    """One alert's definition and state; `options` holds the properties set, by Snowflake's names."""

    name: QualifiedName
    alert_id: str
    owner: str
    created_on: datetime
    condition: str
    action: str
    options: Mapping[str, str]
    started: bool = False
    resumed_on: datetime | None = None

    @property
    def schedule(self) -> str:
        return self.options["SCHEDULE"]

    @property
    def warehouse(self) -> str | None:
        """The virtual warehouse it runs on; None for a serverless alert."""
        return self.options.get("WAREHOUSE")

    @property
    def comment(self) -> str:
        return self.options.get("COMMENT", "")

    @property
    def start(self) -> tuple[str, datetime | None]:
        """What tells one start of it from another."""
        return self.alert_id, self.resumed_on

    @property
    def is_triggered(self) -> bool:
        """No alert here is woken by new data; CREATE refuses those."""
        return False

    @property
    def trigger_interval_seconds(self) -> int:
        return 0

    def to_json(self) -> str:
        """The definition as it is kept in the database's file."""
        values = dataclasses.asdict(self)
        del values["name"]
        return json.dumps(values, default=lambda value: value.isoformat())

    @staticmethod
    def from_json(name: QualifiedName, text: str) -> Alert:
        """The alert that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        for key in ("created_on", "resumed_on"):
            if values[key] is not None:
                values[key] = datetime.fromisoformat(values[key])
        return Alert(name=name, **values)
