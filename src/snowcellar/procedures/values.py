"""Python values as JSON, for the pipe between the server and a worker; used on both sides, so stdlib only.

What JSON has no word for is an object with the one key '$' (its kind) and 'v' (its text).
"""

from __future__ import annotations

import base64
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

_READERS: dict[str, Any] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "bytes": base64.b64decode,
}


def encode(value: Any) -> Any:
    """The JSON form of a value; TypeError for what has none."""
    if value is None or isinstance(value, bool | int | float | str):
        # Subclasses (numpy's float64, enums) are sent as what they extend.
        return value
    if isinstance(value, dict):
        return {"$": "dict", "v": [[str(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    if isinstance(value, Decimal):
        return {"$": "decimal", "v": str(value)}
    if isinstance(value, datetime | date | time):
        kind = "datetime" if isinstance(value, datetime) else "date" if isinstance(value, date) else "time"
        return {"$": kind, "v": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {"$": "bytes", "v": base64.b64encode(value).decode()}
    if hasattr(value, "as_dict"):  # a Snowpark Row
        return encode(value.as_dict())
    if hasattr(value, "item"):  # a numpy scalar
        return encode(value.item())
    raise TypeError(f"Object of type {type(value).__name__} cannot be returned by a procedure")


def decode(value: Any) -> Any:
    """The value that `encode` wrote."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if value["$"] == "dict":
            return {key: decode(item) for key, item in value["v"]}
        return _READERS[value["$"]](value["v"])
    return value
