"""Kafka to the same warehouse a row at a time: kafka-python, pandas, an INSERT for each row by the connector.

ingest_rows.py BOOTSTRAP TOPIC EVENTS CONNECTION_AS_JSON TABLE
"""

import json
import sys
import time

import pandas as pd
import snowflake.connector
from kafka import KafkaConsumer


def main(bootstrap: str, topic: str, events: int, connection: str, table: str) -> None:
    warehouse = snowflake.connector.connect(**json.loads(connection))
    cursor = warehouse.cursor()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    loaded = 0
    insert = f"INSERT INTO {table} (PARTITION_ID, OFFSET_ID, CONTENT) SELECT %s, %s, %s"
    while loaded < events:
        polled = consumer.poll(timeout_ms=500, max_records=min(500, events - loaded))
        frame = pd.DataFrame(
            [
                {"partition": record.partition, "offset": record.offset, "payload": record.value or b""}
                for records in polled.values()
                for record in records
            ]
        )
        for row in frame.itertuples():
            cursor.execute(insert, (row.partition, row.offset, row.payload.decode("utf-8", "replace")))
        loaded += len(frame)
    consumer.close()
    done_at = time.time()
    rows, places = cursor.execute(
        f"SELECT COUNT(*), COUNT(DISTINCT PARTITION_ID || '/' || OFFSET_ID) FROM {table}"
    ).fetchone()
    print(json.dumps({"done_at": done_at, "rows": rows, "places": places}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
