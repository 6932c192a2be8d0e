"""Statements that make, fill and change tables."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from tests.warehouse.conftest import Query


@pytest.fixture(scope="module")
def query(shared_query: Query) -> Query:
    return shared_query


def values(query: Query, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(statement)]


@pytest.mark.parametrize(
    "how",
    [
        "TEMPORARY TABLE",
        "TEMP TABLE",
        "TRANSIENT TABLE",
        "TABLE (A NUMBER(9, 0), B VARCHAR(10))",
        "TABLE COMMENT = 'wine'",
    ],
)
def test_a_table_is_made_from_a_query_in_every_form(query: Query, how: str) -> None:
    kind, _, columns = how.partition("(")
    kind, _, comment = kind.partition(" COMMENT")
    rest = f"({columns}" if columns else f"COMMENT{comment}" if comment else ""
    for _ in range(2):
        query(f"CREATE OR REPLACE {kind} MADE {rest} AS SELECT 1 AS A, 'x' AS B")
        assert query("SELECT * FROM MADE") == [{"A": 1, "B": "x"}]
    query("DROP TABLE MADE")


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("count(*), sum(a), a + 1, upper(b)", ["COUNT(*)", "SUM(A)", "A + 1", "UPPER(B)"]),
        ("a, x.b, 1, 'Gamay', max(a) as top", ["A", "B", "1", "'GAMAY'", "TOP"]),
        ("distinct a is distinct from 1, count(distinct b)", ["A IS DISTINCT FROM 1", "COUNT(DISTINCT B)"]),
    ],
)
def test_a_column_without_a_name_is_called_by_its_text(query: Query, select: str, names: list[str]) -> None:
    given = "(select 1 as a, 'x' as b) as x group by all"
    for statement in (
        f"select {select} from {given}",
        f"with y as (select count(*) from {given}) select {select} from {given}",
        f"select {select} from {given} union all select {select} from {given}",
    ):
        assert list(query(statement)[0]) == names


@pytest.fixture
def racks(query: Query) -> Query:
    """Two empty tables of bottles and one that is the source."""
    for name in ("REDS", "WHITES"):
        query(f"CREATE OR REPLACE TABLE {name} (WINE VARCHAR, BOTTLES INT DEFAULT 7)")
    query("CREATE OR REPLACE TABLE CRATES (WINE VARCHAR, N INT)")
    query("INSERT INTO CRATES VALUES ('Gamay', 1), ('Viognier', 2), ('Syrah', NULL)")
    return query


def test_insert_all_writes_every_row_into_every_table(racks: Query) -> None:
    assert racks("INSERT ALL INTO REDS INTO WHITES (WINE, BOTTLES) VALUES (W, DEFAULT) "
                 "SELECT WINE AS W, N FROM CRATES") == [
        {"number of rows inserted into REDS": 3, "number of rows inserted into WHITES": 3}
    ]  # fmt: skip
    assert values(racks, "SELECT SUM(BOTTLES) FROM REDS") == [(3,)]
    assert values(racks, "SELECT SUM(BOTTLES) FROM WHITES") == [(21,)]


@pytest.mark.parametrize(("how", "reds", "whites"), [("ALL", ["Viognier"], ["Gamay", "Viognier"]),
                                                      ("FIRST", ["Viognier"], ["Gamay"])])  # fmt: skip
def test_insert_with_conditions_chooses(racks: Query, how: str, reds: list[str], whites: list[str]) -> None:
    statement = f"""INSERT {how} WHEN N > 1 THEN INTO REDS WHEN N > 0 THEN INTO WHITES
                    ELSE INTO REDS (WINE) VALUES ('other') SELECT WINE, N FROM CRATES"""
    racks(statement)
    assert sorted(row[0] for row in values(racks, "SELECT WINE FROM REDS")) == [*reds, "other"]
    assert sorted(row[0] for row in values(racks, "SELECT WINE FROM WHITES")) == whites
    racks(statement.replace("INSERT", "INSERT OVERWRITE"))
    assert len(values(racks, "SELECT * FROM REDS")) == 2


def test_a_multi_table_insert_is_all_or_nothing_and_consumes_its_stream(racks: Query) -> None:
    racks("CREATE OR REPLACE STREAM S ON TABLE CRATES")
    racks("INSERT INTO CRATES VALUES ('Gamay', 5)")
    racks("CREATE OR REPLACE TABLE STRICT (WINE VARCHAR, N INT NOT NULL)")
    with pytest.raises(WarehouseError, match="NULL result in a non-nullable column"):
        racks("INSERT ALL INTO REDS INTO STRICT VALUES (WINE, NULL) SELECT WINE, N FROM S")
    assert values(racks, "SELECT * FROM REDS") == []
    racks("INSERT ALL INTO REDS INTO STRICT SELECT WINE, N FROM S")
    assert values(racks, "SELECT * FROM STRICT") == [("Gamay", 5)]
    assert values(racks, "SELECT COUNT(*) FROM S") == [(0,)]


def test_insert_overwrite_replaces_what_it_may_even_read(racks: Query) -> None:
    racks("CREATE OR REPLACE STREAM S ON TABLE CRATES")
    assert racks(
        "INSERT OVERWRITE INTO CRATES (WINE, N) SELECT WINE, N + 1 FROM CRATES WHERE N > ?", [1]
    ) == [{"number of rows inserted": 1}]
    assert values(racks, "SELECT * FROM CRATES") == [("Viognier", 3)]
    racks("INSERT OVERWRITE INTO CRATES VALUES ('Gamay', 9)")
    assert values(racks, "SELECT WINE, METADATA$ACTION FROM S ORDER BY 2, 1") == [
        ("Gamay", "DELETE"), ("Syrah", "DELETE"), ("Viognier", "DELETE"), ("Gamay", "INSERT")
    ]  # fmt: skip


def test_insert_overwrite_without_a_source_is_a_syntax_error(racks: Query) -> None:
    with pytest.raises(WarehouseError, match="syntax error"):
        racks("INSERT OVERWRITE INTO CRATESxVALUES ('Gamay', 9)")


def test_columns_keep_their_comments(query: Query) -> None:
    query("CREATE OR REPLACE TABLE C (A INT COMMENT 'a''s', B INT) COMMENT = 'wines'")
    query("ALTER TABLE C ADD COLUMN D INT COMMENT 'd', E INT")
    query("ALTER TABLE C MODIFY COLUMN B COMMENT 'b', COLUMN E COMMENT 'e'")
    query("COMMENT ON COLUMN C.D IS 'new'")
    described = {row["name"]: row["comment"] for row in query("DESCRIBE TABLE C")}
    assert described == {"A": "a's", "B": "b", "D": "new", "E": "e"}
    query("CREATE OR ALTER TABLE C (A INT, B INT COMMENT 'c', D INT COMMENT 'new', E INT COMMENT 'e')")
    assert values(query, "SELECT COMMENT FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'C' "
                         "ORDER BY ORDINAL_POSITION") == [("",), ("c",), ("new",), ("e",)]  # fmt: skip
    query("ALTER TABLE C SET COMMENT = 'it''s red'")
    assert [row["comment"] for row in query("SHOW TABLES LIKE 'C'")] == ["it's red"]
    query("ALTER TABLE C UNSET COMMENT")
    assert [row["comment"] for row in query("SHOW TABLES LIKE 'C'")] == [""]


def test_a_column_is_required_from_now_on_unless_some_value_is_missing(query: Query) -> None:
    query("CREATE OR REPLACE TABLE C (A INT, B INT, C INT, D INT)")
    query("INSERT INTO C (A, B) VALUES (1, NULL)")
    query("ALTER TABLE C ALTER COLUMN A SET NOT NULL")
    with pytest.raises(WarehouseError, match="NULL result in a non-nullable column"):
        query("INSERT INTO C (B) VALUES (1)")
    with pytest.raises(WarehouseError, match="Column 'B' contains null values"):
        query("ALTER TABLE C ALTER COLUMN B SET NOT NULL")
    query("ALTER TABLE C MODIFY (COLUMN A DROP NOT NULL, COLUMN B SET DATA TYPE NUMBER(38, 2))")
    query("INSERT INTO C (B) VALUES (1)")
    query("ALTER TABLE C DROP COLUMN C, D")
    assert [row["name"] for row in query("DESC TABLE C")] == ["A", "B"]


@pytest.mark.parametrize(
    "change",
    [
        "DROP CLUSTERING KEY",
        "CLUSTER BY (A)",
        "DROP PRIMARY KEY",
        "DROP CONSTRAINT K",
        "SET CHANGE_TRACKING = TRUE",
    ],
)
def test_what_changes_nothing_here_is_accepted(query: Query, change: str) -> None:
    query("CREATE OR REPLACE TABLE C (A INT)")
    query(f"ALTER TABLE C {change}")


def test_views_are_renamed_and_commented(query: Query) -> None:
    query("CREATE OR REPLACE VIEW V AS SELECT 1 AS A")
    query("ALTER VIEW V SET COMMENT = 'one'")
    query("ALTER VIEW V RENAME TO W")
    assert [(row["name"], row["comment"]) for row in query("SHOW VIEWS LIKE 'W'")] == [("W", "one")]


def test_what_is_there_is_listed_by_name_number_and_kind(query: Query) -> None:
    query("CREATE SCHEMA LISTED")
    query("USE SCHEMA LISTED")
    for name in ("ALPHA", "BETA", "BRAVO"):
        query(f"CREATE TABLE {name} (A INT)")
    query("INSERT INTO BETA VALUES (1), (2)")

    def names(clauses: str) -> list[str]:
        return [row["name"] for row in query(f"SHOW {clauses}")]

    assert names("TABLES STARTS WITH 'B'") == ["BETA", "BRAVO"]
    assert names("TERSE TABLES LIMIT 1 FROM 'ALPHA'") == ["BETA"]
    assert [row["rows"] for row in query("SHOW TABLES LIKE 'beta'")] == [2]
    for kind in (
        "ICEBERG TABLES",
        "DYNAMIC TABLES",
        "EXTERNAL TABLES IN SCHEMA LISTED",
        "MATERIALIZED VIEWS",
    ):
        assert names(kind) == []
    assert [row["name"] for row in query("DESCRIBE SCHEMA LISTED")] == ["ALPHA", "BETA", "BRAVO"]
    query("USE SCHEMA PUBLIC")
    query("DROP SCHEMA LISTED")


def test_stages_formats_sequences_warehouses_and_databases_are_described(query: Query) -> None:
    query("CREATE OR REPLACE FILE FORMAT F TYPE = CSV SKIP_HEADER = 1")
    query("CREATE OR REPLACE STAGE S FILE_FORMAT = F")
    query("CREATE OR REPLACE SEQUENCE Q")
    query("CREATE WAREHOUSE IF NOT EXISTS W")
    for statement in ("DESCRIBE FILE FORMAT F", "DESC STAGE S"):
        described = {row["property"]: row["property_value"] for row in query(statement)}
        assert (described["TYPE"], described["SKIP_HEADER"]) == ("CSV", "1")
    assert [row["name"] for row in query("DESC SEQUENCE Q")] == ["Q"]
    assert [row["kind"] for row in query("DESCRIBE WAREHOUSE W")] == ["WAREHOUSE"]
    assert "PUBLIC" in [row["name"] for row in query("DESC DATABASE CELLAR_DB")]
    for kind in ("STAGE", "FILE FORMAT", "SEQUENCE", "SCHEMA", "WAREHOUSE"):
        with pytest.raises(WarehouseError, match="does not exist"):
            query(f"DESCRIBE {kind} NOWHERE")
