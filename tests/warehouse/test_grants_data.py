"""Grants on data: who reads and writes tables, views, streams and staged files, however it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.conftest import Server
from tests.warehouse.grants import DENIED, Account, opened


@pytest.fixture(scope="module")
def account(shared_server: Server) -> Iterator[Account]:
    """Table T is the one that READER may not read; OPEN is the one that it may read and write."""
    made = opened(shared_server)
    made.run(
        "OWNER",
        "CREATE TABLE OPEN (A INT, B VARCHAR)",
        "INSERT INTO OPEN VALUES (1, 'o')",
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE OPEN TO ROLE READER",
        "GRANT CREATE TABLE, CREATE VIEW, CREATE STREAM ON SCHEMA S TO ROLE READER",
        "CREATE SEQUENCE NUMBERS",
        "CREATE STAGE SECRETS",
        "CREATE SCHEMA SHOP.HIDDEN",
        "CREATE TABLE SHOP.HIDDEN.T AS SELECT 'secret' AS A",
        "USE SCHEMA SHOP.S",
    )
    yield made
    made.close()


READS = [
    "SELECT * FROM T",
    "SELECT * FROM SHOP.S.T",
    'SELECT * FROM "SHOP"."S"."T"',
    'SELECT * FROM "t"',
    'SELECT * FROM "shop"."s"."t"',
    "SELECT * FROM IDENTIFIER('SHOP.S.T')",
    "SELECT * FROM (T)",
    "SELECT A FROM OPEN UNION ALL SELECT A FROM T",
    "SELECT (SELECT MAX(A) FROM T)",
    "SELECT 1 FROM OPEN WHERE A IN (SELECT A FROM T)",
    "SELECT 1 FROM OPEN WHERE EXISTS (SELECT 1 FROM T)",
    "SELECT O.A FROM OPEN AS O JOIN T ON O.A = T.A",
    "SELECT O.A FROM OPEN AS O, LATERAL (SELECT * FROM T WHERE T.A = O.A)",
    "WITH C AS (SELECT * FROM T) SELECT * FROM C",
    "WITH T AS (SELECT * FROM T) SELECT * FROM T",
    "WITH C AS (SELECT * FROM T), T AS (SELECT 1 AS A) SELECT * FROM C",
    "WITH RECURSIVE T AS (SELECT A FROM SHOP.S.T UNION ALL SELECT A FROM T WHERE FALSE) SELECT * FROM T",
    "WITH C AS (WITH T AS (SELECT 1 AS A) SELECT * FROM T) SELECT * FROM T",
    "INSERT INTO OPEN SELECT * FROM T",
    "INSERT INTO OPEN (A) SELECT (SELECT MAX(A) FROM T)",
    "UPDATE OPEN SET A = (SELECT MAX(A) FROM T)",
    "UPDATE OPEN SET A = T.A FROM T WHERE OPEN.A = T.A",
    "DELETE FROM OPEN USING T WHERE OPEN.A = T.A",
    "MERGE INTO OPEN USING T ON OPEN.A = T.A WHEN MATCHED THEN UPDATE SET B = 'm'",
    "MERGE INTO OPEN USING (SELECT * FROM T) AS S ON OPEN.A = S.A WHEN MATCHED THEN DELETE",
    "MERGE INTO OPEN USING OPEN AS S ON OPEN.A = S.A WHEN MATCHED THEN UPDATE SET A = (SELECT MAX(A) FROM T)",
    "CREATE TABLE COPIED AS SELECT * FROM T",
    "CREATE TABLE COPIED CLONE T",
    "CREATE TABLE COPIED LIKE T",
    "CREATE TEMPORARY TABLE COPIED AS SELECT * FROM T",
    "CREATE VIEW SEEN AS SELECT * FROM T",
    "CREATE STREAM ON_T ON TABLE T",
    "DESCRIBE TABLE T",
    "DESCRIBE TABLE SHOP.S.T",
    "SET X = (SELECT MAX(A) FROM T)",
    "SELECT * FROM TABLE(FLATTEN(INPUT => (SELECT ARRAY_AGG(A) FROM T)))",
    "SELECT O.A FROM OPEN AS O, LATERAL FLATTEN(INPUT => (SELECT ARRAY_AGG(A) FROM T))",
    "SELECT * FROM T PIVOT (MAX(A) FOR B IN ('x'))",
    "SELECT A FROM OPEN ORDER BY (SELECT MAX(A) FROM T)",
    "SELECT A FROM OPEN QUALIFY ROW_NUMBER() OVER (ORDER BY (SELECT MAX(A) FROM T)) = 1",
    "CALL SYSTEM$WAIT((SELECT MAX(A) FROM T))",
]


@pytest.mark.parametrize("statement", READS)
def test_no_form_of_a_statement_reads_a_table_without_select(account: Account, statement: str) -> None:
    text = account.denies("READER", statement)
    assert "does not exist or not authorized" in text


def test_a_call_of_no_procedure_reads_nothing_of_its_arguments(account: Account) -> None:
    statement = "CALL NO_PROCEDURE((SELECT MAX(A) FROM T))"
    assert account.denies("READER", statement, 2140).endswith("Unknown function NO_PROCEDURE")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM query('SELECT * FROM SHOP.S.T')",
        "SELECT * FROM query_table('SHOP.S.T')",
        "SELECT * FROM duckdb_tables()",
        "SELECT * FROM OPEN, LATERAL duckdb_views()",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd.csv"',
        "SELECT * FROM _fs_global._fs_information_schema.sc_grants",
        "DELETE FROM _fs_global._fs_information_schema.sc_grants",
        "SELECT * FROM SHOP._fs_information_schema.sc_tracked",
        "SELECT * FROM system.information_schema.tables",
        "SELECT * FROM SHOP.pg_catalog.pg_views",
        "SELECT * FROM pg_views",
        "SELECT * FROM sqlite_master",
        "CREATE TABLE COPIED AS FROM '/etc/passwd'",
        "EXPLAIN SELECT * FROM T",
        "PRAGMA database_list",
        "ATTACH '/tmp/x.db'",
        "COPY T TO '/tmp/x'",
        "EXPORT DATABASE '/tmp/x'",
        "CREATE MACRO M() AS 1",
        "SELECT 1; SELECT * FROM T",
        "UNDROP TABLE T",
        "EXECUTE IMMEDIATE 'SELECT * FROM T'",
        "GET @STAGE file:///tmp/",
        "SHOW GRANTS ON TABLE T",
        'SELECT * FROM "information_schema"."tables"',
        "SELECT * FROM SHOP.INFORMATION_SCHEMA.TABLE_CONSTRAINTS",
        "SELECT * FROM SHOP.INFORMATION_SCHEMA.SC_TRACKED",
        "DELETE FROM SHOP.INFORMATION_SCHEMA.LOAD_HISTORY",
        "SELECT $1:a::INT FROM @SECRETS/x (FILE_FORMAT => 'SHOP.S.NO_FORMAT')",
        "LIST @%T",
        "PUT file:///etc/hostname @%T",
        "SHOW TABLES; SELECT * FROM T",
        "SELECT NEXTVAL('SHOP.S.NUMBERS')",
        "SELECT NUMBERS.NEXTVAL",
        'SELECT "numbers".NEXTVAL',
        "COPY INTO OPEN FROM (SELECT $1 FROM @SECRETS) FILE_FORMAT = (TYPE = CSV)",
        "COPY INTO OPEN FROM @SHOP.S.SECRETS FILE_FORMAT = (TYPE = CSV)",
    ],
)
def test_nothing_beside_the_tables_leads_to_them(account: Account, statement: str) -> None:
    number, text = account.refusal("READER", statement)
    assert number != 603, text
    assert "secret" not in text


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE _fs_global._fs_information_schema.sc_grants",
        'DROP TABLE "_fs_global"."_fs_information_schema"."sc_grants"',
        "DROP VIEW _fs_global._fs_information_schema._fs_columns",
        "DROP SCHEMA _fs_global._fs_information_schema",
        "DROP SCHEMA SHOP._fs_information_schema",
        "DROP DATABASE _fs_global",
        "CREATE STREAM S.ON_GRANTS ON TABLE _fs_global._fs_information_schema.sc_grants",
        "CREATE STREAM SHOP.S.ON_TASKS ON TABLE SHOP._fs_information_schema.sc_tasks",
        "CREATE TABLE SHOP.S.COPIED CLONE _fs_global._fs_information_schema.sc_grants",
        "MERGE INTO _fs_global._fs_information_schema.sc_grants USING OPEN ON TRUE WHEN MATCHED THEN DELETE",
        "CREATE TASK _fs_global._fs_information_schema.x AS SELECT 1",
        "CREATE STAGE SHOP._fs_information_schema.x",
        "USE SCHEMA SHOP._fs_information_schema",
        "USE SCHEMA SHOP.main",
        "CREATE TABLE SHOP.main.x (A INT)",
        "CREATE VIEW SHOP.pg_catalog.x AS SELECT 1 AS A",
        "CREATE TABLE memory.main.x (A INT)",
        "GRANT SELECT ON TABLE _fs_global._fs_information_schema.sc_grants TO ROLE READER",
        "ALTER TABLE _fs_global._fs_information_schema.sc_grants ADD COLUMN X INT",
        "ALTER TABLE IF EXISTS _fs_global._fs_information_schema.sc_grants ADD COLUMN X INT",
        "TRUNCATE TABLE _fs_global._fs_information_schema.sc_grants",
        "CREATE TABLE _fs_global._fs_information_schema.x (A INT)",
        "CREATE OR REPLACE TABLE _fs_global._fs_information_schema.sc_grants (A INT)",
        "CREATE TEMPORARY TABLE _fs_global._fs_information_schema.x (A INT)",
        "COMMENT ON TABLE _fs_global._fs_information_schema.sc_grants IS 'x'",
        "INSERT INTO _fs_global._fs_information_schema.sc_grants SELECT * FROM OPEN",
        "DROP TABLE IF EXISTS _fs_global._fs_information_schema.sc_grants",
        "DROP SCHEMA IF EXISTS _fs_global._fs_information_schema",
    ],
)
@pytest.mark.parametrize("role", ["READER", "ACCOUNTADMIN"])
def test_the_catalogue_itself_is_out_of_reach(account: Account, role: str, statement: str) -> None:
    if "IF EXISTS" in statement:
        account.run(role, statement)
    else:
        account.refusal(role, statement)
    with account.server.warehouse.cursor() as duck:
        columns = duck.execute("DESCRIBE _fs_global._fs_information_schema.sc_grants").fetchall()
    assert len(columns) == 11


def test_a_bound_name_is_held_to_the_same(account: Account) -> None:
    cursor = account.server.connect(role="READER", database="SHOP", schema="S", paramstyle="qmark").cursor()
    assert cursor.execute("SELECT A FROM IDENTIFIER(?)", ["SHOP.S.OPEN"]).fetchall()
    with pytest.raises(Exception, match="does not exist or not authorized"):
        cursor.execute("SELECT A FROM IDENTIFIER(?)", ["SHOP.S.T"])
    cursor.execute("SET NAMED = 'T'")
    with pytest.raises(Exception, match="does not exist or not authorized"):
        cursor.execute("SELECT A FROM IDENTIFIER($NAMED)")
    cursor.connection.close()


def test_a_sequence_needs_usage(account: Account) -> None:
    account.denies("READER", "SELECT NUMBERS.NEXTVAL")
    account.run("OWNER", "GRANT USAGE ON SEQUENCE NUMBERS TO ROLE READER")
    assert account.run("READER", "SELECT NUMBERS.NEXTVAL") == [(1,)]
    account.run("OWNER", "REVOKE USAGE ON SEQUENCE NUMBERS FROM ROLE READER")


def test_a_database_is_entered_without_a_schema_that_the_role_may_not_use(account: Account) -> None:
    account.run("READER", "USE DATABASE SHOP")
    try:
        assert account.run("READER", "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("SHOP", None)]
    finally:
        account.run("READER", "USE SCHEMA SHOP.S")
    account.denies("READER", "USE DATABASE NONE_DB", 2043)


def test_the_columns_of_a_hidden_table_are_not_described(account: Account) -> None:
    cursor = account.server.connect(role="READER", database="SHOP", schema="S").cursor()
    assert [column.name for column in cursor.describe("SELECT * FROM OPEN")] == ["A", "B"]
    with pytest.raises(Exception, match="'T' does not exist or not authorized"):
        cursor.describe("SELECT * FROM T")
    cursor.describe("CREATE TABLE ONLY_DESCRIBED (A INT)")
    with pytest.raises(Exception, match="does not exist or not authorized"):
        cursor.execute("SELECT * FROM ONLY_DESCRIBED")
    cursor.connection.close()


def test_what_is_hidden_reads_like_what_is_not_there(account: Account) -> None:
    hidden = account.denies("READER", "SELECT * FROM SHOP.S.T")
    assert account.denies("READER", "SELECT * FROM SHOP.S.U") == hidden.replace("S.T'", "S.U'")
    hidden = account.denies("READER", "SELECT * FROM SHOP.HIDDEN.T")
    assert account.denies("READER", "SELECT * FROM SHOP.HIDDEN.U") == hidden.replace("N.T'", "N.U'")


def test_each_kind_of_writing_needs_its_own_privilege(account: Account) -> None:
    writes = {
        "INSERT": "INSERT INTO W VALUES (1)",
        "UPDATE": "UPDATE W SET A = 2",
        "DELETE": "DELETE FROM W",
        "TRUNCATE": "TRUNCATE TABLE W",
    }
    account.run("OWNER", "CREATE TABLE W (A INT)", "GRANT REFERENCES ON TABLE W TO ROLE READER")
    for privilege, statement in writes.items():
        text = account.denies("READER", statement, DENIED)
        assert text == "SQL access control error:\nInsufficient privileges to operate on table 'W'"
        account.run("OWNER", f"GRANT {privilege} ON TABLE W TO ROLE READER")
        account.run("READER", statement)
        account.run("OWNER", f"REVOKE {privilege} ON TABLE W FROM ROLE READER")
        account.denies("READER", statement, DENIED)
    account.denies("READER", "SELECT * FROM W", DENIED)


def test_a_merge_needs_what_its_clauses_do(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE MT (A INT, B INT)", "GRANT SELECT, UPDATE ON TABLE MT TO ROLE READER")
    merge = "MERGE INTO MT USING OPEN ON MT.A = OPEN.A WHEN MATCHED THEN UPDATE SET B = 1"
    account.run("READER", merge)
    insert = f"{merge} WHEN NOT MATCHED THEN INSERT (A, B) VALUES (OPEN.A, 0)"
    account.denies("READER", insert, DENIED)
    account.run("OWNER", "GRANT INSERT ON TABLE MT TO ROLE READER")
    account.run("READER", insert)
    account.denies("READER", f"{merge.replace('UPDATE SET B = 1', 'DELETE')}", DENIED)


def test_a_table_is_the_owners_to_change(account: Account) -> None:
    for statement in (
        *("DROP TABLE OPEN", "ALTER TABLE OPEN ADD COLUMN C INT", "COMMENT ON TABLE OPEN IS 'mine'"),
        *("CREATE OR REPLACE TABLE OPEN (A INT)", "ALTER TABLE OPEN RENAME TO SHUT"),
        *("COMMENT ON COLUMN OPEN.A IS 'mine'", "CREATE OR ALTER TABLE OPEN (A INT)"),
    ):
        account.denies("READER", statement, DENIED)
    account.denies("READER", "DROP TABLE T")
    assert "already dropped or not authorized" in account.run("READER", "DROP TABLE IF EXISTS T")[0][0]
    assert account.run("OWNER", "SELECT COUNT(*) FROM T") == [(1,)]


def test_making_something_needs_the_privilege_to_create_it(account: Account) -> None:
    for statement in (
        *(
            "CREATE STAGE NEW_STAGE",
            "CREATE FILE FORMAT NEW_FORMAT TYPE = CSV",
            "CREATE SEQUENCE NEW_SEQUENCE",
        ),
        *("CREATE TASK NEW_TASK AS SELECT 1", "CREATE STREAMLIT APP MAIN_FILE = 'a.py'"),
    ):
        assert "operate on schema 'S'" in account.denies("READER", statement, DENIED)
    assert "database 'SHOP'" in account.denies("READER", "CREATE SCHEMA SHOP.NEW", DENIED)
    assert "account" in account.denies("READER", "CREATE DATABASE NEW", DENIED)
    assert "account" in account.denies("READER", "CREATE WAREHOUSE NEW", DENIED)
    account.run("READER", "CREATE TABLE MINE (A INT)", "DROP TABLE MINE")


def test_a_temporary_table_needs_only_the_way_in_and_hides_nothing(account: Account) -> None:
    account.run(
        "OWNER", "GRANT USAGE ON DATABASE SHOP TO ROLE OTHER", "GRANT USAGE ON SCHEMA S TO ROLE OTHER"
    )
    account.run("OTHER", "CREATE TEMPORARY TABLE SCRATCH (A INT)", "INSERT INTO SCRATCH VALUES (7), (8)")
    assert account.run("OTHER", "SELECT SUM(A) FROM SCRATCH") == [(15,)]
    account.denies("READER", "SELECT * FROM SCRATCH")
    account.run("OTHER", "CREATE TEMPORARY TABLE T (A INT)")
    account.denies("OTHER", "SELECT * FROM SHOP.S.T")


def test_a_view_reads_with_its_owners_rights(account: Account) -> None:
    account.run("OWNER", "CREATE VIEW V AS SELECT A FROM T", "CREATE VIEW VV AS SELECT A + 1 AS A FROM V")
    account.denies("READER", "SELECT * FROM VV")
    account.run("OWNER", "GRANT SELECT ON VIEW VV TO ROLE READER")
    assert account.run("READER", "SELECT * FROM VV") == [(2,)]
    account.denies("READER", "SELECT * FROM V")
    account.run("READER", "CREATE VIEW MY_VIEW AS SELECT A FROM OPEN")
    account.run("READER", "GRANT SELECT ON VIEW MY_VIEW TO ROLE OWNER")
    account.run("OWNER", "REVOKE SELECT ON TABLE OPEN FROM ROLE READER")
    try:
        text = account.denies("OWNER", "SELECT * FROM MY_VIEW", 2037)
        assert "Failure during expansion of view 'MY_VIEW'" in text
    finally:
        account.run("OWNER", "GRANT SELECT ON TABLE OPEN TO ROLE READER")
    account.run("OWNER", "SELECT * FROM MY_VIEW")


def test_a_renamed_view_keeps_its_grants_and_its_owners_limits(account: Account) -> None:
    account.run(
        "READER", "CREATE VIEW BEFORE AS SELECT A FROM OPEN", "GRANT SELECT ON VIEW BEFORE TO ROLE OTHER"
    )
    account.run("READER", "ALTER VIEW BEFORE RENAME TO AFTERWARDS")
    account.run(
        "OWNER", "GRANT USAGE ON DATABASE SHOP TO ROLE OTHER", "GRANT USAGE ON SCHEMA S TO ROLE OTHER"
    )
    account.run("OTHER", "SELECT * FROM SHOP.S.AFTERWARDS")
    account.run("OWNER", "REVOKE SELECT ON TABLE OPEN FROM ROLE READER")
    try:
        account.denies("OTHER", "SELECT * FROM SHOP.S.AFTERWARDS", 2037)
    finally:
        account.run("OWNER", "GRANT SELECT ON TABLE OPEN TO ROLE READER")


def test_a_stream_needs_select_on_itself_and_on_its_table(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE TR (A INT)")
    account.run("OWNER", "GRANT SELECT ON TABLE TR TO ROLE READER")
    text = account.denies("READER", "CREATE STREAM ST ON TABLE TR", DENIED)
    assert "stream source without CHANGE_TRACKING enabled" in text
    account.run("OWNER", "CREATE STREAM ST ON TABLE TR", "INSERT INTO TR VALUES (1)")
    account.run("READER", "CREATE STREAM ST2 ON TABLE TR")
    for statement in ("SELECT A FROM ST", "SELECT SYSTEM$STREAM_HAS_DATA('ST')", "DESCRIBE STREAM ST"):
        account.denies("READER", statement)
    account.run("OWNER", "GRANT SELECT ON STREAM ST TO ROLE READER")
    assert account.run("READER", "SELECT A FROM ST") == [(1,)]
    assert account.run("READER", "SELECT SYSTEM$STREAM_HAS_DATA('ST')") == [(True,)]
    account.run("READER", "DESCRIBE STREAM ST")
    account.denies("READER", "DROP STREAM ST", DENIED)
    account.run("OWNER", "REVOKE SELECT ON TABLE TR FROM ROLE READER")
    assert "'SHOP.S.TR'" in account.denies("READER", "SELECT A FROM ST")


def test_a_stream_on_a_view_needs_select_on_the_view(account: Account) -> None:
    account.run("OWNER", "CREATE TABLE TB (A INT)", "CREATE VIEW TV AS SELECT * FROM TB")
    account.run("OWNER", "GRANT SELECT ON VIEW TV TO ROLE READER")
    text = account.denies("READER", "CREATE STREAM SV ON VIEW TV", DENIED)
    assert "stream source without CHANGE_TRACKING enabled 'TB'" in text
    account.run("OWNER", "CREATE STREAM SV ON VIEW TV", "INSERT INTO TB VALUES (1)")
    account.run("OWNER", "GRANT SELECT ON STREAM SV TO ROLE READER")
    assert account.run("READER", "SELECT A FROM SV") == [(1,)]
    account.run("OWNER", "REVOKE SELECT ON VIEW TV FROM ROLE READER")
    assert "'SHOP.S.TV'" in account.denies("READER", "SELECT A FROM SV")


def test_staged_files_need_read_and_write(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("5,five\n")
    account.run(
        "OWNER",
        "CREATE STAGE BOX",
        "CREATE FILE FORMAT LINES TYPE = CSV",
        f"PUT file://{file} @BOX AUTO_COMPRESS = FALSE",
    )
    put = f"PUT file://{file} @SHOP.S.BOX/more AUTO_COMPRESS = FALSE"
    copy = "COPY INTO OPEN FROM @BOX/rows.csv FILE_FORMAT = (FORMAT_NAME = 'LINES')"
    for statement in ("LIST @BOX", put, copy, "REMOVE @BOX/more"):
        account.denies("READER", statement)
    account.run("OWNER", "GRANT READ ON STAGE BOX TO ROLE READER")
    assert len(account.run("READER", "LIST @BOX")) == 1
    account.denies("READER", put, DENIED)
    account.denies("READER", "REMOVE @BOX", DENIED)
    assert "LINES" in account.denies("READER", copy)
    account.run("OWNER", "GRANT USAGE ON FILE FORMAT LINES TO ROLE READER")
    account.run("READER", copy)
    assert account.run("READER", "SELECT B FROM OPEN WHERE A = 5") == [("five",)]
    account.denies("READER", copy.replace("OPEN", "T"))
    account.run("OWNER", "GRANT WRITE ON STAGE BOX TO ROLE READER")
    account.run("READER", put, "REMOVE @BOX/more")
    account.denies("READER", "DROP STAGE BOX", DENIED)


def test_the_way_to_an_object_leads_through_its_database_and_schema(account: Account) -> None:
    account.run("OWNER", "GRANT SELECT ON TABLE SHOP.HIDDEN.T TO ROLE READER")
    account.denies("READER", "SELECT * FROM SHOP.HIDDEN.T")
    account.denies("READER", "USE SCHEMA SHOP.HIDDEN", 2043)
    account.run("OWNER", "GRANT USAGE ON SCHEMA SHOP.HIDDEN TO ROLE READER")
    assert account.run("READER", "SELECT * FROM SHOP.HIDDEN.T") == [("secret",)]
    account.run("READER", "USE SCHEMA SHOP.HIDDEN", "USE SCHEMA SHOP.S")
    account.run("OWNER", "REVOKE USAGE ON SCHEMA SHOP.HIDDEN FROM ROLE READER")
    account.denies("READER", "SELECT * FROM SHOP.HIDDEN.T")


def test_a_query_needs_a_warehouse_that_the_role_may_use(account: Account) -> None:
    account.denies("READER", "USE WAREHOUSE WH", 2043)
    connection = account.server.connect(role="READER", database="SHOP", schema="S", warehouse="WH")
    with pytest.raises(Exception, match="No active warehouse selected"):
        connection.cursor().execute("SELECT * FROM OPEN")
    account.run("ACCOUNTADMIN", "GRANT USAGE ON WAREHOUSE WH TO ROLE READER")
    connection.cursor().execute("SELECT * FROM OPEN")
    for statement in (
        "ALTER WAREHOUSE WH SUSPEND",
        "ALTER WAREHOUSE WH SET AUTO_SUSPEND = 1",
        "DROP WAREHOUSE WH",
    ):
        account.denies("READER", statement, DENIED)
    account.run("ACCOUNTADMIN", "GRANT OPERATE ON WAREHOUSE WH TO ROLE READER")
    account.run("READER", "ALTER WAREHOUSE WH SUSPEND")
    account.run("ACCOUNTADMIN", "REVOKE USAGE, OPERATE ON WAREHOUSE WH FROM ROLE READER")
    connection.close()


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("SHOW TABLES IN SCHEMA SHOP.S", "name"),
        ("SHOW TABLES LIKE 't' IN ACCOUNT", "name"),
        ("SHOW OBJECTS IN DATABASE SHOP", "name"),
        ("SHOW TERSE TABLES IN SCHEMA SHOP.S", "name"),
        ("SHOW COLUMNS IN SCHEMA SHOP.S", "table_name"),
        ("SELECT TABLE_NAME FROM SHOP.INFORMATION_SCHEMA.TABLES", "TABLE_NAME"),
        ("SELECT X.TABLE_NAME FROM INFORMATION_SCHEMA.COLUMNS AS X", "TABLE_NAME"),
        ("WITH I AS (SELECT * FROM INFORMATION_SCHEMA.TABLES) SELECT TABLE_NAME FROM I", "TABLE_NAME"),
    ],
)
def test_only_what_the_role_may_see_is_listed(account: Account, statement: str, column: str) -> None:
    seen = {row[column] for row in account.rows("READER", statement)}
    assert "T" not in seen
    assert "T" in {row[column] for row in account.rows("OWNER", statement)}
    if "LIKE" not in statement:
        assert "OPEN" in seen


def test_schemas_and_databases_are_listed_to_who_may_enter(account: Account) -> None:
    listed = {
        "SHOW SCHEMAS IN DATABASE SHOP": "name",
        "SELECT SCHEMA_NAME FROM SHOP.INFORMATION_SCHEMA.SCHEMATA": "SCHEMA_NAME",
    }
    for statement, column in listed.items():
        names = {row[column] for row in account.rows("READER", statement)}
        assert "S" in names
        assert "HIDDEN" not in names
    account.run("ACCOUNTADMIN", "CREATE DATABASE IF NOT EXISTS UNSEEN_DB")
    assert "UNSEEN_DB" not in {row["name"] for row in account.rows("READER", "SHOW DATABASES")}
    assert "UNSEEN_DB" in {row["name"] for row in account.rows("ACCOUNTADMIN", "SHOW DATABASES")}
    (table,) = account.rows("READER", "SHOW TABLES LIKE 'OPEN' IN SCHEMA SHOP.S")
    assert table.get("owner", "OWNER") == "OWNER"


def test_statements_are_listed_to_who_ran_them(account: Account) -> None:
    account.run("ACCOUNTADMIN", "CREATE USER IF NOT EXISTS CURIOUS PASSWORD = 'Curious-1900'")
    connection = account.server.connect(user="CURIOUS", password="Curious-1900")
    rows = connection.cursor().execute(
        "SELECT DISTINCT USER_NAME FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 1000))"
    )
    assert rows.fetchall() == [("CURIOUS",)]
    with pytest.raises(Exception, match="not found"):
        query = account.server.connect().cursor().execute("SELECT 1").sfqid
        connection.cursor().execute(f"SELECT * FROM TABLE(RESULT_SCAN('{query}'))")
    connection.close()


def test_the_owner_out_of_reach_is_out_of_the_administrators_reach_too(account: Account) -> None:
    """ACCOUNTADMIN sees everything, and uses what its hierarchy owns or was granted."""
    account.denies("ACCOUNTADMIN", "SELECT * FROM SHOP.S.T", DENIED)
    account.denies("ACCOUNTADMIN", "DROP DATABASE SHOP", DENIED)
    account.denies("ACCOUNTADMIN", "SELECT * FROM SHOP.S.NONE")
