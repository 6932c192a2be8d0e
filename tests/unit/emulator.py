"""What Snowpark local testing lacks or does otherwise than Snowflake, mended for these tests.

Each mend says what was wrong (snowflake-snowpark-python 1.53.0). The project's own code knows of none.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"
# `snowflake.snowpark.mock.patch` has no types.

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

import pandas
import pytest
from snowflake.snowpark._internal.analyzer.binary_expression import Multiply
from snowflake.snowpark._internal.analyzer.expression import (
    Attribute,
    CaseWhen,
    RegExp,
    SubfieldString,
    UnresolvedAttribute,
)
from snowflake.snowpark._internal.analyzer.unary_expression import Alias, Cast
from snowflake.snowpark.mock import ColumnEmulator, ColumnType, TableEmulator, _plan, patch
from snowflake.snowpark.types import (
    ArrayType,
    BooleanType,
    DecimalType,
    MapType,
    NullType,
    StringType,
    TimestampTimeZone,
    TimestampType,
    VariantType,
)


def _column(values: list[Any], like: ColumnEmulator, datatype: Any) -> ColumnEmulator:
    column = ColumnEmulator(values, index=like.index, dtype=object)
    column.sf_type = ColumnType(datatype, True)
    return column


def _values(column: ColumnEmulator) -> list[Any]:
    """The values of a column, where pandas may have put NaN for None."""
    return [None if isinstance(value, float) and value != value else value for value in column]


@patch("trim")
def trim(text: ColumnEmulator, characters: None = None) -> ColumnEmulator:
    """Missing. Snowflake takes spaces off, and nothing else."""
    return _column([value and value.strip(" ") for value in _values(text)], text, StringType())


@patch("typeof")
def typeof(variant: ColumnEmulator) -> ColumnEmulator:
    """Missing. Only the kinds that JSON has."""
    return _column([_kind(value) for value in _values(variant)], variant, StringType())


def _kind(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "BOOLEAN"
        case str():
            return "VARCHAR"
        case int():
            return "INTEGER"
        case float():
            return "DOUBLE"
        case list():
            return "ARRAY"
        case dict():
            return "OBJECT"
    raise NotImplementedError(type(value))


@patch("sha2")
def sha2(text: ColumnEmulator, bits: ColumnEmulator) -> ColumnEmulator:
    """Missing."""
    del bits
    digests = [
        None if value is None else hashlib.sha256(value.encode()).hexdigest() for value in _values(text)
    ]
    return _column(digests, text, StringType())


@patch("array_construct_compact")
def array_construct_compact(*columns: ColumnEmulator) -> ColumnEmulator:
    """Missing."""
    rows = [[value for value in row if value is not None] for row in zip(*map(_values, columns), strict=True)]
    return _column(rows, columns[0], ArrayType())


@patch("array_size")
def array_size(array: ColumnEmulator) -> ColumnEmulator:
    """Missing."""
    return _column(
        [None if value is None else len(value) for value in _values(array)], array, DecimalType(38, 0)
    )


@patch("sysdate", pass_column_index=True)
def sysdate(column_index: Any) -> ColumnEmulator:
    """Missing."""
    now = datetime.now(UTC).replace(tzinfo=None)
    column = ColumnEmulator([now] * len(column_index), index=column_index, dtype=object)
    column.sf_type = ColumnType(TimestampType(), False)
    return column


@patch("try_to_timestamp_ntz")
def try_to_timestamp_ntz(text: ColumnEmulator, form: ColumnEmulator) -> ColumnEmulator:
    """Missing. Only the one format that is used."""
    assert set(form) <= {'YYYY-MM-DD"T"HH24:MI:SS.FF6'}, set(form)
    return _column([_wall_time(value) for value in _values(text)], text, TimestampType(TimestampTimeZone.NTZ))


def _wall_time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%S.%f")
    except ValueError:
        return None


@patch("current_user", pass_column_index=True)
def current_user(column_index: Any) -> ColumnEmulator:
    """Missing."""
    column = ColumnEmulator(["LOCAL"] * len(column_index), index=column_index, dtype=object)
    column.sf_type = ColumnType(StringType(), False)
    return column


def mend_expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the evaluation of the expressions that it gets wrong."""
    original = _plan.calculate_expression

    def calculate(exp: Any, input_data: Any, analyzer: Any, aliases: Any, **options: Any) -> Any:
        def evaluate(child: Any) -> Any:
            return calculate(child, input_data, analyzer, aliases)

        match exp:
            case SubfieldString():
                return _subfield(evaluate(exp.child), str(exp.field))
            case RegExp():
                return _regexp(evaluate(exp.expr), evaluate(exp.pattern))
            case Cast(to=DecimalType() as to, try_=True):
                return _try_number(evaluate(exp.child), to)
            case Cast(to=StringType()):
                child = evaluate(exp.child)
                if isinstance(child.sf_type.datatype, VariantType):
                    return _text(child)
            case Multiply():
                return _product(evaluate(exp.left), evaluate(exp.right))
            case CaseWhen():
                branches = [(evaluate(condition), evaluate(value)) for condition, value in exp.branches]
                return _case(branches, evaluate(exp.else_value))
        return _mended(original(exp, input_data, analyzer, aliases, **options), input_data)

    monkeypatch.setattr(_plan, "calculate_expression", calculate)
    monkeypatch.setattr(_plan, "execute_mock_plan", _numbering_rows_anew(_plan.execute_mock_plan))
    monkeypatch.setattr(_plan, "describe", _reading_the_projection(_plan.describe))


def _numbering_rows_anew(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Filtered rows kept their old labels, and the functions of the next select failed on them."""

    @wraps(execute)
    def execute_mock_plan(*args: Any, **options: Any) -> Any:
        rows = execute(*args, **options)
        if isinstance(rows, TableEmulator):
            rows.index = range(len(rows))
        return rows

    return execute_mock_plan


def _reading_the_projection(describe: Callable[..., Any]) -> Callable[..., Any]:
    """It ran the whole plan for the names of its columns, at every step of a transform."""

    @wraps(describe)
    def names_of(plan: Any) -> Any:
        projection = getattr(plan.source_plan, "projection", None) or []
        if projection and all(
            isinstance(each, Alias | Attribute | UnresolvedAttribute) for each in projection
        ):
            return [Attribute(each.name, StringType()) for each in projection]
        return describe(plan)

    return names_of


def _mended(result: Any, input_data: Any) -> Any:
    """A text's NULL became NaN where no row had a text, and a condition of no rows chose among columns."""
    if not isinstance(result, ColumnEmulator):
        return result
    datatype = result.sf_type.datatype
    if isinstance(datatype, StringType | VariantType) and any(value != value for value in result.array):
        return _column(_values(result), result, datatype)
    if isinstance(datatype, BooleanType) and all(isinstance(value, bool) for value in result):
        # An UPDATE filled the gaps of a condition that had none, and warned of it.
        return result.astype(bool)
    return result


def _subfield(variant: ColumnEmulator, field: str) -> ColumnEmulator:
    """`variant['field']` failed on a string, and made 2.0 and NaN of 2 and a missing number."""
    values = [value.get(field) if isinstance(value, dict) else None for value in _values(variant)]
    return _column(values, variant, VariantType())


def _try_number(text: ColumnEmulator, to: DecimalType) -> ColumnEmulator:
    """TRY_CAST to NUMBER(9, 0) let ten digits pass, rounded half to even, and knew a zero below zero."""
    return _column([_exact(value, to) for value in _values(text)], text, to)


def _exact(text: str | None, to: DecimalType) -> Decimal | None:
    try:
        with localcontext(prec=400):
            rounded = Decimal(text or "").quantize(Decimal(1).scaleb(-to.scale), ROUND_HALF_UP)
            return rounded + 0 if abs(rounded) < Decimal(10) ** (to.precision - to.scale) else None
    except InvalidOperation:
        return None


def _text(values: ColumnEmulator) -> ColumnEmulator:
    """The text of a VARIANT had its accents escaped."""
    texts = [
        value
        if value is None or isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True)
        for value in _values(values)
    ]
    return _column(texts, values, StringType())


def _product(left: ColumnEmulator, right: ColumnEmulator) -> ColumnEmulator:
    """A NUMBER times NULL failed."""
    products = [
        None if a is None or b is None else a * b for a, b in zip(_values(left), _values(right), strict=True)
    ]
    return _column(products, left, DecimalType(38, getattr(right.sf_type.datatype, "scale", 0)))


def _case(branches: list[tuple[ColumnEmulator, ColumnEmulator]], otherwise: ColumnEmulator) -> ColumnEmulator:
    """A CASE of no rows was a VARIANT, and one of several branches warned of labels."""
    values = _values(otherwise)
    for condition, value in reversed(branches):
        values = [
            new if holds else old
            for holds, new, old in zip(_values(condition), _values(value), values, strict=True)
        ]
    return _column(values, otherwise, branches[0][1].sf_type.datatype)


def _regexp(text: ColumnEmulator, pattern: ColumnEmulator) -> ColumnEmulator:
    """REGEXP failed on NULL."""
    matches = [
        None if value is None else bool(re.fullmatch(expression, value))
        for value, expression in zip(_values(text), pattern, strict=True)
    ]
    return _column(matches, text, BooleanType())


@patch("dateadd")
def dateadd(part: str, amounts: ColumnEmulator, moments: ColumnEmulator) -> ColumnEmulator:
    """Failed on NULL. Only minutes."""
    assert part == "minute", part
    later = [
        None if moment is None else moment + timedelta(minutes=int(amount))
        for amount, moment in zip(amounts, _moments(moments), strict=True)
    ]
    return _column(later, moments, TimestampType(TimestampTimeZone.NTZ))


@patch("convert_timezone")
def convert_timezone(*arguments: Any) -> ColumnEmulator:
    """Failed where there are no rows, and on NULL."""
    if len(arguments) < 3 or arguments[2] is None:
        targets, moments = arguments[:2]
        converted = [
            moment and moment.astimezone(ZoneInfo(target))
            for target, moment in zip(targets, _moments(moments), strict=True)
        ]
        return _column(converted, moments, TimestampType(TimestampTimeZone.TZ))
    sources, targets, moments = arguments
    walls = [
        moment and moment.replace(tzinfo=ZoneInfo(source)).astimezone(ZoneInfo(target)).replace(tzinfo=None)
        for source, target, moment in zip(sources, targets, _moments(moments), strict=True)
    ]
    return _column(walls, moments, TimestampType(TimestampTimeZone.NTZ))


def _moments(column: ColumnEmulator) -> list[datetime | None]:
    return [None if value is None or pandas.isna(value) else value for value in column]


@patch("iff")
def iff(condition: ColumnEmulator, chosen: ColumnEmulator, otherwise: ColumnEmulator) -> ColumnEmulator:
    """Failed on rows without labels, and was slow."""
    values = [
        a if holds else b
        for holds, a, b in zip(_values(condition), _values(chosen), _values(otherwise), strict=True)
    ]
    like = otherwise if isinstance(chosen.sf_type.datatype, NullType) else chosen
    return _column(values, condition, like.sf_type.datatype)


@patch("coalesce")
def coalesce(*columns: ColumnEmulator) -> ColumnEmulator:
    """Was slow."""
    rows = zip(*map(_values, columns), strict=True)
    values = [next((value for value in row if value is not None), None) for row in rows]
    return _column(values, columns[0], columns[0].sf_type.datatype)


@patch("replace")
def replace(text: ColumnEmulator, old: ColumnEmulator, new: Any = None) -> ColumnEmulator:
    """Missing."""
    news = [""] * len(text) if new is None else _values(new)
    rows = zip(_values(text), _values(old), news, strict=True)
    return _column([value and value.replace(a, b) for value, a, b in rows], text, StringType())


@patch("translate")
def translate(text: ColumnEmulator, old: ColumnEmulator, new: ColumnEmulator) -> ColumnEmulator:
    """Missing."""
    rows = zip(_values(text), _values(old), _values(new), strict=True)
    return _column(
        [value and value.translate(str.maketrans(a, b)) for value, a, b in rows], text, StringType()
    )


@patch("object_construct")
def object_construct(*columns: ColumnEmulator) -> ColumnEmulator:
    """Kept a key without a value, and a Decimal that no JSON holds."""
    parts = [_values(column) for column in columns]
    rows = [
        {key: _json(value) for key, value in zip(row[::2], row[1::2], strict=True) if value is not None}
        for row in zip(*parts, strict=True)
    ]
    return _column(rows, columns[0], MapType())


def _json(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == int(value) else value
