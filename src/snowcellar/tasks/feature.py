"""What the warehouse loads for tasks: their statements and functions, their tables, their clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowcellar.tasks import (
    alterations,
    functions,
    graph_functions,
    history,
    history_function,
    listing,
    registry,
    statements,
)
from snowcellar.tasks.scheduler import Scheduler

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

STATEMENTS = [*statements.STATEMENTS, *alterations.STATEMENTS, *listing.STATEMENTS]
SYSTEM_FUNCTIONS = functions.SYSTEM_FUNCTIONS
TABLE_FUNCTIONS = {**history_function.TABLE_FUNCTIONS, **graph_functions.TABLE_FUNCTIONS}
CATALOG_DDL = registry.CATALOG_DDL + history.CATALOG_DDL


def on_attach(warehouse: Warehouse, database: str) -> None:
    """Take up a database's tasks: those that were started go on, a run that was cut off has failed."""
    warehouse.tasks.history.recover(database)
    warehouse.tasks.load(warehouse, database)


def on_drop(warehouse: Warehouse, database: str) -> None:
    """Forget a database's tasks and stop those that run."""
    warehouse.tasks.forget(database)
    if warehouse.tasks.scheduler is not None:
        warehouse.tasks.scheduler.stop_database(database)


def on_drop_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Forget a schema's tasks."""
    warehouse.tasks.drop_schema(warehouse, database, schema)


def start(warehouse: Warehouse) -> None:
    """Start the clock."""
    warehouse.tasks.scheduler = Scheduler(warehouse, warehouse.tasks.history)
    warehouse.tasks.scheduler.start()


def stop(warehouse: Warehouse) -> None:
    """Stop the clock and the runs."""
    if warehouse.tasks.scheduler is not None:
        warehouse.tasks.scheduler.stop()
        warehouse.tasks.scheduler = None
