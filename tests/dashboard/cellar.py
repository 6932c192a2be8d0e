"""A served warehouse with the tables and the known shop in them; no task has run but one that fails."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dashboard import shop
from tests.engines.engine import Snowcellar

# Nothing here takes longer on two busy cores; past it, something hangs.
PATIENCE_SECONDS = 60.0
# The tables, and neither views nor alerts.
TABLES = ("010_foundation", "020_raw", "030_staging", "040_production", "050_streams", "060_ingest")


@contextmanager
def known_shop(folder: Path) -> Iterator[Snowcellar]:
    with Snowcellar.serve(folder) as engine:
        engine.deploy("085_alert_log")
        shop.load(engine.session, shop.orders(), shop.movements())
        shop.load_troubles(engine.session)
        _fail_a_task(engine)
        yield engine


def _fail_a_task(engine: Snowcellar) -> None:
    engine.deploy("015_access")  # tasks belong to a role that must reach their schema
    task = "CREATE TASK OPS.TASK_THAT_FAILS WAREHOUSE = COMPUTE_WH SCHEDULE = '60 MINUTE' AS SELECT 1 / 0"
    engine.session.sql(task).collect()
    engine.session.sql("EXECUTE TASK OPS.TASK_THAT_FAILS").collect()
    history = "SELECT STATE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE STATE = 'FAILED'"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not engine.session.sql(history).collect():
        assert time.monotonic() < deadline, "the task has not run"
        time.sleep(0.1)
