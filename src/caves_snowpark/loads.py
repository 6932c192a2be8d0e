"""How rows get into tables: inside a transaction, by INSERT or MERGE, with counts.

No statement here creates a table, not even a temporary one: DDL would commit the open transaction, and a
CREATE TABLE AS SELECT from a stream would consume it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from snowflake.snowpark import Column, DataFrame, Row, Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException

from caves_snowpark import names, schemas

log = logging.getLogger(__name__)

Counts = dict[str, int]


class UnaccountedEventsError(Exception):
    """Some events of a batch would have gone nowhere, or to two places. The transaction was rolled back."""

    def __init__(self, read: int, written: int) -> None:
        super().__init__(
            f"Read {read} events but wrote {written} rows to staging, rejected and duplicates. Nothing is "
            "kept: another writer may have staged the same events at the same moment, so run it again."
        )
        self.read = read
        self.written = written


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """One explicit transaction: a stream stays at one offset, and all statements count or none."""
    session.sql("BEGIN").collect()
    try:
        yield
        session.sql("COMMIT").collect()
    except BaseException:
        session.sql("ROLLBACK").collect()
        raise


def insert(rows: DataFrame, table: str) -> int:
    """Append rows to a table, and return how many.

    One statement. `DataFrame.write.insert_into` would first SHOW TABLES, twice, and describe the rows, and
    would not tell their number.
    """
    columns = ", ".join(schemas.columns(schemas.TABLES[table]))
    [query] = rows.queries["queries"]
    [result] = rows.session.sql(f"INSERT INTO {table} ({columns}) {query}").collect()
    return int(result[0])


def insert_each(rows: DataFrame, places: Mapping[str, Mapping[str, str]]) -> Counts:
    """Append each row to the table that its DESTINATION names, and return how many went to each.

    One statement, so that what the rows are made of is read and computed once for all the tables.
    places: for each table its columns, and the column of `rows`, or NULL, that each is filled from.
    """
    [query] = rows.queries["queries"]
    branches = " ".join(
        f"WHEN DESTINATION = '{table}' THEN INTO {table} ({', '.join(columns)})"
        f" VALUES ({', '.join(columns.values())})"
        for table, columns in places.items()
    )
    # In parentheses, for Snowpark begins the query with WITH where an account has that optimisation on.
    insert = f"INSERT ALL {branches} SELECT * FROM ({query})"  # noqa: S608 - our names, Snowpark's query
    [result] = rows.session.sql(insert).collect()
    return _counts(result, list(places))


def merge_versions(rows: DataFrame, table: str, *, key: str, time: str) -> Counts:
    """Insert the rows whose key is new, and replace those that are older than their row; return both numbers.

    `rows` has one row per key and every column of the table. A row with the same time and the same Kafka
    coordinates is the same version and is left as it is, so that a rerun changes nothing.
    """
    columns = schemas.columns(schemas.TABLES[table])
    kept = {key, "CREATED_AT"}
    target = rows.session.table(table)
    result = target.merge(
        rows,
        target[key] == rows[key],
        [
            F.when_matched(_is_later(rows, target, time)).update(
                {name: rows[name] for name in columns if name not in kept}
            ),
            F.when_not_matched().insert({name: rows[name] for name in columns}),
        ],
    )
    return {"inserted": int(result.rows_inserted), "updated": int(result.rows_updated)}


def merge_stock(rows: DataFrame) -> Counts:
    """Add to the stock of each product and location; return how many were inserted and updated.

    The names follow the latest event; on a tie the greater ones, so that batches in any order end alike.
    """
    columns = schemas.columns(schemas.INVENTORY_CURRENT)
    stock = rows.session.table(names.INVENTORY_CURRENT)
    time = "LAST_ADJUSTMENT_TIMESTAMP"
    later = (rows[time] > stock[time]) | ((rows[time] == stock[time]) & (_label(rows) > _label(stock)))
    result = stock.merge(
        rows,
        (stock["PRODUCT_ID"] == rows["PRODUCT_ID"])
        & (stock["WAREHOUSE_LOCATION"] == rows["WAREHOUSE_LOCATION"]),
        [
            F.when_matched(later | (rows["CURRENT_STOCK_LEVEL"] != F.lit(0))).update(
                {
                    "PRODUCT_NAME": F.iff(later, rows["PRODUCT_NAME"], stock["PRODUCT_NAME"]),
                    "PRODUCT_CATEGORY": F.iff(later, rows["PRODUCT_CATEGORY"], stock["PRODUCT_CATEGORY"]),
                    "CURRENT_STOCK_LEVEL": stock["CURRENT_STOCK_LEVEL"] + rows["CURRENT_STOCK_LEVEL"],
                    time: F.greatest(stock[time], rows[time]),
                    "UPDATED_AT": rows["UPDATED_AT"],
                }
            ),
            F.when_not_matched().insert({name: rows[name] for name in columns}),
        ],
    )
    return {"inserted": int(result.rows_inserted), "updated": int(result.rows_updated)}


def report(session: Session, counts: Counts) -> Counts:
    """Set the counts as the task's return value, for TASK_HISTORY, and return them.

    The work is done and committed by now. Called by hand, outside a task, there is no return value to set,
    and that is no failure. The value is a literal because the function takes a constant; names and numbers
    of ours need no quoting.
    """
    try:
        session.sql(f"CALL SYSTEM$SET_RETURN_VALUE('{json.dumps(counts)}')").collect()
    except SnowparkSQLException as error:
        log.debug("no task return value was set: %s", error)
    return counts


def _is_later(rows: DataFrame, target: DataFrame, time: str) -> Column:
    """Whether a row's version comes after its target's: by time, then by offset, partition and topic."""
    comparisons = [
        (rows[time], target[time]),
        (F.coalesce(rows["SOURCE_OFFSET"], F.lit(-1)), F.coalesce(target["SOURCE_OFFSET"], F.lit(-1))),
        (F.coalesce(rows["SOURCE_PARTITION"], F.lit(-1)), F.coalesce(target["SOURCE_PARTITION"], F.lit(-1))),
        (F.coalesce(rows["SOURCE_TOPIC"], F.lit("")), F.coalesce(target["SOURCE_TOPIC"], F.lit(""))),
    ]
    later = F.lit(False)
    for ours, theirs in reversed(comparisons):
        later = (ours > theirs) | ((ours == theirs) & later)
    return later


def _counts(result: Row, tables: list[str]) -> Counts:
    """How many rows went to each table, from the answer to an INSERT ALL."""
    # "number of rows inserted into STG_ORDERS": Snowflake promises neither these names nor an order. The sum,
    # on which the caller's check rests, needs neither.
    named = {_last_name(column): int(count) for column, count in result.as_dict().items()}
    if {_last_name(table) for table in tables} == set(named):
        return {table: named[_last_name(table)] for table in tables}
    return {table: int(count) for table, count in zip(tables, result, strict=True)}


def _last_name(text: str) -> str:
    """The table's own name at the end of a qualified one, or of a text that tells of it."""
    return text.replace('"', "").replace(".", " ").split()[-1]


def _label(stock: DataFrame) -> Column:
    return F.concat(
        F.coalesce(stock["PRODUCT_NAME"], F.lit("")),
        F.lit("/"),
        F.coalesce(stock["PRODUCT_CATEGORY"], F.lit("")),
    )
