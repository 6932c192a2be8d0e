"""Queries on staged Parquet files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from tests.warehouse.conftest import Query

Stage = Callable[[str, dict[str, list[Any]]], None]


@pytest.fixture
def stage(session: Session, query: Query) -> Stage:
    """Puts a Parquet file on the stage FILES; the file format PARQUET reads it."""
    query("CREATE STAGE FILES")
    query("CREATE FILE FORMAT PARQUET_FILES TYPE = PARQUET")
    folder: Path = session.warehouse.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "FILES"

    def put(name: str, columns: dict[str, list[Any]]) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / name)

    return put


def test_columns_are_read_by_name_and_type(stage: Stage, query: Query) -> None:
    stage("in/a.parquet", {"key": [1, 2], "value": ['{"a": 1}', None]})
    stage("in/b.parquet", {"key": [3], "value": ["{"]})
    query("CREATE TABLE T (K NUMBER(38, 0), V VARIANT, CAME TIMESTAMP_LTZ DEFAULT CURRENT_TIMESTAMP())")
    query("CREATE STREAM S ON TABLE T APPEND_ONLY = TRUE")
    query(
        "INSERT INTO T (K, V) SELECT $1:key::NUMBER(38, 0), TRY_PARSE_JSON($1:value::VARCHAR) "
        "FROM @FILES/in (FILE_FORMAT => PARQUET_FILES)"
    )
    assert query("SELECT K, V:a::NUMBER AS A FROM S ORDER BY K") == [
        {"K": 1, "A": 1},
        {"K": 2, "A": None},
        {"K": 3, "A": None},
    ]
    assert query("SELECT COUNT(*) AS N FROM T WHERE CAME IS NULL") == [{"N": 0}]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT $1:key::NUMBER FROM @FILES/none (FILE_FORMAT => PARQUET_FILES)", "was not found"),
        ("SELECT $1:key::NUMBER FROM @NOWHERE (FILE_FORMAT => PARQUET_FILES)", "does not exist"),
        ("SELECT $1:key::NUMBER FROM @FILES/in (FILE_FORMAT => NOWHERE)", "does not exist"),
        ("SELECT $1:other::NUMBER FROM @FILES/in (FILE_FORMAT => PARQUET_FILES)", "invalid identifier"),
        ("SELECT $1:key::NUMBER FROM @FILES/../in (FILE_FORMAT => PARQUET_FILES)", "was not found"),
    ],
)
def test_what_cannot_be_read_is_told(stage: Stage, query: Query, statement: str, message: str) -> None:
    stage("in/a.parquet", {"key": [1]})
    with pytest.raises(WarehouseError, match=message):
        query(statement)


def test_a_file_that_comes_later_is_read_by_the_same_text(stage: Stage, query: Query) -> None:
    """The translation that is kept must not keep the list of files."""
    statement = "SELECT SUM($1:key::NUMBER) AS S FROM @FILES/in (FILE_FORMAT => PARQUET_FILES)"
    stage("in/a.parquet", {"key": [1]})
    assert query(statement) == [{"S": 1}]
    stage("in/b.parquet", {"key": [2]})
    assert query(statement) == [{"S": 3}]
