"""Kafka to DuckDB by dlt: a resource that yields Arrow tables of messages, as its documentation advises.

ingest_dlt.py BOOTSTRAP TOPIC PARTITIONS EVENTS DATABASE FOLDER
"""

import json
import os
import sys
import time
from collections.abc import Iterator

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import duckdb
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition


def main(bootstrap: str, topic: str, partitions: int, events: int, database: str, folder: str) -> None:
    @dlt.resource(name="raw", write_disposition="append")
    def messages() -> Iterator[pa.Table]:
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "dlt", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        loaded = 0
        while loaded < events:
            batch = consumer.consume(50_000, 0.5)
            if batch:
                loaded += len(batch)
                yield pa.table(
                    {
                        "partition_id": [message.partition() for message in batch],
                        "offset_id": [message.offset() for message in batch],
                        "payload": [(message.value() or b"").decode("utf-8", "replace") for message in batch],
                    }
                )
        consumer.close()

    pipeline = dlt.pipeline(
        "bench", pipelines_dir=folder, destination=dlt.destinations.duckdb(database), dataset_name="bench"
    )
    pipeline.run(messages())
    done_at = time.time()
    rows, places = (
        duckdb.connect(database)
        .execute("SELECT COUNT(*), COUNT(DISTINCT (partition_id, offset_id)) FROM bench.raw")
        .fetchone()
    )
    print(json.dumps({"done_at": done_at, "rows": rows, "places": places}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6])
