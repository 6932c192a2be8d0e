"""One field of an event as column expressions: its text in the JSON, and the value that the text stands for.

A value is judged by its text and by casts that give NULL instead of failing, so that no event can stop a
batch. A JSON number may be spelled in several ways (`100`, `100.0`, `1e2`), and engines spell it back
differently; all mean the same.
"""

from typing import Final

from snowflake.snowpark import Column
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import DecimalType, DoubleType

from caves_snowpark.event_contract import FIRST_YEAR, LAST_YEAR, Number
from caves_snowpark.schemas import INTEGER, TEXT

# A number with an exponent: so few digits that DOUBLE tells it from its neighbours, and no exponent so small
# that DOUBLE makes zero of it.
_SCIENTIFIC: Final = "[0-9]([.][0-9]{1,15})?[eE][-+]?[0-9]{1,2}"
_INSTANT: Final = (
    "^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    "T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
    "(Z|[-+](0[0-9]|1[0-4])(:?[0-5][0-9])?)$"
)
# YYYY-MM-DDTHH:MI:SS.ffffff: engines differ in what they do beyond the microsecond.
_WALL_FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.FF6'
_MICROSECOND_LENGTH: Final = 26
# What fills up a time that ends earlier; the shortest ends with its minutes.
_SECONDS: Final = ":00.000000"
_MINUTE_LENGTH: Final = 16


def json_text(event: Column, field: str) -> Column:
    """The field as text; NULL when it is absent or JSON null, or when the event is not an object."""
    return event[field].cast(TEXT)


def is_json_string(event: Column, field: str) -> Column:
    return F.typeof(event[field]) == F.lit("VARCHAR")


def is_missing(text: Column) -> Column:
    """Whether a field's `json_text` says that it was not sent: NULL or blank."""
    return F.coalesce(F.trim(text), F.lit("")) == F.lit("")


def string(text: Column, is_string: Column) -> Column:
    """The text, if it was sent as a JSON string."""
    return F.iff(is_string & ~is_missing(text), text, F.lit(None))


def number(text: Column, kind: Number) -> Column:
    """The number, if NUMBER(precision, scale) holds it as it is.

    TRY_CAST rounds what has too many decimals: money with half a cent is refused and never rounded. Written
    with a point, the digits tell; written with an exponent, the result must equal the text read as DOUBLE.
    """
    value = F.try_cast(text, DecimalType(kind.precision, kind.scale))
    accepted = text.regexp(F.lit(_spelling(kind))) & (
        value.cast(DoubleType()) == F.try_cast(text, DoubleType())
    )
    if kind.minimum is not None:
        accepted = accepted & (value >= F.lit(kind.minimum))
    if not kind.may_be_zero:
        accepted = accepted & (value != F.lit(0))
    return F.iff(accepted, value, F.lit(None))


def _spelling(kind: Number) -> str:
    """What a number of this kind may look like: no digit but zeros beyond its scale."""
    decimals = f"[.][0-9]{{1,{kind.scale}}}0*" if kind.scale else "[.]0+"
    # Anchored, because REGEXP means the whole text on Snowflake and need not elsewhere.
    return f"^[-+]?([0-9]+({decimals})?|{_SCIENTIFIC})$"


def iso_text(text: Column) -> Column:
    """A time's text in capitals; empty when it is missing."""
    return F.upper(F.coalesce(text, F.lit("")))


def iso_zone(iso: Column) -> Column:
    """What may be the offset at the end of an `iso_text`: its last 1, 3, 5 or 6 characters."""
    length = F.length(iso)
    zone_length = (
        F.when(_characters(iso, length, 1) == F.lit("Z"), F.lit(1))
        .when(_characters(iso, length - 2, 1).in_("+", "-"), F.lit(3))
        .when(_characters(iso, length - 4, 1).in_("+", "-"), F.lit(5))
        .otherwise(F.lit(6))
    )
    return _characters(iso, length - zone_length + 1, 6)


def utc_time(iso: Column, zone: Column) -> Column:
    """The time in UTC, by arithmetic on the offset and a format of our own: no parameter has a part in it,
    neither the session's TIMEZONE nor its TIMESTAMP_INPUT_FORMAT.
    """
    year = _characters(iso, 1, 4)
    accepted = iso.regexp(F.lit(_INSTANT)) & year.between(F.lit(str(FIRST_YEAR)), F.lit(str(LAST_YEAR)))
    wall = _characters(F.substring(iso, F.lit(1), F.length(iso) - F.length(zone)), 1, _MICROSECOND_LENGTH)
    whole = F.concat(wall, _characters(F.lit(_SECONDS), F.length(wall) - F.lit(_MINUTE_LENGTH - 1), 10))
    # Checked before the arithmetic, so that no engine is asked for a time that it cannot hold.
    text = F.iff(accepted, whole, F.lit(None))
    moment = F.call_builtin("try_to_timestamp_ntz", text, F.lit(_WALL_FORMAT))
    hours = _digits(_characters(zone, 2, 2))
    minutes = F.iff(F.length(zone) > F.lit(3), _digits(_characters(zone, F.length(zone) - 1, 2)), F.lit(0))
    ahead = hours * 60 + minutes
    return F.dateadd("minute", F.iff(_characters(zone, 1, 1) == F.lit("-"), ahead, -ahead), moment)


def _digits(text: Column) -> Column:
    return F.coalesce(F.try_cast(text, INTEGER), F.lit(0))


def _characters(text: Column, start: Column | int, length: int) -> Column:
    return F.substring(text, start if isinstance(start, Column) else F.lit(start), F.lit(length))
