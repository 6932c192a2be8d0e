"""Brings the fines up to date with the loans that came, changed or went."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark import functions as F

ACTION, IS_UPDATE = "METADATA$ACTION", "METADATA$ISUPDATE"


def settle_loans(session: Session, today: date, daily_rate: Decimal) -> dict[str, int]:
    """The counts of the fines that were made, changed and lifted."""
    session.sql("BEGIN").collect()
    changes = session.table("LOAN_CHANGES")
    due = _fines_due(changes, today, daily_rate).union_all(_loans_gone(changes))
    fines = session.table("FINES")
    merged = fines.merge(
        due,
        fines["LOAN_ID"] == due["LOAN_ID"],
        [
            F.when_matched(due["FINE"].is_null()).delete(),  # type: ignore[no-untyped-call]
            F.when_matched().update({"READER": due["READER"], "AMOUNT": due["FINE"]}),
            F.when_not_matched(due["FINE"].is_not_null()).insert(
                {"LOAN_ID": due["LOAN_ID"], "READER": due["READER"], "AMOUNT": due["FINE"]}
            ),
        ],
    )
    session.sql("COMMIT").collect()
    return {"made": merged.rows_inserted, "changed": merged.rows_updated, "lifted": merged.rows_deleted}


def _fines_due(changes: DataFrame, today: date, daily_rate: Decimal) -> DataFrame:
    """LOAN_ID, READER, FINE: what the loans that came or changed cost now."""
    until = F.coalesce(F.col("RETURNED_ON"), F.lit(today))
    days = F.datediff("day", F.col("DUE_ON"), until)
    fine = F.call_function("LATE_FINE", days, F.lit(daily_rate))
    due: DataFrame = changes.filter(F.col(ACTION) == "INSERT").select("LOAN_ID", "READER", fine.alias("FINE"))
    return due


def _loans_gone(changes: DataFrame) -> DataFrame:
    """LOAN_ID, READER, FINE: loans that were deleted, without a fine."""
    deleted = changes.filter((F.col(ACTION) == "DELETE") & ~F.col(IS_UPDATE))
    nothing = F.lit(None).cast("number(8, 2)").alias("FINE")
    gone: DataFrame = deleted.select("LOAN_ID", "READER", nothing)
    return gone
