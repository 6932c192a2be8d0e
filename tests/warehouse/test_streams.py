"""What streams show and when their offsets move (SEMANTICS 1 to 6, 9 and 10)."""

from __future__ import annotations

from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from tests.warehouse.conftest import Query

Change = tuple[Any, ...]


@pytest.fixture
def wines(query: Query) -> Query:
    """A table WINES with one row, and streams on it: NET and APPENDED."""
    query("CREATE TABLE WINES (ID INT, NAME VARCHAR)")
    query("INSERT INTO WINES VALUES (1, 'Gamay')")
    query("CREATE STREAM NET ON TABLE WINES")
    query("CREATE STREAM APPENDED ON TABLE WINES APPEND_ONLY = TRUE")
    query("CREATE TABLE TAKEN (ID INT)")
    return query


def changes(query: Query, stream: str = "NET") -> list[Change]:
    """A stream's rows without their ids, in an order that does not change."""
    rows = query(f"SELECT * FROM {stream}")
    return sorted((tuple(row.values())[:-1] for row in rows), key=repr)


@pytest.mark.fact(5)
def test_a_stream_starts_empty_and_shows_inserts_after_the_source_columns(wines: Query) -> None:
    """SEMANTICS 5: source columns, then METADATA$ACTION, METADATA$ISUPDATE, METADATA$ROW_ID."""
    assert changes(wines) == []
    wines("INSERT INTO WINES VALUES (2, 'Syrah')")
    (row,) = wines("SELECT * FROM NET")
    assert list(row) == ["ID", "NAME", "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID"]
    assert list(row.values())[:-1] == [2, "Syrah", "INSERT", False]


@pytest.mark.fact(3)
def test_an_update_is_a_pair_of_delete_and_insert(wines: Query) -> None:
    """SEMANTICS 3."""
    wines("UPDATE WINES SET NAME = 'Merlot' WHERE ID = 1")
    assert changes(wines) == [(1, "Gamay", "DELETE", True), (1, "Merlot", "INSERT", True)]
    assert len({row["METADATA$ROW_ID"] for row in wines("SELECT * FROM NET")}) == 1


@pytest.mark.fact(3)
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            ["INSERT INTO WINES VALUES (2, 'a')", "UPDATE WINES SET NAME = 'b' WHERE ID = 2"],
            [(2, "b", "INSERT", False)],
        ),
        (["INSERT INTO WINES VALUES (2, 'a')", "DELETE FROM WINES WHERE ID = 2"], []),
        (["UPDATE WINES SET NAME = 'x'", "UPDATE WINES SET NAME = 'Gamay'"], []),
        (
            ["UPDATE WINES SET NAME = 'x'", "UPDATE WINES SET NAME = 'y'"],
            [(1, "Gamay", "DELETE", True), (1, "y", "INSERT", True)],
        ),
        (["UPDATE WINES SET NAME = 'x'", "DELETE FROM WINES"], [(1, "Gamay", "DELETE", False)]),
        (
            ["DELETE FROM WINES", "INSERT INTO WINES VALUES (1, 'Gamay')"],
            [(1, "Gamay", "DELETE", False), (1, "Gamay", "INSERT", False)],
        ),
        (["TRUNCATE TABLE WINES"], [(1, "Gamay", "DELETE", False)]),
        (["UPDATE WINES SET NAME = NULL"], [(1, "Gamay", "DELETE", True), (1, None, "INSERT", True)]),
    ],
    ids=[
        "insert-update",
        "insert-delete",
        "update-back",
        "two-updates",
        "update-delete",
        "delete-reinsert",
        "truncate",
        "update-to-null",
    ],
)
def test_a_standard_stream_shows_the_minimal_net_change(
    wines: Query, statements: list[str], expected: list[Change]
) -> None:
    """SEMANTICS 3, from one window between two consumptions."""
    for statement in statements:
        wines(statement)
    assert changes(wines) == expected


@pytest.mark.fact(4)
def test_an_append_only_stream_keeps_inserts_and_ignores_the_rest(wines: Query) -> None:
    """SEMANTICS 4: the row as it was inserted, even if it was changed or deleted since."""
    wines("INSERT INTO WINES VALUES (2, 'a'), (3, 'b'), (4, 'c')")
    wines("UPDATE WINES SET NAME = 'changed' WHERE ID IN (1, 2)")
    wines("DELETE FROM WINES WHERE ID = 3")
    wines("TRUNCATE TABLE WINES")
    assert changes(wines, "APPENDED") == [
        (2, "a", "INSERT", False),
        (3, "b", "INSERT", False),
        (4, "c", "INSERT", False),
    ]


@pytest.mark.fact(5)
def test_row_ids_are_unique_lasting_and_the_same_in_all_streams_of_a_table(wines: Query) -> None:
    """SEMANTICS 5."""
    wines("INSERT INTO WINES VALUES (2, 'a'), (3, 'b')")
    first = {row["ID"]: row["METADATA$ROW_ID"] for row in wines("SELECT * FROM NET")}
    assert first == {row["ID"]: row["METADATA$ROW_ID"] for row in wines("SELECT * FROM APPENDED")}
    assert len(set(first.values())) == 2
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    wines("DELETE FROM WINES WHERE ID = 1")
    wines("UPDATE WINES SET NAME = 'c' WHERE ID = 2")
    later = {row["ID"]: row["METADATA$ROW_ID"] for row in wines("SELECT * FROM NET WHERE ID = 2")}
    assert later[2] == first[2]


@pytest.mark.fact(1)
@pytest.mark.parametrize(
    "consume",
    [
        "INSERT INTO TAKEN SELECT ID FROM NET",
        "INSERT INTO TAKEN SELECT ID FROM NET WHERE 0 = 1",
        "CREATE TABLE COPIED AS SELECT * FROM NET",
        "CREATE TABLE COPIED AS SELECT * FROM NET WHERE 0 = 1",
        "MERGE INTO TAKEN USING NET AS N ON TAKEN.ID = N.ID WHEN NOT MATCHED THEN INSERT (ID) VALUES (N.ID)",
        "UPDATE TAKEN SET ID = 0 WHERE ID IN (SELECT ID FROM NET)",
        "DELETE FROM TAKEN WHERE ID IN (SELECT ID FROM NET)",
    ],
)
def test_dml_and_ctas_move_the_offset_whatever_they_write(wines: Query, consume: str) -> None:
    """SEMANTICS 1."""
    wines("INSERT INTO WINES VALUES (2, 'a')")
    assert len(changes(wines)) == 1
    wines(consume)
    assert changes(wines) == []
    assert len(changes(wines, "APPENDED")) == 1, "each stream has its own offset"


@pytest.mark.fact(1)
def test_select_never_moves_the_offset(wines: Query) -> None:
    """SEMANTICS 1."""
    wines("INSERT INTO WINES VALUES (2, 'a')")
    for _ in range(3):
        assert len(changes(wines)) == 1


@pytest.mark.fact(1)
def test_ctas_from_a_stream_takes_its_rows(wines: Query) -> None:
    """SEMANTICS 1; PITFALL 19 is about doing so unawares."""
    wines("INSERT INTO WINES VALUES (2, 'a')")
    wines("CREATE TABLE COPIED AS SELECT N.ID, N.METADATA$ACTION AS ACTION FROM NET AS N")
    assert wines("SELECT * FROM COPIED") == [{"ID": 2, "ACTION": "INSERT"}]


def test_a_view_on_a_stream_is_refused(wines: Query) -> None:
    with pytest.raises(WarehouseError, match="a view on stream"):
        wines("CREATE VIEW V AS SELECT * FROM NET")


@pytest.mark.fact(6)
def test_initial_rows_come_first_and_alone_then_the_stream_is_as_any_other(wines: Query) -> None:
    """SEMANTICS 6: the rows as they were at the stream's creation, ISUPDATE FALSE."""
    wines("CREATE STREAM WHOLE ON TABLE WINES SHOW_INITIAL_ROWS = TRUE")
    assert wines("SELECT SYSTEM$STREAM_HAS_DATA('WHOLE') AS H") == [{"H": True}]
    wines("INSERT INTO WINES VALUES (2, 'new')")
    wines("UPDATE WINES SET NAME = 'changed' WHERE ID = 1")
    assert changes(wines, "WHOLE") == [(1, "Gamay", "INSERT", False)]
    wines("INSERT INTO TAKEN SELECT ID FROM WHOLE")
    assert changes(wines, "WHOLE") == [
        (1, "Gamay", "DELETE", True),
        (1, "changed", "INSERT", True),
        (2, "new", "INSERT", False),
    ]
    wines("INSERT INTO TAKEN SELECT ID FROM WHOLE")
    assert changes(wines, "WHOLE") == []


@pytest.mark.fact(9)
def test_has_data_is_true_until_consumed(wines: Query) -> None:
    """SEMANTICS 9: may be TRUE for changes that cancel out, never FALSE with rows to show."""

    def has_data() -> Any:
        return wines("SELECT SYSTEM$STREAM_HAS_DATA('NET') AS H")[0]["H"]

    assert has_data() is False
    wines("INSERT INTO WINES VALUES (2, 'a')")
    wines("DELETE FROM WINES WHERE ID = 2")
    assert has_data() is True
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    assert has_data() is False


@pytest.mark.fact(10)
def test_show_streams_has_snowflakes_columns(wines: Query) -> None:
    """SEMANTICS 10."""
    rows = {row["name"]: row for row in wines("SHOW STREAMS")}
    assert list(rows["NET"]) == [
        *("created_on", "name", "database_name", "schema_name", "owner", "comment", "table_name"),
        *("source_type", "base_tables", "type", "stale", "mode", "stale_after", "invalid_reason"),
        "owner_role_type",
    ]
    assert (rows["NET"]["mode"], rows["APPENDED"]["mode"]) == ("DEFAULT", "APPEND_ONLY")
    assert (rows["NET"]["type"], rows["NET"]["stale"], rows["NET"]["source_type"]) == (
        "DELTA",
        "false",
        "Table",
    )
    assert [row["name"] for row in wines("SHOW STREAMS LIKE 'app%'")] == ["APPENDED"]


def test_create_stream_minds_or_replace_and_if_not_exists(wines: Query) -> None:
    """PITFALL 13: OR REPLACE loses what is pending, IF NOT EXISTS does not."""
    wines("INSERT INTO WINES VALUES (2, 'a')")
    with pytest.raises(WarehouseError, match="already exists"):
        wines("CREATE STREAM NET ON TABLE WINES")
    wines("CREATE STREAM IF NOT EXISTS NET ON TABLE WINES")
    assert len(changes(wines)) == 1
    wines("CREATE OR REPLACE STREAM NET ON TABLE WINES")
    assert changes(wines) == []
    with pytest.raises(WarehouseError) as missing:
        wines("CREATE STREAM OTHER ON TABLE NOWHERE")
    assert missing.value.errno == 2003


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT (ID, NAME) VALUES (S.ID, S.NAME)",
        "INSERT VALUES (S.ID, S.NAME)",
    ],
)
def test_merge_into_a_tracked_table_is_seen_by_its_streams(wines: Query, insert: str) -> None:
    wines(
        "MERGE INTO WINES AS W USING (SELECT 1 AS ID, 'm' AS NAME UNION ALL SELECT 2, 'n') AS S "
        f"ON W.ID = S.ID WHEN MATCHED THEN UPDATE SET NAME = S.NAME WHEN NOT MATCHED THEN {insert}"
    )
    assert changes(wines) == [
        (1, "Gamay", "DELETE", True),
        (1, "m", "INSERT", True),
        (2, "n", "INSERT", False),
    ]
    assert changes(wines, "APPENDED") == [(2, "n", "INSERT", False)]


def test_a_tracked_table_shows_no_column_of_ours(session: Session, wines: Query) -> None:
    wines("CREATE TABLE LIKED LIKE WINES")
    wines("CREATE TABLE CLONED CLONE WINES")
    wines("CREATE TABLE COPIED AS SELECT * FROM WINES")
    for table in ("WINES", "LIKED", "CLONED", "COPIED"):
        assert session.execute(f"SELECT * FROM {table}").table.column_names == ["ID", "NAME"]
        assert [row["name"] for row in wines(f"DESCRIBE TABLE {table}")] == ["ID", "NAME"]


def test_a_view_made_before_the_stream_shows_no_column_of_ours(session: Session, query: Query) -> None:
    query("CREATE TABLE T (A INT)")
    query("CREATE VIEW V AS SELECT * FROM T")
    query("CREATE STREAM S ON TABLE T")
    query("INSERT INTO T VALUES (1)")
    assert query("SELECT * FROM V") == [{"A": 1}]


def test_before_images_are_dropped_once_every_stream_has_passed_them(session: Session, wines: Query) -> None:
    """Nothing that a stream kept for showing stays when no stream can show it any more."""

    def images() -> Any:
        with session.warehouse.cursor() as duck:
            name = session.warehouse.streams.tables[session.qualify("WINES")]
            return duck.execute(
                f"SELECT count(*) FROM {name.before_images(session.warehouse.meta('CELLAR_DB'))}"
            ).fetchall()[0][0]

    wines("UPDATE WINES SET NAME = 'x'")
    assert images() == 1
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    assert images() == 1, "APPENDED has yet to pass it"
    wines("INSERT INTO TAKEN SELECT ID FROM APPENDED")
    assert images() == 0
    wines("UPDATE WINES SET NAME = 'y'")
    assert changes(wines) == [(1, "x", "DELETE", True), (1, "y", "INSERT", True)]


def test_two_streams_in_one_statement_show_their_own_changes(wines: Query) -> None:
    wines("INSERT INTO WINES VALUES (2, 'a')")
    wines("INSERT INTO TAKEN SELECT ID FROM NET")
    wines("INSERT INTO WINES VALUES (3, 'b')")
    rows = wines("SELECT A.ID FROM APPENDED AS A LEFT JOIN NET AS N ON N.ID = A.ID WHERE N.ID IS NULL")
    assert rows == [{"ID": 2}]


def test_a_tracked_tables_rows_are_counted_as_others_are(wines: Query) -> None:
    assert wines("INSERT INTO WINES SELECT 7, 'x'") == [{"number of rows inserted": 1}]
    assert wines("UPDATE WINES SET NAME = 'z'")[0]["number of rows updated"] == 2
    assert wines("DELETE FROM WINES WHERE ID = 7") == [{"number of rows deleted": 1}]
