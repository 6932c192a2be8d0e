"""Rows as JSON texts, for clients that do not read Arrow: the Node driver, and who asks for it.

A session asks by its CLIENT_APP_ID, or by a parameter such as PYTHON_CONNECTOR_QUERY_RESULT_FORMAT = JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

_READS_JSON = {"JavaScript"}
_EPOCH = dt.date(1970, 1, 1)


def is_wanted(client: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a session's client wants its rows so."""
    return client in _READS_JSON or any(
        name.endswith("QUERY_RESULT_FORMAT") and str(value).upper() == "JSON"
        for name, value in parameters.items()
    )


def rows(table: pa.Table, row_type: Sequence[Mapping[str, Any]]) -> list[list[str | None]]:
    """The rows of a table whose columns are as Arrow clients get them."""
    columns = [
        [None if value is None else _text(info["type"])(value) for value in column.to_pylist()]
        for column, info in zip(table.columns, row_type, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _text(kind: str) -> Callable[[Any], str]:
    return _TEXTS.get(kind, str)


def _seconds(value: Mapping[str, int]) -> str:
    # The sign is of the whole: half a second before 1970 is -0.5, not -1 and 0.5 more.
    nanoseconds = value["epoch"] * 1_000_000_000 + value["fraction"]
    seconds, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{'-' if nanoseconds < 0 else ''}{seconds}.{rest:09d}"


_TEXTS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "1" if value else "0",
    "date": lambda value: str((value - _EPOCH).days),
    "time": lambda value: f"{value // 1_000_000_000}.{value % 1_000_000_000:09d}",
    "timestamp_ntz": _seconds,
    "timestamp_ltz": _seconds,
    "timestamp_tz": lambda value: f"{_seconds(value)} 1440",
    "binary": lambda value: value.hex().upper(),
    "real": repr,
}
