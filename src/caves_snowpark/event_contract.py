"""What shops may send, and what the pipeline says of an event that is not that.

A field that is absent, JSON null or blank counts as missing. A field that is present must be of its kind,
whether it is required or not: an event with a discount of "abc" is rejected rather than stored without its
discount. Fields that are not listed (`emoji`, or whatever a shop adds tomorrow) stay in EVENT_CONTENT and
are ignored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# No shop moves a thousand million bottles at once. Without a bound, two absurd events could make a sum that
# overflows NUMBER(38, 0), and every later MERGE of their product would fail.
QUANTITY_DIGITS: Final = 9

# More digits than these, and one JSON parser or another would round an id to a neighbour's.
ID_DIGITS: Final = 18

# Every engine can hold these years, whatever the offset adds or takes.
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


@dataclass(frozen=True)
class Text:
    """A JSON string."""


@dataclass(frozen=True)
class Instant:
    """ISO 8601 with an offset (`2025-03-30T01:59:59.5+02:00`, `+0200`, `+02`, `Z`), to the microsecond."""


@dataclass(frozen=True)
class Number:
    """A JSON number, or a string that spells one, that NUMBER(precision, scale) holds exactly."""

    precision: int
    scale: int
    minimum: int | None = None
    may_be_zero: bool = True


IDENTIFIER: Final = Number(ID_DIGITS, 0)
QUANTITY: Final = Number(QUANTITY_DIGITS, 0, minimum=1)
QUANTITY_CHANGE: Final = Number(QUANTITY_DIGITS, 0, may_be_zero=False)
AMOUNT: Final = Number(12, 2)
PRICE: Final = Number(12, 2, minimum=0)
LITRES: Final = Number(6, 3)
TEXT: Final = Text()
INSTANT: Final = Instant()


@dataclass(frozen=True)
class Field:
    """One field of an event, and the staging column that it fills."""

    name: str
    column: str
    kind: Text | Instant | Number
    required: bool = False

    @property
    def missing(self) -> str:
        return f"MISSING_{self.name.upper()}"

    @property
    def invalid(self) -> str:
        return f"INVALID_{self.name.upper()}"


@dataclass(frozen=True)
class EventType:
    """One kind of event: its name in `event_type`, the column of its key, its fields."""

    name: str
    key: str
    fields: tuple[Field, ...]


ORDER_CREATED: Final = EventType(
    name="ORDER_CREATED",
    key="ORDER_ID",
    fields=(
        Field("order_line_id", "ORDER_ID", TEXT, required=True),
        Field("event_ts", "EVENT_TIMESTAMP", INSTANT, required=True),
        Field("customer_id", "CUSTOMER_ID", IDENTIFIER, required=True),
        Field("product_id", "PRODUCT_ID", IDENTIFIER, required=True),
        Field("product_name", "PRODUCT_NAME", TEXT),
        Field("category", "PRODUCT_CATEGORY", TEXT),
        Field("quantity", "QUANTITY", QUANTITY, required=True),
        Field("unit_price", "UNIT_PRICE", PRICE, required=True),
        Field("discount", "DISCOUNT", AMOUNT),
        Field("total_price", "TOTAL_AMOUNT", AMOUNT),
        Field("sales_channel", "SALES_CHANNEL", TEXT),
        Field("payment_method", "PAYMENT_METHOD", TEXT),
        Field("shipping_address", "SHIPPING_ADDRESS", TEXT),
        Field("bottle_size_l", "BOTTLE_SIZE_L", LITRES),
        Field("source_service", "SOURCE_SERVICE", TEXT),
    ),
)

INVENTORY_ADJUSTED: Final = EventType(
    name="INVENTORY_ADJUSTED",
    key="ADJUSTMENT_ID",
    fields=(
        Field("event_id", "ADJUSTMENT_ID", TEXT, required=True),
        Field("event_ts", "EVENT_TIMESTAMP", INSTANT, required=True),
        Field("product_id", "PRODUCT_ID", IDENTIFIER, required=True),
        Field("product_name", "PRODUCT_NAME", TEXT),
        Field("category", "PRODUCT_CATEGORY", TEXT),
        Field("warehouse_location", "WAREHOUSE_LOCATION", TEXT, required=True),
        Field("quantity_change", "QUANTITY_CHANGE", QUANTITY_CHANGE, required=True),
        Field("adjustment_type", "ADJUSTMENT_TYPE", TEXT, required=True),
        Field("reason", "REASON", TEXT),
        Field("source_service", "SOURCE_SERVICE", TEXT),
    ),
)

EVENT_TYPES: Final = (ORDER_CREATED, INVENTORY_ADJUSTED)

# Every field once: what two types share means the same in both.
FIELDS: Final = tuple(dict.fromkeys(ORDER_CREATED.fields + INVENTORY_ADJUSTED.fields))

# Reasons that belong to no field.
NOT_JSON_OBJECT: Final = "NOT_JSON_OBJECT"
MISSING_EVENT_TYPE: Final = "MISSING_EVENT_TYPE"
UNKNOWN_EVENT_TYPE: Final = "UNKNOWN_EVENT_TYPE"
# Reasons that the ingestor gives, in EVENT_METADATA:refusal, to a message that it could not load as it was.
PAYLOAD_TOO_LARGE: Final = "PAYLOAD_TOO_LARGE"
PAYLOAD_REFUSED: Final = "PAYLOAD_REFUSED"

# Reasons that take more words than their field's kind.
_PARTICULAR_MEANINGS: Final = {
    NOT_JSON_OBJECT: "the payload is no JSON object: other JSON, text that is not JSON, bytes, or nothing",
    PAYLOAD_TOO_LARGE: "no column holds the payload; EVENT_METADATA:message has its size, SHA-256 and file",
    PAYLOAD_REFUSED: "the warehouse did not take the payload as JSON, so it was kept as text and not read",
    MISSING_EVENT_TYPE: "event_type is absent, null or blank",
    UNKNOWN_EVENT_TYPE: "event_type is none of " + ", ".join(kind.name for kind in EVENT_TYPES),
    "INVALID_TOTAL_PRICE": "total_price, sent or quantity x unit_price, is no amount that NUMBER(12,2) holds",
}


def _meaning(kind: Text | Instant | Number) -> str:
    match kind:
        case Text():
            return "is not a JSON string"
        case Instant():
            return f"is not an ISO 8601 time with an offset, of the years {FIRST_YEAR} to {LAST_YEAR}"
        case Number(precision, scale, minimum, may_be_zero):
            holds = f"is not a number that NUMBER({precision},{scale}) holds exactly"
            least = f", or is below {minimum}" if minimum is not None else ""
            zero = "" if may_be_zero else ", or is zero"
            return holds + least + zero


def _field_reasons() -> Iterator[tuple[str, str]]:
    for event_type in EVENT_TYPES:
        for field in event_type.fields:
            if field.required:
                yield field.missing, f"{field.name} is absent, null or blank"
            yield field.invalid, f"{field.name} {_meaning(field.kind)}"


# Every reason code, with its meaning: what REJECTED_EVENTS.REASONS may hold.
REASONS: Final = dict(_field_reasons()) | _PARTICULAR_MEANINGS

# The words of the shop we know, for the producer. The contract accepts others: a new cellar needs no
# deployment.
CATEGORIES: Final = ("Rouge", "Blanc", "Rosé", "Effervescent", "Spiritueux")
LOCATIONS: Final = ("PARIS-BERCY", "LYON-CONFLUENCE", "BORDEAUX-CHARTRONS", "DIJON-CLEMENCEAU")
ADJUSTMENT_TYPES: Final = ("REPLENISHMENT", "CORRECTION", "SPOILAGE")
