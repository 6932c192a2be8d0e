"""Staged files: read in place, loaded by COPY INTO with its options, unloaded, listed and removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query, rows_of

CSV = "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"
Write = Callable[[str, str], None]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def session(warehouse: Warehouse) -> Query:
    """One session for all tests of this module."""
    run = rows_of(warehouse.open_session())
    run("CREATE DATABASE CELLAR_DB")
    for kind in ("CSV", "JSON", "PARQUET"):
        run(f"CREATE FILE FORMAT F_{kind} TYPE = {kind}")
    return run


@pytest.fixture
def query(session: Query) -> Query:
    """With an empty stage and an empty table."""
    session(f"CREATE OR REPLACE STAGE FILES {CSV}")
    session("CREATE OR REPLACE TABLE WINES (ID INT, NAME VARCHAR, PRICE NUMBER(10, 2))")
    return session


@pytest.fixture
def folder(query: Query, warehouse: Warehouse) -> Path:
    """Where the stage's files lie."""
    place = warehouse.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "FILES"
    (place / "in").mkdir(parents=True, exist_ok=True)
    (place / "in" / "a.csv").write_text('ID,NAME,PRICE\n1,Gamay,9.50\n2,"Syrah, rouge",\n', encoding="utf-8")
    (place / "in" / "a.json").write_text(
        '{"id": 1, "name": "Gamay", "kept": [1]}\n{"id": 2}\n', encoding="utf-8"
    )
    return place


def values(query: Query, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(statement)]


def test_rows_of_staged_files_are_read_in_place(query: Query, folder: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "Name": ["Gamay", None]}), folder / "in" / "a.parquet")
    assert values(query, "SELECT $1, T.$2, $3 FROM @FILES/in/a.csv T ORDER BY 1") == [
        ("1", "Gamay", "9.50"), ("2", "Syrah, rouge", None)
    ]  # fmt: skip
    for kind in ("JSON", "PARQUET"):
        file = f"a.{kind.lower()}"
        statement = f"SELECT $1:id::INT, METADATA$FILENAME FROM @FILES/in/{file} (FILE_FORMAT => 'F_{kind}')"
        assert sorted(values(query, statement)) == [(1, f"in/{file}"), (2, f"in/{file}")]
    assert values(
        query, "SELECT $1 FROM @FILES (FILE_FORMAT => F_PARQUET, PATTERN => '.*[.]parquet') WHERE $1:id = 1"
    ) == [('{"id":1,"Name":"Gamay"}',)]
    with pytest.raises(WarehouseError, match="was not found"):
        query("SELECT $1 FROM @FILES/nothing")


def test_csv_is_loaded_as_the_stage_says_once(query: Query, folder: Path) -> None:
    copy = "COPY INTO WINES FROM @FILES/in/ FILES = ('a.csv')"
    (row,) = query(copy)
    assert (row["file"], row["status"], row["rows_loaded"]) == ("files/in/a.csv", "LOADED", 2)
    assert query(copy)[0]["status"] == "LOAD_SKIPPED"
    (folder / "in" / "a.csv").write_text("ID,NAME,PRICE\n3,Merlot,1\n", encoding="utf-8")
    assert query(copy)[0]["rows_loaded"] == 1, "another content"
    query("TRUNCATE TABLE WINES")
    assert query(copy)[0]["rows_loaded"] == 1, "truncating forgets what was loaded"
    history = (
        "TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'WINES', START_TIME => CURRENT_TIMESTAMP()))"
    )
    assert values(query, f"SELECT STATUS, ROW_COUNT FROM {history}") == [("Loaded", 1)]
    query("CREATE OR REPLACE TABLE WINES (ID INT, NAME VARCHAR, PRICE NUMBER(10, 2))")
    assert query(copy)[0]["rows_loaded"] == 1, "another table of the same name has loaded nothing"


@pytest.mark.parametrize(
    ("on_error", "status", "loaded"),
    [
        ("CONTINUE", "PARTIALLY_LOADED", 2),
        ("SKIP_FILE", "LOAD_FAILED", 0),
        ("SKIP_FILE_1", "LOAD_FAILED", 0),
        ("SKIP_FILE_2", "PARTIALLY_LOADED", 2),
        ("'SKIP_FILE_30%'", "LOAD_FAILED", 0),
        ("'SKIP_FILE_40%'", "PARTIALLY_LOADED", 2),
    ],
)
@pytest.mark.parametrize("transformed", [False, True])
def test_on_error_decides_about_rows_that_are_wrong(
    query: Query, folder: Path, on_error: str, status: str, loaded: int, transformed: bool
) -> None:
    (folder / "bad.csv").write_text("ID,NAME,PRICE\n1,a,1\nx,b,2\n3,c,3\n", encoding="utf-8")
    source = "(SELECT $1::INT, UPPER($2), $3 FROM @FILES/bad.csv)" if transformed else "@FILES/bad.csv"
    (row,) = query(f"COPY INTO WINES FROM {source} ON_ERROR = {on_error}")
    assert (row["status"], row["rows_parsed"], row["rows_loaded"], row["errors_seen"]) == (
        status,
        3,
        loaded,
        1,
    )
    assert transformed or row["first_error"] == "Numeric value 'x' is not recognized"
    assert row["first_error_line"] == 2
    assert values(query, "SELECT COUNT(*) FROM WINES") == [(loaded,)]


@pytest.mark.parametrize(
    ("line", "says", "errno"),
    [
        ("x,a,1", "Numeric value 'x' is not recognized", 100038),
        ("1,a,1,2", r"Number of columns in file \(4\) does not match .* table \(3\)", 100080),
        ("1,a", r"Number of columns in file \(2\) does not match .* table \(3\)", 100080),
    ],
)
def test_a_wrong_file_stops_the_statement_and_nothing_is_loaded(
    query: Query, folder: Path, line: str, says: str, errno: int
) -> None:
    (folder / "z.csv").write_text(f"ID,NAME,PRICE\n{line}\n", encoding="utf-8")
    with pytest.raises(WarehouseError, match=says) as error:
        query("COPY INTO WINES FROM @FILES PATTERN = '.*[.]csv'")
    assert error.value.errno == errno
    assert values(query, "SELECT COUNT(*) FROM WINES") == [(0,)]


def test_json_is_loaded_whole_by_name_and_transformed(query: Query, folder: Path) -> None:
    json_file = "@FILES/in/a.json"
    query("CREATE OR REPLACE TABLE RAW (V VARIANT)")
    query(f"COPY INTO RAW FROM {json_file} FILE_FORMAT = (TYPE = JSON)")
    assert values(query, "SELECT V:id::INT, V:kept[0]::INT FROM RAW ORDER BY 1") == [(1, 1), (2, None)]
    query(
        f"COPY INTO WINES FROM {json_file} FILE_FORMAT = (FORMAT_NAME = F_JSON) "
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    )
    assert values(query, "SELECT * FROM WINES ORDER BY ID") == [(1, "Gamay", None), (2, None, None)]
    query(
        "COPY INTO WINES (ID, NAME) FROM (SELECT F.$1:id::INT * 10, METADATA$FILENAME "
        f"FROM {json_file} F) FILE_FORMAT = (TYPE = JSON) FORCE = TRUE"
    )
    assert values(query, "SELECT ID, NAME FROM WINES WHERE ID > 9 ORDER BY ID") == [
        (10, "in/a.json"), (20, "in/a.json")
    ]  # fmt: skip
    with pytest.raises(WarehouseError, match="one and only one column of type variant"):
        query(f"COPY INTO WINES FROM {json_file} FILE_FORMAT = (TYPE = JSON) FORCE = TRUE")


def test_an_outer_array_is_stripped_if_asked_and_lines_that_are_no_json_are_skipped(
    query: Query, folder: Path
) -> None:
    query("CREATE OR REPLACE TABLE RAW (V VARIANT)")
    (folder / "list.json").write_text('[{"a": 1}, {"a": 2}]', encoding="utf-8")
    query("COPY INTO RAW FROM @FILES/list.json FILE_FORMAT = (TYPE = JSON STRIP_OUTER_ARRAY = TRUE)")
    query("COPY INTO RAW FROM @FILES/list.json FILE_FORMAT = (TYPE = JSON) FORCE = TRUE")
    assert values(query, "SELECT COUNT(*), COUNT(V:a) FROM RAW") == [(3, 2)]
    (folder / "lines.json").write_text('{"a": 3}\n{"a": \n{"a": 5}\n', encoding="utf-8")
    copy = "COPY INTO RAW FROM @FILES/lines.json FILE_FORMAT = (TYPE = JSON)"
    with pytest.raises(WarehouseError, match="Error parsing JSON") as error:
        query(copy)
    assert error.value.errno == 100069
    (row,) = query(f"{copy} ON_ERROR = CONTINUE")
    assert (row["status"], row["rows_loaded"], row["errors_seen"]) == ("PARTIALLY_LOADED", 2, 1)


def test_parquet_is_loaded_by_name_and_its_schema_is_told(query: Query, folder: Path) -> None:
    pq.write_table(pa.table({"name": ["Gamay"], "id": [1]}), folder / "p.parquet")
    schema = "TABLE(INFER_SCHEMA(LOCATION => '@FILES/p.parquet', FILE_FORMAT => 'F_PARQUET'))"
    assert values(query, f"SELECT COLUMN_NAME, TYPE FROM {schema} ORDER BY ORDER_ID") == [
        ("name", "TEXT"), ("id", "NUMBER(38, 0)")
    ]  # fmt: skip
    query(
        "COPY INTO WINES FROM @FILES/p.parquet FILE_FORMAT = (TYPE = PARQUET) "
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PURGE = TRUE"
    )
    assert values(query, "SELECT ID, NAME FROM WINES") == [(1, "Gamay")]
    assert not (folder / "p.parquet").exists()


def test_a_load_into_a_table_with_a_stream_shows_in_it_and_a_rollback_undoes_it(
    query: Query, folder: Path
) -> None:
    query("CREATE OR REPLACE STREAM S ON TABLE WINES")
    query("BEGIN")
    query("COPY INTO WINES FROM @FILES/in/a.csv PURGE = TRUE")
    query("ROLLBACK")
    assert (folder / "in" / "a.csv").exists()
    assert query("COPY INTO WINES FROM @FILES/in/a.csv")[0]["status"] == "LOADED"
    assert values(query, "SELECT ID, METADATA$ACTION FROM S ORDER BY 1") == [(1, "INSERT"), (2, "INSERT")]


def test_tables_and_queries_are_unloaded(query: Query, folder: Path) -> None:
    query("INSERT INTO WINES VALUES (1, 'Gamay', 9.5), (2, NULL, NULL)")
    assert query("COPY INTO @FILES/out/ FROM WINES FILE_FORMAT = (COMPRESSION = NONE) HEADER = TRUE")[0][
        "rows_unloaded"
    ] == 2  # fmt: skip
    text = (folder / "out" / "data_0_0_0.csv").read_text(encoding="utf-8").splitlines()
    assert (text[0], sorted(text[1:])) == ("ID,NAME,PRICE", ["1,Gamay,9.50", "2,\\N,\\N"])
    with pytest.raises(WarehouseError, match="Files already existing"):
        query("COPY INTO @FILES/out/ FROM WINES FILE_FORMAT = (COMPRESSION = NONE)")
    query(
        "COPY INTO @FILES/o.json FROM (SELECT OBJECT_CONSTRUCT('id', ID) FROM WINES WHERE ID = 1) "
        "FILE_FORMAT = (TYPE = JSON COMPRESSION = NONE) SINGLE = TRUE"
    )
    assert json.loads((folder / "o.json").read_text(encoding="utf-8")) == {"id": 1}
    query("COPY INTO @FILES/o FROM WINES FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE OVERWRITE = TRUE")
    assert pq.read_table(folder / "o_0_0_0.snappy.parquet").num_rows == 2
    query("CREATE OR REPLACE STREAM S ON TABLE WINES")
    query("INSERT INTO WINES (ID) VALUES (3)")
    query("COPY INTO @FILES/s/ FROM (SELECT ID FROM S)")
    assert query("SELECT * FROM S") == []


def test_files_are_listed_and_removed_by_path_and_pattern(query: Query, folder: Path) -> None:
    assert [row["name"] for row in query("LIST @FILES PATTERN = '.*csv'")] == ["files/in/a.csv"]
    assert [row["name"] for row in query("REMOVE @FILES/in PATTERN = '.*json'")] == ["files/in/a.json"]
    assert [row["name"] for row in query("LS '@FILES/in'")] == ["files/in/a.csv"]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("COPY INTO WINES FROM @FILES VALIDATION_MODE = RETURN_ERRORS", "VALIDATION_MODE"),
        ("COPY INTO WINES FROM @FILES/in/a.csv FILE_FORMAT = (TYPE = CSV ENCODING = 'ISO88591')", "ENCODING"),
        ("COPY INTO WINES FROM @FILES/in/a.csv FILE_FORMAT = (TYPE = AVRO)", "AVRO"),
        ("COPY INTO WINES FROM 's3://bucket/x'", "s3://bucket/x"),
        ("COPY INTO @FILES/x FROM WINES PARTITION BY (ID)", "PARTITION BY"),
        ("LIST @~", "@~"),
        ("REMOVE @~/x", "@~"),
    ],
)
def test_what_is_not_done_is_refused_by_name(query: Query, folder: Path, statement: str, named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        query(statement)
