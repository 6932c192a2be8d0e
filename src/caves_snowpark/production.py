"""Transforms from STAGING to PRODUCTION: the latest versions, and what they do to stock.

Two events with one key and different contents are two versions of the same thing. The latest version wins:
the one with the greatest event time, and on a tie the one that stands later on Kafka. So the outcome does
not depend on the order, nor on the batches, in which events arrive.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

from typing import Final

from snowflake.snowpark import Column, DataFrame, Window
from snowflake.snowpark import functions as F
from snowflake.snowpark.types import StructType

from caves_snowpark import schemas
from caves_snowpark.schemas import DATE
from caves_snowpark.staging import delivery

# The shop's day, whatever the session's time zone.
BUSINESS_TIME_ZONE: Final = "Europe/Paris"

_LATEST_FIRST: Final = (
    F.col("EVENT_TIMESTAMP").desc(),
    F.col("SOURCE_OFFSET").desc(),
    F.col("SOURCE_PARTITION").desc(),
    F.col("SOURCE_TOPIC").desc(),
)
_LOCATION: Final = ("PRODUCT_ID", "WAREHOUSE_LOCATION")


def inserted(changes: DataFrame) -> DataFrame:
    """The rows that a stream brings: new ones, and the new images of updated ones.

    An update is a DELETE and an INSERT in a stream; to leave out METADATA$ISUPDATE would lose corrections.
    """
    return changes.filter(F.col("METADATA$ACTION") == F.lit("INSERT"))


def latest_orders(changes: DataFrame) -> DataFrame:
    """One production row per order: the latest version among the changes.

    Columns in (RAW_DATA.STREAM_STG_ORDERS): those of STAGING.STG_ORDERS; METADATA$ACTION VARCHAR.
    Columns out (PRODUCTION.ORDERS): all, in order; ORDER_DATE is the day in Paris.
    Grain: ORDER_ID. Rows: never more than the changes; empty in, empty out.
    """
    renamed = {
        "ORDER_DATE": _business_date(),
        "ORDER_TIMESTAMP": F.col("EVENT_TIMESTAMP"),
        "CREATED_AT": F.sysdate(),
        "UPDATED_AT": F.sysdate(),
    }
    return _latest(changes, schemas.STG_ORDERS, key="ORDER_ID").select(
        *_as_columns(schemas.columns(schemas.ORDERS), renamed)
    )


def latest_adjustments(changes: DataFrame) -> DataFrame:
    """One history row per adjustment: the latest version among the changes.

    Columns in (a stream on STAGING.STG_INVENTORY_ADJUSTMENTS): that table's; METADATA$ACTION VARCHAR.
    Columns out (PRODUCTION.INVENTORY_HISTORY): all, in order; ADJUSTMENT_DATE is the day in Paris.
    Grain: ADJUSTMENT_ID. Rows: never more than the changes; empty in, empty out.
    """
    renamed = {
        "ADJUSTMENT_DATE": _business_date(),
        "ADJUSTMENT_TIMESTAMP": F.col("EVENT_TIMESTAMP"),
        "CREATED_AT": F.sysdate(),
        "UPDATED_AT": F.sysdate(),
    }
    columns = _as_columns(schemas.columns(schemas.INVENTORY_HISTORY), renamed)
    return _latest(changes, schemas.STG_INVENTORY_ADJUSTMENTS, key="ADJUSTMENT_ID").select(*columns)


def stock_by_location(changes: DataFrame, staged: DataFrame) -> DataFrame:
    """What the changes do to the stock of each product and location that they speak of.

    An adjustment's new version takes the place of its old one: the old quantity goes back where it was,
    which may be another location. What was staged before the changes says which version counted until now,
    so `staged` must be read at the same moment as the changes: in one statement.

    Columns in (a stream on STAGING.STG_INVENTORY_ADJUSTMENTS; that table): that table's; METADATA$ACTION
    VARCHAR in the changes.
    Columns out:
        PRODUCT_ID                  NUMBER(38,0)    not null
        WAREHOUSE_LOCATION          VARCHAR         not null
        PRODUCT_NAME                VARCHAR         as of the latest event
        PRODUCT_CATEGORY            VARCHAR         as of the latest event
        CURRENT_STOCK_LEVEL         NUMBER(38,0)    not null; what to add, possibly nothing
        LAST_ADJUSTMENT_TIMESTAMP   TIMESTAMP_NTZ   not null, UTC; of any version, so that it only grows
        UPDATED_AT                  TIMESTAMP_NTZ   not null, UTC
    Grain: PRODUCT_ID, WAREHOUSE_LOCATION. Rows: as many as versions at most; empty in, empty out.
    """
    return (
        _signed_versions(changes, staged)
        .group_by(*_LOCATION)
        .agg(
            F.max(F.iff(F.col("RECENCY") == F.lit(1), F.col("PRODUCT_NAME"), F.lit(None))).alias(
                "PRODUCT_NAME"
            ),
            F.max(F.iff(F.col("RECENCY") == F.lit(1), F.col("PRODUCT_CATEGORY"), F.lit(None))).alias(
                "PRODUCT_CATEGORY"
            ),
            F.sum("QUANTITY_CHANGE").alias("CURRENT_STOCK_LEVEL"),
            F.max("EVENT_TIMESTAMP").alias("LAST_ADJUSTMENT_TIMESTAMP"),
        )
        .select(
            *_LOCATION,
            "PRODUCT_NAME",
            "PRODUCT_CATEGORY",
            "CURRENT_STOCK_LEVEL",
            "LAST_ADJUSTMENT_TIMESTAMP",
            F.sysdate().alias("UPDATED_AT"),
        )
    )


def _business_date() -> Column:
    """The event's day in Paris."""
    paris = F.convert_timezone(F.lit(BUSINESS_TIME_ZONE), F.col("EVENT_TIMESTAMP"), F.lit("UTC"))
    return paris.cast(DATE)


def _as_columns(names: list[str], renamed: dict[str, Column]) -> list[Column]:
    return [renamed.get(name, F.col(name)).alias(name) for name in names]


def _latest(changes: DataFrame, staged: StructType, key: str) -> DataFrame:
    by_recency = Window.partition_by(key).order_by(*_LATEST_FIRST)
    return (
        inserted(changes)
        .select(*schemas.columns(staged), F.row_number().over(by_recency).alias("RECENCY"))
        .filter(F.col("RECENCY") == F.lit(1))
    )


def _signed_versions(changes: DataFrame, staged: DataFrame) -> DataFrame:
    """The versions of every changed adjustment, each with the quantity that it adds or takes back.

    The version that counts now adds its quantity; the one that counted before takes its own back; for one
    that is both the two cancel, and a version that neither counts nor counted has no effect.
    """
    columns = ["ADJUSTMENT_ID", *_LOCATION, "PRODUCT_NAME", "PRODUCT_CATEGORY", "QUANTITY_CHANGE"]
    columns += ["EVENT_TIMESTAMP", "SOURCE_OFFSET", "SOURCE_PARTITION", "SOURCE_TOPIC"]
    arrivals = inserted(changes).select(
        *columns, delivery(F.col("CONTENT_HASH")).alias("DELIVERY"), F.lit(1).alias("IS_NEW")
    )
    earlier = (
        staged.select(*columns, delivery(F.col("CONTENT_HASH")).alias("DELIVERY"), F.lit(0).alias("IS_NEW"))
        .filter(F.col("ADJUSTMENT_ID").in_(inserted(changes).select("ADJUSTMENT_ID")))
        .filter(~F.col("DELIVERY").in_(arrivals.select("DELIVERY")))
    )
    now = Window.partition_by("ADJUSTMENT_ID").order_by(*_LATEST_FIRST)
    before = Window.partition_by("ADJUSTMENT_ID", "IS_NEW").order_by(*_LATEST_FIRST)
    at_location = Window.partition_by(*_LOCATION).order_by(
        F.col("EVENT_TIMESTAMP").desc(), F.col("PRODUCT_NAME").desc(), F.col("PRODUCT_CATEGORY").desc()
    )
    counts_now = F.iff(F.col("NOW") == F.lit(1), F.lit(1), F.lit(0))
    counted_before = F.iff((F.col("IS_NEW") == F.lit(0)) & (F.col("BEFORE") == F.lit(1)), F.lit(1), F.lit(0))
    return (
        arrivals.union_all(earlier)
        .select(
            *columns,
            "IS_NEW",
            F.row_number().over(now).alias("NOW"),
            F.row_number().over(before).alias("BEFORE"),
            F.row_number().over(at_location).alias("RECENCY"),
        )
        .select(
            *_LOCATION,
            "PRODUCT_NAME",
            "PRODUCT_CATEGORY",
            "EVENT_TIMESTAMP",
            "RECENCY",
            (F.col("QUANTITY_CHANGE") * (counts_now - counted_before)).alias("QUANTITY_CHANGE"),
        )
    )
