"""Kafka to DuckDB by the shortest way: consumer, Arrow, INSERT of JSON. No offsets, no second chance.

ingest_bare.py BOOTSTRAP TOPIC PARTITIONS EVENTS DATABASE
"""

import json
import sys
import time

import duckdb
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition


def main(bootstrap: str, topic: str, partitions: int, events: int, database: str) -> None:
    duck = duckdb.connect(database)
    duck.execute('CREATE TABLE RAW ("partition" INT, "offset" BIGINT, CONTENT JSON)')
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bare", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    loaded = 0
    while loaded < events:
        messages = consumer.consume(50_000, 0.5)
        if not messages:
            continue
        # What is no JSON is kept as a JSON text: the column takes nothing else.
        batch = pa.table(
            {
                "partition": [message.partition() for message in messages],
                "offset": [message.offset() for message in messages],
                "payload": pa.array([message.value() or b"" for message in messages], pa.binary()),
            }
        )
        duck.register("batch", batch)
        duck.execute(
            'INSERT INTO RAW SELECT "partition", "offset",'
            " CASE WHEN json_valid(text) THEN text::JSON ELSE to_json(text) END"
            " FROM (SELECT *, coalesce(try(decode(payload)), to_base64(payload)) AS text FROM batch)"
        )
        loaded += len(messages)
    consumer.close()
    done_at = time.time()
    question = 'SELECT COUNT(*), COUNT(DISTINCT ("partition", "offset")) FROM RAW'
    rows, places = duck.execute(question).fetchone()
    print(json.dumps({"done_at": done_at, "rows": rows, "places": places}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
