"""The project's warehouse in Snowpark local testing: its tables, its streams, transactions that roll back.

Local testing has no `session.sql`, no DataFrame queries, no transaction and no stream; a test that runs a
procedure needs all four, and gets here the little of each that the library uses.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from snowflake.snowpark import DataFrame, Row, Session
from snowflake.snowpark import functions as F
from snowflake.snowpark._internal.analyzer.snowflake_plan_node import SaveMode
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.mock import ColumnEmulator, ColumnType, TableEmulator, _plan
from snowflake.snowpark.types import BooleanType, StringType

from caves_snowpark import names, schemas
from tests.events import Message, message, raw_row
from tests.unit import emulator

CONSUMED: dict[str, str] = {
    names.DISTRIBUTE_RAW_EVENTS: names.STREAM_RAW_EVENTS,
    names.MERGE_ORDERS: names.STREAM_STG_ORDERS,
    names.APPEND_INVENTORY_HISTORY: names.STREAM_STG_INVENTORY_FOR_HISTORY,
    names.MERGE_INVENTORY_CURRENT: names.STREAM_STG_INVENTORY_FOR_CURRENT,
}

# What the environment's settings would be.
DAYS: dict[str, int | None] = {
    "RAW": 30,
    "STAGING": 60,
    "ORDERS": None,
    "LOGS": 365,
    "FILES": 90,
    "KAFKA": 7,
}


_BRANCH = re.compile(r"WHEN DESTINATION = '(\S+)' THEN INTO (\S+) \(([^)]+)\) VALUES \(([^)]+)\)")


class LocalWarehouse:
    """The project's tables; `run` gives a procedure its stream and moves the stream's offset."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        connection: Any = session._conn
        self.session = session
        self._registry = connection.entity_registry
        self._tables: dict[str, TableEmulator] = self._registry.table_registry
        self.statements: list[str] = []
        self.in_task = False
        self.return_value: str | None = None
        self.failing: str | None = None
        self._saved: dict[str, TableEmulator] | None = None
        self._queries: list[DataFrame] = []
        self._offsets = dict.fromkeys(names.STREAMS, 0)
        self.files: list[tuple[str, int, str, str]] = []
        for table, schema in schemas.TABLES.items():
            session.create_dataframe([], schema=schema).write.save_as_table(table)
        for stream in names.STREAMS:
            self._show_pending(stream)
        for layer, days in DAYS.items():
            self.insert(
                names.RETENTION, {"LAYER": layer, "KEPT_DAYS": days, "MEANING": "", "FORGOTTEN_ROWS": 0}
            )
        self._provide_sql(monkeypatch)

    def ingest(self, *events: Any) -> None:
        """Append raw rows for messages, or for events at the next offsets of partition 0."""
        start = len(self._tables[_full(names.RAW_EVENTS)])
        messages = [
            event if isinstance(event, Message) else message(event, offset)
            for offset, event in enumerate(events, start)
        ]
        self.insert(names.RAW_EVENTS, *(raw_row(each) for each in messages))

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Append rows to a table, by column name."""
        schema = schemas.TABLES[table]
        values = [tuple(row.get(name) for name in schemas.columns(schema)) for row in rows]
        self.session.create_dataframe(values, schema=schema).write.insert_into(table)

    def run(self, procedure: ModuleType, *arguments: Any) -> dict[str, Any]:
        """CALL a procedure; if it does not fail, its stream moves on."""
        for stream in names.STREAMS:
            self._show_pending(stream)
        before = {table: self.count(table) for table in names.STREAM_SOURCES.values()}
        result: dict[str, Any] = procedure.main(self.session, *arguments)
        for stream, source in names.STREAM_SOURCES.items():
            # What a purge deletes was consumed; a test that deletes other rows sees them missing.
            self._offsets[stream] -= max(0, before[source] - self.count(source))
        consumed = CONSUMED.get(f"{names.OPS}.{procedure.__name__.split('.')[-1].upper()}")
        if consumed:
            self._offsets[consumed] = len(self._tables[_full(names.STREAM_SOURCES[consumed])])
        return result

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of a table (some columns of it), sorted by their text."""
        frame = self.session.table(table)
        rows = (frame.select(*columns) if columns else frame).collect()
        return sorted((tuple(row) for row in rows), key=repr)

    def count(self, table: str) -> int:
        return len(self._tables[_full(table)])

    def execute(self, statement: str) -> list[Row]:
        self.statements.append(statement)
        if self.failing and statement.startswith(self.failing):
            raise SnowparkSQLException(f"made to fail: {statement}")
        if statement == "BEGIN":
            self._saved = copy.deepcopy(self._tables)
            return []
        if statement in ("COMMIT", "ROLLBACK"):
            if statement == "ROLLBACK" and self._saved is not None:
                self._tables.clear()
                self._tables.update(self._saved)
            self._saved = None
            return []
        if value := re.fullmatch(r"CALL SYSTEM\$SET_RETURN_VALUE\('([^']*)'\)", statement):
            if not self.in_task:
                raise SnowparkSQLException("This function is only supported within a task.")
            self.return_value = value[1]
            return []
        if inserted := re.fullmatch(r"INSERT INTO (\S+) \((.+)\) <query (\d+)>", statement):
            table, columns, number = inserted.groups()
            return self._insert(self._queries[int(number)], table, columns.split(", "))
        if inserted := re.fullmatch(r"INSERT ALL (.+) SELECT \* FROM \(<query (\d+)>\)", statement):
            return [self._insert_each(inserted[1], self._queries[int(inserted[2])])]
        if statement.startswith("LIST @RAW_DATA.INGEST_STAGE/refused/"):
            return [Row(*file) for file in self.files]
        if removed := re.fullmatch(r"REMOVE @RAW_DATA.INGEST_STAGE/(\S+)", statement):
            self.files = [file for file in self.files if file[0] != f"ingest_stage/{removed[1]}"]
            return []
        raise NotImplementedError(statement)

    def _insert(self, rows: DataFrame, table: str, columns: list[str]) -> list[Row]:
        return self._append(_computed(rows), table, columns)

    def _append(self, inserted: Any, table: str, columns: list[str]) -> list[Row]:
        assert [name.strip('"') for name in inserted.columns] == columns, table
        for field in schemas.TABLES[table].fields:
            if not field.nullable and inserted[f'"{field.name}"'].isna().any():
                raise SnowparkSQLException(
                    f"100072 (22000): NULL result in a non-nullable column {field.name}"
                )
        count = len(inserted)
        if count:
            self._registry.write_table(table, inserted, SaveMode.APPEND)
        return [Row(count)]

    def _insert_each(self, branches: str, rows: DataFrame) -> Row:
        found = []
        for name, table, columns, values in _BRANCH.findall(branches):
            assert name == table
            pairs = list(zip(columns.split(", "), values.split(", "), strict=True))
            types = {field.name: field.datatype for field in schemas.TABLES[table].fields}
            filled = [
                (F.lit(None).cast(types[column]) if value == "NULL" else F.col(value)).alias(column)
                for column, value in pairs
            ]
            chosen = rows.filter(F.col("DESTINATION") == F.lit(table)).select(*filled)
            found.append((_computed(chosen), table, list(types)))
        # All of it is seen before any of it is written.
        counts = {
            f"number of rows inserted into {table.split('.')[1]}": self._append(inserted, table, columns)[0][
                0
            ]
            for inserted, table, columns in found
        }
        # In another order than the statement's: none is promised.
        return Row(**dict(sorted(counts.items())))

    def _provide_sql(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give this session `sql`, and its DataFrames `queries`; sessions of other engines keep their own."""
        real_sql, real_queries = Session.sql, DataFrame.queries

        def sql(session: Session, query: str, *args: Any, **options: Any) -> Any:
            if session is self.session:
                return _Statement(self, query)
            return real_sql(session, query, *args, **options)

        def queries(rows: DataFrame) -> Any:
            if rows.session is not self.session:
                return real_queries.__get__(rows)
            self._queries.append(rows)
            return {"queries": [f"<query {len(self._queries) - 1}>"], "post_actions": []}

        monkeypatch.setattr(Session, "sql", sql)
        monkeypatch.setattr(DataFrame, "queries", property(queries))

    def _show_pending(self, stream: str) -> None:
        source = self._tables[_full(names.STREAM_SOURCES[stream])]
        pending = copy.deepcopy(source).iloc[self._offsets[stream] :].reset_index(drop=True)
        changes = TableEmulator(pending, sf_types=dict(source.sf_types))
        metadata = {"METADATA$ACTION": ("INSERT", StringType()), "METADATA$ISUPDATE": (False, BooleanType())}
        for name, (value, datatype) in metadata.items():
            column = ColumnEmulator([value] * len(pending), dtype=object)
            column.sf_type = ColumnType(datatype, False)
            changes[f'"{name}"'] = column
            changes.sf_types[f'"{name}"'] = column.sf_type
        changes.sf_types_by_col_index = dict(enumerate(changes.sf_types.values()))
        self._tables[_full(stream)] = changes


@contextmanager
def local_session() -> Iterator[Session]:
    """A session of Snowpark local testing, mended."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        emulator.mend_expressions(monkeypatch)
        with Session.builder.config("local_testing", True).create() as session:
            yield session


@contextmanager
def local_warehouse() -> Iterator[LocalWarehouse]:
    """The project's warehouse in a session of its own."""
    with local_session() as session, pytest.MonkeyPatch.context() as monkeypatch:
        yield LocalWarehouse(session, monkeypatch)


class _Statement:
    def __init__(self, warehouse: LocalWarehouse, statement: str) -> None:
        self._warehouse, self._statement = warehouse, statement

    def collect(self) -> list[Row]:
        return self._warehouse.execute(self._statement)


def _computed(rows: DataFrame) -> Any:
    plan: Any = rows._plan
    return _plan.execute_mock_plan(plan)


def _full(name: str) -> str:
    schema, table = name.split(".")
    return f'"MOCK_DATABASE"."{schema}"."{table}"'
