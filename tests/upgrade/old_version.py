"""Version 0.1 as it was: its deployment by the snow CLI, and the statements by which its ingestor loaded."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition
from snowflake.connector import SnowflakeConnection

from caves_cli import snow
from caves_cli.connection import Target

FOLDER: Final = Path(__file__).parents[1] / "fixtures" / "version_0_1"
_BATCH: Final = 100
_LOAD: Final = """
INSERT INTO RAW_DATA.RAW_EVENTS_STREAM (EVENT_TYPE, PRODUCT_ID, CUSTOMER_ID, EVENT_METADATA, EVENT_CONTENT)
SELECT
    PARSE_JSON($5):event_type::VARCHAR,
    TRY_TO_NUMBER(PARSE_JSON($5):product_id::VARCHAR),
    TRY_TO_NUMBER(PARSE_JSON($5):customer_id::VARCHAR),
    OBJECT_CONSTRUCT('topic', $1, 'partition', $2, 'offset', $3, 'timestamp_ms', $4),
    PARSE_JSON($5)
FROM VALUES {rows}
"""


def deploy(target: Target) -> None:
    """As `caves deploy` of version 0.1 did: no roles, and as whoever the connection is."""
    files = sorted(path.relative_to(FOLDER) for path in (FOLDER / "deploy").glob("[0-9]*.sql"))
    tables = [part for file in files if file.name < "070" for part in ("-f", str(file))]
    graph = [part for file in files if file.name >= "070" for part in ("-f", str(file))]
    assert target.config_file is not None
    start = ("--config-file", str(target.config_file.absolute()))
    for arguments in (
        ("sql", "-c", target.name, *tables),
        ("snowpark", "build", "--ignore-anaconda", "-c", target.name),
        ("snowpark", "deploy", "--replace", "-c", target.name),
        ("sql", "-c", target.name, *graph),
    ):
        answer = snow.run((*start, *arguments), folder=FOLDER, environment=target.environment)
        assert answer.code == 0, answer.reason


class Ingestor:
    """Loads small batches until it is stopped: rows and offset in one transaction, as version 0.1 did."""

    def __init__(self, session: SnowflakeConnection, bootstrap: str, topic: str, partitions: int) -> None:
        self._session = session
        self._topic = topic
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "old"})
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.rows = 0
        self.failure: Exception | None = None

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                messages = [m for m in self._consumer.consume(_BATCH, timeout=0.2) if m.error() is None]
                by_partition: dict[int, list[Any]] = {}
                for message in messages:
                    by_partition.setdefault(message.partition() or 0, []).append(message)
                for partition, found in by_partition.items():
                    self._load(partition, found)
        except Exception as error:
            self.failure = error
        finally:
            self._consumer.close()

    def _load(self, partition: int, messages: list[Any]) -> None:
        values = [
            value
            for message in messages
            for value in (self._topic, partition, message.offset(), message.timestamp()[1], _text(message))
        ]
        end = messages[-1].offset() + 1
        with self._session.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(_LOAD.format(rows=", ".join(["(%s, %s, %s, %s, %s)"] * len(messages))), values)
            cursor.execute(
                "MERGE INTO RAW_DATA.KAFKA_OFFSETS AS STORED"
                " USING (SELECT %s AS TOPIC, %s AS PARTITION, %s AS NEXT_OFFSET) AS SEEN"
                " ON STORED.TOPIC = SEEN.TOPIC AND STORED.PARTITION = SEEN.PARTITION"
                " WHEN MATCHED THEN UPDATE SET NEXT_OFFSET = SEEN.NEXT_OFFSET, UPDATED_AT = SYSDATE()"
                " WHEN NOT MATCHED THEN INSERT (TOPIC, PARTITION, NEXT_OFFSET, FIRST_OFFSET, UPDATED_AT)"
                " VALUES (SEEN.TOPIC, SEEN.PARTITION, SEEN.NEXT_OFFSET, 0, SYSDATE())",
                (self._topic, partition, end),
            )
            cursor.execute("COMMIT")
        self.rows += len(messages)

    @contextmanager
    def running(self) -> Iterator["Ingestor"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(60)


def _text(message: Any) -> str:
    """The payload as JSON; the events of the test's producer are all valid UTF-8."""
    text: str = message.value().decode()
    json.loads(text)
    return text
