"""The wire protocol's encodings: bindings in, rows and their types out.

The connector reads rows as Arrow IPC with Snowflake's metadata on every field.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.arrow import to_ipc
from fakesnow.converter import from_binding
from fakesnow.statement_type import DML_TYPE_IDS

from snowcellar import wire_json
from snowcellar.errors import WarehouseError
from snowcellar.result import Result
from snowcellar.session import Params

_TEXT_LENGTH = 16_777_216
_WHOLE = re.compile(r"\A-?\d+\Z")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read_bindings(bindings: Mapping[str, Any] | None) -> tuple[Params, list[list[Any]] | None]:
    """(parameters of one execution, rows of an array binding); at most one is not None."""
    if not bindings:
        return None, None
    try:
        return _read_bindings(bindings)
    except (ValueError, ArithmeticError) as error:
        raise WarehouseError(f"A bound value is not of its type: {error}", 100038, "22018") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise WarehouseError(f"The request's bindings cannot be read: {error!r}", 391902, "08000") from error


def _read_bindings(bindings: Mapping[str, Any]) -> tuple[Params, list[list[Any]] | None]:
    if not all(key.isdigit() for key in bindings):
        return {name: _value(binding) for name, binding in bindings.items()}, None
    ordered = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if any(isinstance(binding["value"], list) for binding in ordered):
        columns = [[_value({**binding, "value": value}) for value in binding["value"]] for binding in ordered]
        return None, [list(row) for row in zip(*columns, strict=True)]
    return [_value(binding) for binding in ordered], None


def _value(binding: Mapping[str, Any]) -> Any:
    if binding["value"] is None:
        return None
    kind, text = binding["type"], binding["value"]
    if kind == "REAL":
        return float(text)
    if kind == "FIXED":
        return int(text) if _WHOLE.match(text) else Decimal(text)
    if kind.startswith("TIMESTAMP"):
        return _timestamp(kind, text)
    return from_binding(binding)  # type: ignore[arg-type]


def _timestamp(kind: str, text: str) -> dt.datetime:
    """Nanoseconds since the epoch; an NTZ is a wall clock and knows no zone."""
    nanoseconds = int(text.partition(" ")[0])
    moment = _EPOCH + dt.timedelta(microseconds=nanoseconds // 1000)
    return moment.replace(tzinfo=None) if kind == "TIMESTAMP_NTZ" else moment


def write_result(result: Result, *, as_json: bool = False) -> dict[str, Any]:
    """The row type and the rows of a result, as the answer's `data` holds them."""
    table, row_type = _for_wire(result)
    if result.statement_type in DML_TYPE_IDS:
        rows = [
            [None if value is None else str(value) for value in row.values()] for row in table.to_pylist()
        ]
        payload: dict[str, Any] = {"queryResultFormat": "json", "rowset": rows}
    elif as_json:
        payload = {"queryResultFormat": "json", "rowset": wire_json.rows(table, row_type)}
    else:
        payload = {"queryResultFormat": "arrow", "rowsetBase64": b64encode(_ipc(table)).decode()}
    return {"rowtype": row_type, "total": table.num_rows, "returned": table.num_rows, **payload}


def arrow_stream(result: Result) -> bytes:
    """The rows of a chunk of a result."""
    return _ipc(_for_wire(result)[0])


def _ipc(table: pa.Table) -> bytes:
    """The table as an Arrow stream; nothing at all for no rows, as Snowflake has it.

    The connector dies of a batch without rows among others.
    """
    batches = [batch for batch in table.to_batches() if batch.num_rows]
    return bytes(to_ipc(pa.Table.from_batches(batches, table.schema))) if batches else b""


def _for_wire(result: Result) -> tuple[pa.Table, list[dict[str, Any]]]:
    columns, fields, row_type = [], [], []
    for field, column in zip(result.table.schema, result.table.columns, strict=True):
        array, kind = _snowflake_column(column, result.types.get(field.name))
        info = _column_info(field.name, kind, array.type)
        info["nullable"] = field.name not in result.required
        metadata = {
            "logicalType": kind.upper(),
            "precision": str(info["precision"] or 38),
            "scale": str(info["scale"] or 0),
            "charLength": str(info["length"] or 0),
        }
        columns.append(array)
        fields.append(pa.field(field.name, array.type, metadata=metadata))
        row_type.append(info)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)), row_type


def _snowflake_column(column: pa.ChunkedArray, kind: str | None) -> tuple[Any, str]:
    """A column in the Arrow form that the connector expects, and its Snowflake type."""
    arrow = column.type
    if pa.types.is_nested(arrow):
        texts = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())]), kind or "variant"
    if pa.types.is_timestamp(arrow):
        return _timestamp_structs(column), kind or (
            "timestamp_ltz" if arrow.tz is not None else "timestamp_ntz"
        )
    if pa.types.is_time(arrow):
        return pc.multiply(column.cast(pa.time64("us")).cast(pa.int64()), 1000), "time"
    if pa.types.is_boolean(arrow):
        return column, "boolean"
    if pa.types.is_uint64(arrow):
        return column.cast(pa.decimal128(38, 0)), "fixed"
    if pa.types.is_integer(arrow):
        return column.cast(pa.int64()), "fixed"
    if pa.types.is_decimal(arrow):
        return column, "fixed"
    if pa.types.is_floating(arrow):
        return column.cast(pa.float64()), "real"
    if pa.types.is_date(arrow):
        return column.cast(pa.date32()), "date"
    if pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow):
        return column.cast(pa.binary()), "binary"
    return column.cast(pa.string()), kind or "text"


def _timestamp_structs(column: pa.ChunkedArray) -> pa.StructArray:
    """Timestamps as the connector reads them: seconds since the epoch and nanoseconds within the second."""
    if column.type.tz is not None:
        column = column.cast(pa.timestamp("us", "UTC"))
    micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).combine_chunks()
    valid = pc.fill_null(micros, 0)
    # Integer division truncates towards zero; the second starts before the instant, also before 1970.
    seconds = pc.divide(pc.subtract(valid, pc.if_else(pc.less(valid, 0), 999_999, 0)), 1_000_000)
    nanos = pc.multiply(pc.subtract(valid, pc.multiply(seconds, 1_000_000)), 1000).cast(pa.int32())
    fields = [pa.field("epoch", pa.int64(), nullable=False), pa.field("fraction", pa.int32(), nullable=False)]
    return pa.StructArray.from_arrays([seconds, nanos], fields=fields, mask=pc.is_null(micros))


def _column_info(name: str, kind: str, arrow: pa.DataType) -> dict[str, Any]:
    info: dict[str, Any] = {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": kind,
        "byteLength": None,
        "length": None,
        "scale": None,
        "precision": None,
        "collation": None,
    }
    if kind == "fixed":
        decimal = pa.types.is_decimal(arrow)
        info.update(precision=arrow.precision if decimal else 38, scale=arrow.scale if decimal else 0)
    elif kind == "text":
        info.update(length=_TEXT_LENGTH, byteLength=_TEXT_LENGTH)
    elif kind == "binary":
        info.update(length=_TEXT_LENGTH // 2, byteLength=_TEXT_LENGTH // 2)
    elif kind.startswith("time"):
        info.update(precision=0, scale=9)
    return info
