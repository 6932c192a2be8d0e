"""Kafka to DuckDB by quixstreams: a BatchingSink that inserts an Arrow table for each batch.

ingest_quixstreams.py BOOTSTRAP TOPIC EVENTS DATABASE
"""

import json
import sys
import time

import duckdb
import pyarrow as pa
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch


class DuckSink(BatchingSink):
    def __init__(self, database: str) -> None:
        super().__init__()
        self._duck = duckdb.connect(database)
        self._duck.execute("CREATE TABLE RAW (PARTITION_ID INT, OFFSET_ID BIGINT, PAYLOAD VARCHAR)")

    def write(self, batch: SinkBatch) -> None:
        items = list(batch)
        rows = pa.table(
            {
                "partition": [batch.partition] * len(items),
                "offset": [item.offset for item in items],
                "payload": [(item.value or b"").decode("utf-8", "replace") for item in items],
            }
        )
        self._duck.register("rows", rows)
        self._duck.execute("INSERT INTO RAW SELECT * FROM rows")

    def found(self) -> tuple[int, int]:
        question = "SELECT COUNT(*), COUNT(DISTINCT (PARTITION_ID, OFFSET_ID)) FROM RAW"
        return self._duck.execute(question).fetchone()


def main(bootstrap: str, topic: str, events: int, database: str) -> None:
    application = Application(
        broker_address=bootstrap,
        consumer_group=f"quix-{time.time_ns()}",
        auto_offset_reset="earliest",
        commit_every=50_000,
        commit_interval=2.0,
        loglevel="WARNING",
    )
    sink = DuckSink(database)
    application.dataframe(
        application.topic(topic, value_deserializer="bytes", key_deserializer="bytes")
    ).sink(sink)
    application.run(count=events, timeout=120.0)
    done_at = time.time()
    rows, places = sink.found()
    print(json.dumps({"done_at": done_at, "rows": rows, "places": places}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
