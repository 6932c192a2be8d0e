"""One field of an event as column expressions: its text in the JSON, and the value that the text stands for.

A value is judged by its text and by casts that give NULL instead of failing, so that no event can stop a
batch. A JSON number may be spelled in several ways (`100`, `100.0`, `1e2`), and engines spell it back
differently; all mean the same.
"""

from typing import Final

from snowflake.snowpark import Column
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import DecimalType, DoubleType

from caves_snowpark.event_contract import FIRST_YEAR, LAST_YEAR, Field, Instant, Number, Text
from caves_snowpark.schemas import INTEGER, TEXT, UTC_TIME

# Anchored, because REGEXP means the whole text on Snowflake and need not elsewhere.
_NUMBER: Final = "^[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$"
_INSTANT: Final = (
    "^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    "T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
    "(Z|[-+](0[0-9]|1[0-4])(:?[0-5][0-9])?)$"
)
# YYYY-MM-DDTHH:MI:SS.ffffff: engines differ in what they do beyond the microsecond.
_MICROSECOND_LENGTH: Final = 26


def json_text(event: Column, field: Field) -> Column:
    """The field as text; NULL when it is absent or JSON null, or when the event is not an object."""
    return event[field.name].cast(TEXT)


def is_json_string(event: Column, field: Field) -> Column:
    return F.typeof(event[field.name]) == F.lit("VARCHAR")


def is_missing(text: Column) -> Column:
    """Whether a field's `json_text` says that it was not sent: NULL or blank."""
    return F.coalesce(F.trim(text), F.lit("")) == F.lit("")


def typed_value(text: Column, is_string: Column, kind: Text | Instant | Number) -> Column:
    """The value of a field, from its `json_text`; NULL when it is missing or no value of that kind."""
    match kind:
        case Text():
            return F.iff(is_string & ~is_missing(text), text, F.lit(None))
        case Instant():
            return _instant(text)
        case Number():
            return _number(text, kind)


def _number(text: Column, kind: Number) -> Column:
    """The number, if NUMBER(precision, scale) holds it as it is.

    TRY_CAST rounds what has too many decimals, so its result is compared with the same text read as DOUBLE:
    money with half a cent is refused and never rounded.
    """
    value = F.try_cast(text, DecimalType(kind.precision, kind.scale))
    accepted = text.regexp(F.lit(_NUMBER)) & (value.cast(DoubleType()) == F.try_cast(text, DoubleType()))
    if kind.minimum is not None:
        accepted = accepted & (value >= F.lit(kind.minimum))
    if not kind.may_be_zero:
        accepted = accepted & (value != F.lit(0))
    return F.iff(accepted, value, F.lit(None))


def _instant(text: Column) -> Column:
    """The UTC time, by arithmetic on the offset: no session parameter and no engine's guess has a part in
    it."""
    iso = F.upper(F.coalesce(text, F.lit("")))
    length = F.length(iso)
    zone_length = (
        F.when(_character(iso, length) == F.lit("Z"), F.lit(1))
        .when(_character(iso, length - 2).in_("+", "-"), F.lit(3))
        .when(_character(iso, length - 4).in_("+", "-"), F.lit(5))
        .otherwise(F.lit(6))
    )
    wall = F.substring(F.substring(iso, F.lit(1), length - zone_length), F.lit(1), F.lit(_MICROSECOND_LENGTH))
    zone = F.substring(iso, length - zone_length + 1, zone_length)
    hours = F.coalesce(F.try_cast(F.substring(zone, F.lit(2), F.lit(2)), INTEGER), F.lit(0))
    minutes = F.iff(
        zone_length > F.lit(3),
        F.coalesce(F.try_cast(F.substring(iso, length - 1, F.lit(2)), INTEGER), F.lit(0)),
        F.lit(0),
    )
    ahead = hours * 60 + minutes
    to_utc = F.iff(_character(zone, F.lit(1)) == F.lit("-"), ahead, -ahead)
    year = F.substring(iso, F.lit(1), F.lit(4))
    accepted = iso.regexp(F.lit(_INSTANT)) & year.between(F.lit(str(FIRST_YEAR)), F.lit(str(LAST_YEAR)))
    # The year is checked before the arithmetic too: no engine can be asked for a time that it does not hold.
    moment = F.try_cast(F.iff(accepted, wall, F.lit(None)), UTC_TIME)
    return F.dateadd("minute", to_utc, moment)


def _character(text: Column, position: Column) -> Column:
    return F.substring(text, position, F.lit(1))
