"""What makes an erased customer's events nameless: those that are there, and those that still come.

A customer gets a number below every number of a shop, made of the customer's own by a key: the same one each
time, so that orders, repeats and customers count as before, and without the key nobody finds the way back.
An event keeps the fields that its figures are made of and loses all others. Its CONTENT_HASH, which could be
compared with the event on Kafka, is hashed once more with the key and travels in EVENT_METADATA.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

import hashlib
from dataclasses import dataclass
from typing import Final

from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names, schemas
from caves_snowpark.event_contract import FIELDS, IDENTIFIER
from caves_snowpark.fields import json_text, number
from caves_snowpark.schemas import INTEGER, TEXT, VARIANT
from caves_snowpark.staging import content_hash

# A pseudonym is this and digits of a hash: 18 digits in all, as many as the contract's numbers may have, and
# below zero, where no shop counts.
_PSEUDONYM: Final = "-1"
_PSEUDONYM_DIGITS: Final = 17
_CUSTOMER: Final = "customer_id"
# What tells of a person, or may: the address, and all that is not in the contract.
_PERSONAL: Final = ("customer_id", "shipping_address")
_KEPT_FIELDS: Final = ("event_type", *(field.name for field in FIELDS if field.name not in _PERSONAL))
_KEPT_METADATA: Final = (
    *("topic", "generation", "partition", "offset", "timestamp_ms"),
    *("encoding", "format", "refusal"),
)


@dataclass(frozen=True)
class Erasures:
    """Who was erased, and what stands in the place of what they leave."""

    session: Session
    key: str

    # Of one customer

    def hash_of(self, customer: int) -> str:
        """By what a customer is known to have been erased."""
        return hashlib.sha256(f"{self.key}/customer/{customer}".encode()).hexdigest()

    def pseudonym_of(self, customer: int) -> int:
        digits = hashlib.sha256(f"{self.key}/pseudonym/{customer}".encode()).hexdigest()[:_PSEUDONYM_DIGITS]
        return int(_PSEUDONYM + digits.translate(str.maketrans("abcdef", "012345")))

    # Of the customer whose number a column has as text

    def includes(self, customer: Column) -> Column:
        """Whether the customer was erased."""
        erased = self.session.table(names.ERASED_CUSTOMERS).select("CUSTOMER_HASH")
        return self._hash("customer", F.coalesce(customer, F.lit(""))).in_(erased)

    def pseudonym(self, customer: Column) -> Column:
        digits = F.substring(self._hash("pseudonym", customer), F.lit(1), F.lit(_PSEUDONYM_DIGITS))
        decimal = F.translate(digits, F.lit("abcdef"), F.lit("012345"))
        return F.concat(F.lit(_PSEUDONYM), decimal).cast(INTEGER)

    # Of an event

    def nameless(self, events: DataFrame) -> DataFrame:
        """The events, those of erased customers without what tells of them. Columns: as a raw row's four."""
        content, metadata = F.col("EVENT_CONTENT"), F.col("EVENT_METADATA")
        erased = self.includes(customer_text(content))
        return events.select(
            "EVENT_TYPE",
            self.content_kept(content).alias("EVENT_CONTENT"),
            F.iff(erased, self.metadata(content, metadata), metadata).alias("EVENT_METADATA"),
            "INGESTION_TIME",
        )

    def nameless_orders(self, changes: DataFrame) -> DataFrame:
        """Staged orders that wait for production: a stream shows them as they were staged."""
        customer = F.col("CUSTOMER_ID").cast(TEXT)
        erased = self.includes(customer)
        changed = {
            "CUSTOMER_ID": F.iff(erased, self.pseudonym(customer), F.col("CUSTOMER_ID")),
            "SHIPPING_ADDRESS": F.iff(erased, F.lit(None).cast(TEXT), F.col("SHIPPING_ADDRESS")),
        }
        columns = [*schemas.columns(schemas.STG_ORDERS), "METADATA$ACTION"]
        return changes.select(*(changed.get(name, F.col(name)).alias(name) for name in columns))

    def content_kept(self, event: Column) -> Column:
        """The event, or what is kept of it if its customer was erased."""
        return F.iff(self.includes(customer_text(event)), self.content(event), event)

    def content(self, event: Column) -> Column:
        """What is kept of an event."""
        kept = [(F.lit(name), event[name]) for name in _KEPT_FIELDS]
        pseudonym = self.pseudonym(customer_text(event))
        parts = [part for pair in [*kept, (F.lit(_CUSTOMER), pseudonym)] for part in pair]
        return F.object_construct(*parts).cast(VARIANT)

    def metadata(self, event: Column, metadata: Column) -> Column:
        """What is kept of where an event came from: no key and no headers; and by what a repeat is known."""
        kept = [(F.lit(name), metadata[name]) for name in _KEPT_METADATA]
        hashed = self.hash_again(content_hash(event, metadata))
        return F.object_construct(
            *(part for pair in [*kept, (F.lit("content_hash"), hashed)] for part in pair)
        )

    def hash_again(self, hashed: Column) -> Column:
        return self._hash("content", hashed)

    def _hash(self, what: str, text: Column) -> Column:
        return F.sha2(F.concat(F.lit(f"{self.key}/{what}/"), text), 256)


def known_erasures(session: Session) -> Erasures | None:
    """None as long as nobody was erased: then no event is looked at twice."""
    found = session.table(names.ERASURE_KEY).select("HASH_KEY").collect()
    return Erasures(session, str(found[0][0])) if found else None


def count_and_erasures(rows: DataFrame) -> tuple[int, Erasures | None]:
    """How many rows there are, and what `known_erasures` tells: one statement, since a task runs often."""
    counted = rows.agg(F.count(F.lit(1)).alias("AMOUNT"))
    amount = counted.select(F.lit("rows").alias("WHAT"), F.col("AMOUNT").cast(TEXT).alias("FOUND"))
    key = rows.session.table(names.ERASURE_KEY).select(
        F.lit("key").alias("WHAT"), F.col("HASH_KEY").alias("FOUND")
    )
    found = amount.union_all(key).collect()
    told = {str(row[0]): str(row[1]) for row in found}
    return int(told["rows"]), Erasures(rows.session, told["key"]) if "key" in told else None


def customer_text(event: Column) -> Column:
    """The customer's number as digits, however the event spells it; NULL where it has none."""
    return number(json_text(event, _CUSTOMER), IDENTIFIER).cast(TEXT)
