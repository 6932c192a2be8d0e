"""The pipeline as one would write it by hand for DuckDB: the same work, in the statements beside this."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb

from bench.outcome import Outcome
from ingest.batch import Batch

_SQL: Final = Path(__file__).parent
# As the ingestor does: an object as JSON, anything else (one with a key twice too) as a JSON text.
_LOAD: Final = """
INSERT INTO {table} (event_metadata, event_content)
SELECT json_object('topic', topic, 'partition', kafka_partition, 'offset', kafka_offset, 'key', message_key,
        'timestamp_ms', timestamp_ms, 'encoding', payload_encoding),
    CASE WHEN json_valid(payload) AND payload LIKE '{%'
            AND len(json_keys(payload)) = len(list_distinct(json_keys(payload))) THEN payload::JSON
        ELSE to_json(coalesce(payload, '')) END
FROM batch
"""
_COUNTED: Final = {
    "staged_orders": "stg_orders",
    "staged_adjustments": "stg_adjustments",
    "rejected": "rejected_events",
    "duplicates": "duplicate_events",
    "orders": "orders",
    "history": "inventory_history",
}


class ByHand:
    """A DuckDB file with the tables of the pipeline."""

    def __init__(self, file: Path) -> None:
        fresh = not file.exists()
        self.duck = duckdb.connect(str(file))
        if fresh:
            self.run("schema")

    def run(self, name: str) -> None:
        self.duck.execute((_SQL / f"{name}.sql").read_text(encoding="utf-8"))

    def ingest(self, batches: Iterable[Batch], table: str = "raw_events") -> None:
        for batch in batches:
            self.duck.register("batch", batch.table)
            self.duck.execute(_LOAD.replace("{table}", table))
            self.duck.unregister("batch")

    def hold_back(self, batches: Iterable[Batch]) -> None:
        """Have events ready in the table `waiting`, where no tick sees them."""
        self.duck.execute(
            "CREATE TABLE waiting AS SELECT event_metadata, event_content FROM raw_events LIMIT 0"
        )
        self.ingest(batches, "waiting")

    def tick(self) -> None:
        self.duck.execute("BEGIN")
        for name in ("classified", "staged", "production"):
            self.run(name)
        self.duck.execute("COMMIT")

    def outcome(self) -> Outcome:
        counts = {what: self._one(f"SELECT count(*) FROM {table}") for what, table in _COUNTED.items()}
        levels = "SELECT product_id, warehouse_location, stock FROM inventory_current"
        stock = self.duck.execute(levels).fetchall()
        return Outcome(
            **counts,
            revenue_cents=self._one("SELECT (sum(total_amount) * 100)::BIGINT FROM orders"),
            stock={(product, place): level for product, place, level in stock},
        )

    def _one(self, query: str) -> int:
        return int(self.duck.execute(query).fetchall()[0][0] or 0)

    def close(self) -> None:
        self.duck.close()


def copy_of(prepared: Path, file: Path) -> ByHand:
    shutil.copyfile(prepared, file)
    return ByHand(file)
