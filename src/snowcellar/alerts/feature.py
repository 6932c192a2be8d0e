"""What the warehouse loads for alerts: their statements and functions, their tables, their clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowcellar.alerts import alterations, history, history_function, listing, registry, statements
from snowcellar.alerts.scheduler import Scheduler

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

STATEMENTS = [*statements.STATEMENTS, *alterations.STATEMENTS, *listing.STATEMENTS]
TABLE_FUNCTIONS = history_function.TABLE_FUNCTIONS
CATALOG_DDL = registry.CATALOG_DDL + history.CATALOG_DDL


def on_attach(warehouse: Warehouse, database: str) -> None:
    """Take up a database's alerts: those that were started go on, a run that was cut off has failed."""
    warehouse.alerts.history.recover(database)
    warehouse.alerts.load(warehouse, database)


def on_drop(warehouse: Warehouse, database: str) -> None:
    """Forget a database's alerts and stop those that run."""
    warehouse.alerts.forget(database)
    if warehouse.alerts.scheduler is not None:
        warehouse.alerts.scheduler.stop_database(database)


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Forget a schema's alerts."""
    warehouse.alerts.drop_schema(warehouse, database, schema)


def start(warehouse: Warehouse) -> None:
    """Start the clock."""
    warehouse.alerts.scheduler = Scheduler(warehouse)
    warehouse.alerts.scheduler.start()


def stop(warehouse: Warehouse) -> None:
    """Stop the clock and the runs."""
    if warehouse.alerts.scheduler is not None:
        warehouse.alerts.scheduler.stop()
        warehouse.alerts.scheduler = None
