"""What staging remembers: its rows, and a few columns of those that were purged.

An event that was purged can come again, and a movement that was purged can be corrected. What is asked of
staging for their sake must not depend on whether the row is still there, so it is asked here, of both.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

from snowflake.snowpark import DataFrame, Session

from caves_snowpark import names

# What a later version of an adjustment needs of this one: what it put into the stock of which place.
_VERSION: Final = (
    "ADJUSTMENT_ID",
    "EVENT_TIMESTAMP",
    "PRODUCT_ID",
    "PRODUCT_NAME",
    "PRODUCT_CATEGORY",
    "WAREHOUSE_LOCATION",
    "QUANTITY_CHANGE",
    "CONTENT_HASH",
    "SOURCE_TOPIC",
    "SOURCE_PARTITION",
    "SOURCE_OFFSET",
)


def known_orders(session: Session) -> DataFrame:
    """The CONTENT_HASH of every order that was ever staged and is not forgotten."""
    return _both(session, names.STG_ORDERS, names.PURGED_ORDERS, "CONTENT_HASH")


def known_adjustments(session: Session) -> DataFrame:
    """The CONTENT_HASH of every stock adjustment that was ever staged."""
    return _both(session, names.STG_INVENTORY_ADJUSTMENTS, names.PURGED_ADJUSTMENTS, "CONTENT_HASH")


def adjustment_versions(session: Session) -> DataFrame:
    """Every version of every stock adjustment, with what it did to stock."""
    return _both(session, names.STG_INVENTORY_ADJUSTMENTS, names.PURGED_ADJUSTMENTS, *_VERSION)


def _both(session: Session, staged: str, purged: str, *columns: str) -> DataFrame:
    return session.table(staged).select(*columns).union_all(session.table(purged).select(*columns))
