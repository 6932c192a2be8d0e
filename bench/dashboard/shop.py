"""Two years of a large shop, twice: in a DuckDB file as one would make it, and in a local warehouse.

The warehouse gets the same rows in the same order, laid into its file while it rests: loading is measured
elsewhere. Its streams have nothing waiting then, as after a tick.
"""

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from bench.cellar import cellar
from caves_snowpark import names
from caves_snowpark.names import DEFAULT_DATABASE
from ingest.catalogue import LOCATIONS, catalogue

_SQL: Final = Path(__file__).with_name("shop.sql")
# What of a shop's orders RAW and STAGING still have; the older ones were purged.
_STAGED: Final = 10
_ORDERS_A_CUSTOMER: Final = 50
# As in the shop's simulation: three movements of stock to seven orders.
_MOVEMENTS: Final = 3 / 7
_TABLES: Final = (
    names.ORDERS,
    names.INVENTORY_HISTORY,
    names.INVENTORY_CURRENT,
    names.STG_ORDERS,
    names.STG_INVENTORY_ADJUSTMENTS,
    names.REJECTED_EVENTS,
    names.DUPLICATE_EVENTS,
    names.RAW_EVENTS,
    names.KAFKA_OFFSETS,
    names.ALERT_LOG,
)


def build(file: Path, orders: int) -> None:
    """Make the DuckDB file of a shop with so many orders."""
    duck = duckdb.connect(str(file))
    try:
        duck.execute("SET TimeZone = 'UTC'")
        for name, table in (("catalogue", _catalogue()), ("location", _locations())):
            duck.register("given", table)
            duck.execute(f"CREATE TEMP TABLE {name} AS FROM given")
        counts = {
            "orders": orders,
            "movements": round(orders * _MOVEMENTS),
            "staged": orders // _STAGED,
            "customers": max(100, orders // _ORDERS_A_CUSTOMER),
        }
        for name, count in counts.items():
            duck.execute(f"SET VARIABLE {name} = {count}")
        duck.execute(_SQL.read_text(encoding="utf-8"))
    finally:
        duck.close()


def _catalogue() -> pa.Table:
    bottles = catalogue()
    return pa.table(
        {
            "place": range(len(bottles)),
            "product_id": [bottle.product_id for bottle in bottles],
            "name": [bottle.name for bottle in bottles],
            "category": [bottle.category for bottle in bottles],
            "unit_cents": [bottle.unit_cents for bottle in bottles],
            "bottle_size_l": pa.array([bottle.bottle_size_l for bottle in bottles]).cast(pa.decimal128(6, 3)),
        }
    )


def _locations() -> pa.Table:
    return pa.table({"place": range(len(LOCATIONS)), "name": LOCATIONS})


def prepare(file: Path, folder: Path) -> None:
    """Deploy a warehouse in a folder, and give it the rows of a shop's file."""
    with cellar(folder) as deployed:
        deployed.deploy()
    lay(file, folder, DEFAULT_DATABASE)


def lay(file: Path, folder: Path, database: str) -> None:
    """Give the rows of a shop's file to a warehouse that is deployed and has ended."""
    duck = duckdb.connect()
    try:
        duck.execute("SET TimeZone = 'UTC'")
        # Rows of this transaction wait in no stream.
        duck.execute("SET VARIABLE snowcellar_tx = 0")
        duck.execute(f"ATTACH '{file}' AS shop (READ_ONLY)")
        duck.execute(f"ATTACH '{folder / 'cellar.duckdb.d' / database}.db' AS {database}")
        for table in _TABLES:
            source = f"shop.{table.rpartition('.')[2].lower()}"
            duck.execute(f"INSERT INTO {database}.{table} BY NAME FROM {source}")
    finally:
        duck.close()
