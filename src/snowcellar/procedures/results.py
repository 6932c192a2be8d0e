"""What a handler returned, as the result of its CALL: one row of one column, or the rows of a DataFrame.

Source: https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from snowcellar.errors import WarehouseError
from snowcellar.procedures.data_types import DataType
from snowcellar.procedures.definition import Procedure
from snowcellar.result import Result


def scalar(procedure: Procedure, value: Any) -> Result:
    """The one cell that a procedure answers, in a column of its name."""
    type_ = procedure.returns
    assert type_ is not None
    return Result.scalar(procedure.name.name, converted(procedure, value), type_.arrow, type_.wire)


def converted(procedure: Procedure, value: Any) -> Any:
    """A value that a handler returned, as the type that is declared."""
    type_ = procedure.returns
    assert type_ is not None
    if value is None and procedure.not_null:
        raise _wrong(procedure, "NULL returned by a procedure that RETURNS ... NOT NULL")
    try:
        return None if value is None else _CONVERTERS[type_.name](value, type_)
    except (ValueError, TypeError, InvalidOperation, AttributeError) as error:
        raise _wrong(
            procedure, f"{type(value).__name__} value {value!r} cannot be returned as {type_}"
        ) from error


def tabular(procedure: Procedure, rows: Result | None) -> Result:
    """The rows of the DataFrame that a procedure returned, under the names that RETURNS TABLE declares."""
    names = [column.name for column in procedure.columns]
    if rows is None:
        fields = [pa.field(column.name, column.type.arrow) for column in procedure.columns]
        return Result(pa.schema(fields).empty_table())
    if not names:
        return Result(rows.table, rows.types)
    if len(names) != rows.table.num_columns:
        raise _wrong(
            procedure, f"{rows.table.num_columns} columns returned where RETURNS TABLE has {len(names)}"
        )
    types = {
        new: rows.types[old]
        for old, new in zip(rows.table.column_names, names, strict=True)
        if old in rows.types
    }
    return Result(rows.table.rename_columns(names), types)


def _wrong(procedure: Procedure, what: str) -> WarehouseError:
    return WarehouseError(
        f"Python Interpreter Error:\nTypeError: {what}\n in function {procedure.name.name} "
        f"with handler {procedure.handler}",
        100357,
        "P0000",
    )


def _to_number(value: Any, type_: DataType) -> Decimal:
    number = Decimal(str(value) if isinstance(value, float) else value)
    number = number.quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_UP)
    if len(number.as_tuple().digits) > type_.precision:
        raise ValueError(value)
    return number


def _to_text(value: Any, _: DataType) -> str:
    return value if isinstance(value, str) else str(value)


def _to_boolean(value: Any, _: DataType) -> bool:
    if not isinstance(value, bool | int):
        raise TypeError(value)
    return bool(value)


def _to_timestamp(value: Any, type_: DataType) -> datetime:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    if type_.name == "TIMESTAMP_NTZ":
        return moment.replace(tzinfo=None)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_date(value: Any, _: DataType) -> date:
    return value.date() if isinstance(value, datetime) else date(value.year, value.month, value.day)


def _to_json(value: Any, _: DataType) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_json_leaf)


def _json_leaf(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex().upper()
    raise TypeError(value)


def _json_of(kind: type) -> Callable[[Any, DataType], str]:
    def convert(value: Any, type_: DataType) -> str:
        if not isinstance(value, kind):
            raise TypeError(value)
        return _to_json(value, type_)

    return convert


_CONVERTERS: dict[str, Callable[[Any, DataType], Any]] = {
    "NUMBER": _to_number,
    "FLOAT": lambda value, _: float(value),
    "VARCHAR": _to_text,
    "BOOLEAN": _to_boolean,
    "DATE": _to_date,
    "TIME": lambda value, _: value.replace(tzinfo=None),
    "TIMESTAMP_NTZ": _to_timestamp,
    "TIMESTAMP_LTZ": _to_timestamp,
    "TIMESTAMP_TZ": _to_timestamp,
    "VARIANT": _to_json,
    "ARRAY": _json_of(list),
    "OBJECT": _json_of(dict),
    "BINARY": lambda value, _: bytes(value),
}
