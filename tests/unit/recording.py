"""A Snowpark session that is connected to nothing: it keeps the statements that would go to Snowflake."""

import re
from typing import Any
from unittest.mock import MagicMock

from snowflake.connector import SnowflakeConnection
from snowflake.connector.constants import FIELD_NAME_TO_ID
from snowflake.connector.cursor import ResultMetadataV2
from snowflake.snowpark import Session
from snowflake.snowpark._internal.analyzer.expression import Attribute
from snowflake.snowpark._internal.server_connection import ServerConnection
from snowflake.snowpark.types import StringType, StructType, VariantType
from sqlglot import exp, parse_one

from caves_snowpark import names, schemas


class RecordingConnection(ServerConnection):
    """Answers every statement but one with the same row, every describe from the project's own schemas."""

    def __init__(self, answer: tuple[Any, ...]) -> None:
        connection = MagicMock(spec=SnowflakeConnection)
        connection._session_parameters = {}
        connection._telemetry = None
        connection.is_closed.return_value = False
        self.answer = answer
        self.statements: list[str] = []
        self.described: list[str] = []
        super().__init__({}, connection)

    def run_query(self, query: str, *_: Any, **__: Any) -> dict[str, Any]:
        self.statements.append(query)
        # Nobody was erased: of that question only the number of rows comes back.
        asks_for_erasures = f"FROM {names.ERASURE_KEY}" in query
        rows = [("rows", str(self.answer[0]))] if asks_for_erasures else [self.answer]
        described: list[ResultMetadataV2] = []
        if query.startswith("INSERT ALL "):
            # A number for each table.
            described = [_count_of(table) for table in re.findall(r" THEN INTO (\S+) ", query)]
            rows = [(self.answer[0],) * len(described)]
        cursor: Any = self._cursor
        cursor._description_internal = described
        return {"data": rows, "sfqid": "none"}

    def get_result_attributes(self, query: str, *_: Any, **__: Any) -> list[Attribute]:
        self.described.append(query)
        return _attributes(parse_one(query, read="snowflake"))


def _count_of(table: str) -> ResultMetadataV2:
    name = f"number of rows inserted into {table.rpartition('.')[2]}"
    return ResultMetadataV2(name=name, type_code=FIELD_NAME_TO_ID["FIXED"], is_nullable=False)


def _attributes(query: exp.Expr) -> list[Attribute]:
    assert isinstance(query, exp.Query)
    if query.named_selects != ["*"]:
        return [Attribute(f'"{name}"', StringType()) for name in query.named_selects]
    source = query.args["from_"].this
    if isinstance(source, exp.Subquery):
        return _attributes(source.this)
    return _table_attributes(f"{source.db}.{source.name}")


def _table_attributes(name: str) -> list[Attribute]:
    schema: StructType = schemas.TABLES[names.STREAM_SOURCES.get(name, name)]
    attributes = [Attribute(f'"{field.name}"', field.datatype, field.nullable) for field in schema.fields]
    if name in names.STREAMS:
        attributes += [
            Attribute('"METADATA$ACTION"', StringType()),
            Attribute('"METADATA$ISUPDATE"', VariantType()),
        ]
    return attributes


def recording_session(answer: tuple[Any, ...] = (0, 0, 0)) -> tuple[Session, RecordingConnection]:
    connection = RecordingConnection(answer)
    return Session(connection), connection
