"""What a statement answers: an Arrow table and what a client must be told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Result:
    """The rows of a statement, with Snowflake's type of every column where Arrow's says too little.

    `types` maps a column's name to a Snowflake type (`variant`, `timestamp_ltz`, ...) that differs from
    what its Arrow type would be shown as.
    """

    table: pa.Table
    types: Mapping[str, str] = field(default_factory=dict)
    rows_affected: int | None = None
    statement_type: int = 0
    upload: dict[str, Any] | None = None
    required: frozenset[str] = frozenset()
    """The columns that are known never to be NULL."""

    @staticmethod
    def status(message: str, statement_type: int = 0) -> Result:
        """The one-cell answer of a statement that has nothing to show."""
        return Result(pa.table({"status": pa.array([message], pa.string())}), statement_type=statement_type)

    @staticmethod
    def rows(
        columns: Sequence[tuple[str, pa.DataType]],
        rows: Sequence[Sequence[Any]],
        types: Mapping[str, str] | None = None,
        statement_type: int = 0,
    ) -> Result:
        """A table from Python rows: for the small answers of SHOW, DESCRIBE and CALL."""
        arrays = [pa.array([row[i] for row in rows], kind) for i, (_, kind) in enumerate(columns)]
        table = pa.Table.from_arrays(arrays, names=[name for name, _ in columns])
        return Result(table, types or {}, statement_type=statement_type)

    @staticmethod
    def scalar(name: str, value: Any, kind: pa.DataType, type_: str | None = None) -> Result:
        """One row of one column."""
        return Result.rows([(name, kind)], [[value]], {name: type_} if type_ else None)
