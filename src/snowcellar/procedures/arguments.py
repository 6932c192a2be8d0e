"""The arguments of a CALL: evaluated, matched with the overloads, given to Python.

Source: https://docs.snowflake.com/en/sql-reference/sql/call,
https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from snowcellar import engine
from snowcellar.errors import CompilationError, WarehouseError
from snowcellar.names import QualifiedName, fold, split
from snowcellar.procedures.data_types import SEMI_STRUCTURED, DataType, parse_type
from snowcellar.procedures.definition import Argument, Procedure
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement


@dataclass(frozen=True)
class Given:
    """One argument of a CALL; `type` is None for NULL, which fits anything."""

    name: str | None
    value: Any
    type: str | None


def evaluate(session: Session, text: str, params: Params) -> list[Given]:
    """The arguments between the parentheses of a CALL."""
    if not text.strip():
        return []
    call = sqlglot.parse_one(f"SELECT SNOWCELLAR_CALL({text})", read="snowflake").expressions[0]
    named = [isinstance(argument, exp.Kwarg) for argument in call.expressions]
    names = [
        fold(arg.this.sql()) if is_named else None
        for arg, is_named in zip(call.expressions, named, strict=True)
    ]
    trees = [
        arg.expression if is_named else arg for arg, is_named in zip(call.expressions, named, strict=True)
    ]
    binds = list(params) if isinstance(params, list) else []
    if all(isinstance(tree, exp.Placeholder) or constant(tree) is not None for tree in trees):
        values = [constant(tree) or bound(binds.pop(0)) for tree in trees]
    else:
        values = _select(session, trees, params)
    return [Given(name, *value) for name, value in zip(names, values, strict=True)]


def constant(tree: exp.Expr) -> tuple[Any, str | None] | None:
    """(value, type) of a literal; None for anything that must be computed."""
    if isinstance(tree, exp.Null):
        return None, None
    if isinstance(tree, exp.Boolean):
        return bool(tree.this), "BOOLEAN"
    if isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal) and not tree.this.is_string:
        value, kind = _number(tree.this.name)
        return -value, kind
    if isinstance(tree, exp.Literal):
        return (tree.name, "VARCHAR") if tree.is_string else _number(tree.name)
    return None


def _number(text: str) -> tuple[Any, str]:
    return (float(text), "FLOAT") if "e" in text.lower() else (Decimal(text), "NUMBER")


_PYTHON_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOLEAN"),
    (int, "NUMBER"),
    (Decimal, "NUMBER"),
    (float, "FLOAT"),
    (str, "VARCHAR"),
    (datetime, "TIMESTAMP_NTZ"),
    (date, "DATE"),
    (time, "TIME"),
    (bytes, "BINARY"),
)


def bound(value: Any) -> tuple[Any, str | None]:
    """(value, type) of a bound value."""
    kind = next((name for type_, name in _PYTHON_TYPES if isinstance(value, type_)), None)
    if isinstance(value, datetime) and value.tzinfo is not None:
        kind = "TIMESTAMP_LTZ"
    return value, kind


def _select(
    session: Session, trees: Sequence[exp.Expression], params: Params
) -> list[tuple[Any, str | None]]:
    columns = ", ".join(f"{tree.sql(dialect='snowflake')} AS A{i}" for i, tree in enumerate(trees))
    result = engine.run(session, Statement(f"SELECT {columns}"), params)
    values = []
    for i, tree in enumerate(trees):
        value = result.table.column(i)[0].as_py()
        kind = described_type(tree, result, i)
        if kind in SEMI_STRUCTURED and isinstance(value, str):
            value = json.loads(value)
        values.append((value, None if isinstance(tree, exp.Null) else kind))
    return values


def described_type(tree: exp.Expr, result: Result, position: int) -> str:
    """The type of an expression that is a column of a result."""
    field = result.table.schema.field(position)
    return _declared_type(tree) or _arrow_type(field.type, result.types.get(field.name))


def _declared_type(tree: exp.Expr) -> str | None:
    """The type that a cast names: the engine has one kind of JSON for VARIANT, ARRAY and OBJECT."""
    if isinstance(tree, exp.Paren):
        return _declared_type(tree.this)
    return parse_type(tree.to.sql(dialect="snowflake")).name if isinstance(tree, exp.Cast) else None


def _arrow_type(arrow: pa.DataType, wire: str | None) -> str:
    if wire:
        return wire.upper()
    if pa.types.is_nested(arrow):
        return "VARIANT"
    if pa.types.is_timestamp(arrow):
        return "TIMESTAMP_LTZ" if arrow.tz else "TIMESTAMP_NTZ"
    tests = (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_floating, "FLOAT"),
        (pa.types.is_integer, "NUMBER"),
        (pa.types.is_decimal, "NUMBER"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_time, "TIME"),
        (pa.types.is_binary, "BINARY"),
    )
    return next((name for test, name in tests if test(arrow)), "VARCHAR")


_CONVERSION_COSTS: dict[str, dict[str, int]] = {
    "NUMBER": {"FLOAT": 1, "VARIANT": 3, "VARCHAR": 4, "BOOLEAN": 5},
    "FLOAT": {"NUMBER": 2, "VARIANT": 3, "VARCHAR": 4, "BOOLEAN": 5},
    "BOOLEAN": {"VARCHAR": 3, "VARIANT": 3, "NUMBER": 5},
    "VARCHAR": {
        **dict.fromkeys(("DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"), 2),
        "NUMBER": 3,
        "FLOAT": 3,
        "BOOLEAN": 4,
        "VARIANT": 4,
    },
    "DATE": {"TIMESTAMP_NTZ": 1, "TIMESTAMP_LTZ": 1, "TIMESTAMP_TZ": 1, "VARCHAR": 3, "VARIANT": 3},
    "TIME": {"VARCHAR": 3},
    "TIMESTAMP_NTZ": {"TIMESTAMP_LTZ": 1, "TIMESTAMP_TZ": 1, "DATE": 2, "VARCHAR": 3, "VARIANT": 3},
    "TIMESTAMP_LTZ": {"TIMESTAMP_TZ": 1, "TIMESTAMP_NTZ": 1, "DATE": 2, "VARCHAR": 3, "VARIANT": 3},
    "TIMESTAMP_TZ": {"TIMESTAMP_LTZ": 1, "TIMESTAMP_NTZ": 1, "DATE": 2, "VARCHAR": 3, "VARIANT": 3},
    "VARIANT": {"ARRAY": 1, "OBJECT": 1, "NUMBER": 2, "FLOAT": 2, "VARCHAR": 2, "BOOLEAN": 2},
    "ARRAY": {"VARIANT": 1},
    "OBJECT": {"VARIANT": 1},
    "BINARY": {},
}


def unknown(name: QualifiedName, written: str) -> CompilationError:
    """What CALL says of a procedure that is not there, by the name as it was written."""
    if len(split(written)) == 1:
        return CompilationError(f"Unknown function {name.name}", 2140, "42601")
    return CompilationError(f"Unknown user-defined function {name}", 2141, "42601")


def choose(name: QualifiedName, overloads: Sequence[Procedure], given: Sequence[Given]) -> Procedure:
    """The overload that the arguments fit best."""
    costs = [(_cost(overload, given), i) for i, overload in enumerate(overloads)]
    fitting = [(cost, i) for cost, i in costs if cost is not None]
    if not fitting:
        types = ", ".join(argument.type or "NULL" for argument in given)
        raise WarehouseError(
            "SQL compilation error: error line 1 at position 5\n"
            f"Invalid argument types for function '{name.name}': ({types})",
            1044,
            "42P13",
        )
    return overloads[min(fitting)[1]]


def _cost(procedure: Procedure, given: Sequence[Given]) -> int | None:
    matched = _match(procedure, given)
    if matched is None:
        return None
    total = 0
    for declared, argument in matched:
        if argument is None or argument.type is None or argument.type == declared.type.name:
            continue
        cost = _CONVERSION_COSTS[argument.type].get(declared.type.name)
        if cost is None:
            return None
        total += cost
    return total


def _match(procedure: Procedure, given: Sequence[Given]) -> list[tuple[Argument, Given | None]] | None:
    """Each declared argument with the one given for it, or None where its default stands in."""
    by_name = {argument.name: argument for argument in given if argument.name is not None}
    positional = [argument for argument in given if argument.name is None]
    declared = procedure.arguments
    rest = {argument.name for argument in declared[len(positional) :]}
    if len(positional) > len(declared) or set(by_name) - rest:
        return None
    matched: list[tuple[Argument, Given | None]] = []
    for i, argument in enumerate(declared):
        found = positional[i] if i < len(positional) else by_name.get(argument.name)
        if found is None and argument.default is None:
            return None
        matched.append((argument, found))
    return matched


def to_python(session: Session, procedure: Procedure, given: Sequence[Given]) -> list[Any]:
    """The values that the handler gets after its session."""
    values = []
    for declared, argument in _match(procedure, given) or []:
        if argument is None:
            (argument,) = evaluate(session, declared.default or "NULL", None)
        values.append(_convert(argument, declared))
    return values


def _convert(given: Given, declared: Argument) -> Any:
    value, type_ = given.value, declared.type
    if value is None or given.type is None or (given.type == type_.name and type_.name != "NUMBER"):
        return value
    try:
        return _CONVERTERS[type_.name](value, type_)
    except (ValueError, TypeError, InvalidOperation) as error:
        raise WarehouseError(
            f"{_KINDS.get(type_.name, type_.name)} value '{value}' is not recognized", 100038, "22018"
        ) from error


_KINDS = {"NUMBER": "Numeric", "FLOAT": "Numeric", "BOOLEAN": "Boolean", "DATE": "Date"}


def _to_number(value: Any, type_: DataType) -> int | Decimal:
    number = Decimal(str(value) if isinstance(value, float) else value)
    number = number.quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_UP)
    return number if type_.scale else int(number)


def _to_text(value: Any, _: DataType) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")


def _to_boolean(value: Any, _: DataType) -> bool:
    if isinstance(value, str):
        if value.lower() not in _TRUE + _FALSE:
            raise ValueError(value)
        return value.lower() in _TRUE
    return bool(value)


def _to_timestamp(value: Any, type_: DataType) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if type_.name == "TIMESTAMP_NTZ":
        return moment.replace(tzinfo=None)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_date(value: Any, _: DataType) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _to_json(value: Any, _: DataType) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | time) else value


_CONVERTERS: dict[str, Callable[[Any, DataType], Any]] = {
    "NUMBER": _to_number,
    "FLOAT": lambda value, _: float(value),
    "VARCHAR": _to_text,
    "BOOLEAN": _to_boolean,
    "DATE": _to_date,
    "TIME": lambda value, _: time.fromisoformat(value),
    "TIMESTAMP_NTZ": _to_timestamp,
    "TIMESTAMP_LTZ": _to_timestamp,
    "TIMESTAMP_TZ": _to_timestamp,
    "VARIANT": _to_json,
    "ARRAY": _to_json,
    "OBJECT": _to_json,
    "BINARY": lambda value, _: bytes(value),
}
