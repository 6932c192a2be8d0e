"""CREATE, ALTER, DROP, SHOW and DESCRIBE USER, and what is kept of one."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.history import KEPT_CHARACTERS
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.keys import key_pair
from tests.warehouse.conftest import Query, rows_of


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One account for the questions of this module."""
    warehouse = Warehouse(tmp_path_factory.mktemp("users") / "cellar.duckdb")
    yield warehouse
    warehouse.close()


@pytest.fixture
def session(account: Warehouse) -> Any:
    opened = account.open_session()
    yield opened
    for name in set(account.users.all) - {"LOCAL"}:
        opened.execute(f'DROP USER "{name}"')
    account.close_session(opened)


@pytest.fixture
def query(session: Session) -> Query:
    return rows_of(session)


def described(query: Query, name: str) -> dict[str, str]:
    return {row["property"]: row["value"] for row in query(f"DESCRIBE USER {name}")}


def shown(query: Query, name: str) -> dict[str, Any]:
    (row,) = query(f"SHOW USERS LIKE '{name}'")
    return row


def refused(query: Query, sql: str) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught:
        query(sql)
    return caught.value


def test_user_has_what_it_was_created_with(query: Query) -> None:
    query(
        f"CREATE USER ingest TYPE = SERVICE LOGIN_NAME = 'svc.ingest' DEFAULT_ROLE = caves_ingest "
        "DEFAULT_WAREHOUSE = compute_wh DEFAULT_NAMESPACE = cellar_db.raw DEFAULT_SECONDARY_ROLES = () "
        f"RSA_PUBLIC_KEY = '{key_pair('ingest').public}' COMMENT = 'loads; it''s a service'"
    )
    row = shown(query, "INGEST")
    assert {name: row[name] for name in ("login_name", "type", "default_role", "default_namespace")} == {
        "login_name": "SVC.INGEST",
        "type": "SERVICE",
        "default_role": "CAVES_INGEST",
        "default_namespace": "CELLAR_DB.RAW",
    }
    assert (row["default_secondary_roles"], row["comment"]) == ("[]", "loads; it's a service")
    assert (row["has_rsa_public_key"], row["has_password"], row["disabled"]) == ("true", "false", "false")


def test_fingerprint_is_what_openssl_computes(query: Query) -> None:
    body = key_pair("ingest").public
    query(f"CREATE USER ingest RSA_PUBLIC_KEY = '{body}'")
    digest = hashlib.sha256(base64.b64decode(body)).digest()
    assert described(query, "ingest")["RSA_PUBLIC_KEY_FP"] == f"SHA256:{base64.b64encode(digest).decode()}"


def test_key_may_stand_in_its_frame(query: Query) -> None:
    body = key_pair("ingest").public
    framed = f"-----BEGIN PUBLIC KEY-----\n{body[:64]}\n{body[64:]}\n-----END PUBLIC KEY-----\n"
    query(f"CREATE USER a RSA_PUBLIC_KEY = '{body}' RSA_PUBLIC_KEY_2 = $${framed}$$")
    seen = described(query, "a")
    assert seen["RSA_PUBLIC_KEY_FP"] == seen["RSA_PUBLIC_KEY_2_FP"]


@pytest.mark.parametrize("text", ["garbage", "MIIB", "ssh-rsa AAAAB3NzaC1yc2E"])
def test_what_is_no_key_is_refused_and_nothing_is_made(query: Query, text: str) -> None:
    error = refused(query, f"CREATE USER a RSA_PUBLIC_KEY = '{text}'")
    assert "New public key rejected by current policy. Reason: 'Invalid Public key'" in error.message
    assert query("SHOW USERS LIKE 'A'") == []


@pytest.mark.fact(36)
def test_service_cannot_have_a_password(query: Query) -> None:
    error = refused(query, "CREATE USER a TYPE = SERVICE PASSWORD = 'Albert-1900'")
    assert error.message == "SQL execution error: Cannot set PASSWORD on users with TYPE=SERVICE."
    query("CREATE USER a PASSWORD = 'Albert-1900'")
    query("ALTER USER a SET TYPE = SERVICE")
    assert shown(query, "A")["has_password"] == "false"
    assert "Cannot set PASSWORD" in refused(query, "ALTER USER a SET PASSWORD = 'Albert-1900'").message


def test_legacy_service_may_have_a_password(query: Query) -> None:
    query("CREATE USER a TYPE = LEGACY_SERVICE PASSWORD = 'Albert-1900'")
    assert described(query, "a")["PASSWORD"] == "********"


def test_key_is_rotated_and_unset(query: Query) -> None:
    old, new = key_pair("old").public, key_pair("new").public
    query(f"CREATE USER a RSA_PUBLIC_KEY = '{old}'")
    query(f"ALTER USER a SET RSA_PUBLIC_KEY_2 = '{new}'")
    assert described(query, "a")["RSA_PUBLIC_KEY_2"] == new
    query("ALTER USER a UNSET RSA_PUBLIC_KEY, COMMENT")
    seen = described(query, "a")
    assert (seen["RSA_PUBLIC_KEY"], seen["RSA_PUBLIC_KEY_FP"], seen["HAS_KEYPAIR"]) == (
        "null",
        "null",
        "true",
    )


def test_create_knows_or_replace_and_if_not_exists(query: Query) -> None:
    query("CREATE USER a COMMENT = 'first'")
    assert refused(query, "CREATE USER a").message == "SQL compilation error:\nObject 'A' already exists."
    query("CREATE USER IF NOT EXISTS a COMMENT = 'second'")
    assert shown(query, "A")["comment"] == "first"
    query("CREATE OR REPLACE USER a COMMENT = 'third'")
    assert shown(query, "A")["comment"] == "third"


def test_renamed_user_keeps_its_login_name(query: Query) -> None:
    query("CREATE USER a")
    query("ALTER USER a RENAME TO b")
    assert shown(query, "B")["login_name"] == "A"
    assert query("SHOW USERS LIKE 'A'") == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("ALTER USER nobody SET COMMENT = 'x'", "User 'NOBODY' does not exist or not authorized."),
        ("DROP USER nobody", "User 'NOBODY' does not exist or not authorized."),
        ("DESCRIBE USER nobody", "User 'NOBODY' does not exist or not authorized."),
        ("CREATE USER a NO_SUCH = 1", "invalid property 'NO_SUCH' for 'USER'"),
        ("CREATE USER a COMMENT = 'x' COMMENT = 'y'", "duplicate property 'COMMENT';"),
        ("CREATE USER a TYPE = ROBOT", "invalid value 'ROBOT' for property 'TYPE'"),
        ("CREATE USER a DISABLED = PERHAPS", "invalid value [PERHAPS] for parameter 'DISABLED'"),
        (
            "CREATE USER a TYPE = SERVICE FIRST_NAME = 'x'",
            "Cannot set FIRST_NAME on users with TYPE=SERVICE.",
        ),
        ("CREATE USER a LOGIN_NAME = 'local'", "User with login name 'LOCAL' already exists."),
        ("CREATE USER a NETWORK_POLICY = p", "Unsupported feature 'NETWORK_POLICY of a user'"),
        ("CREATE USER a TIMEZONE = 'UTC'", "Unsupported feature 'TIMEZONE of a user'"),
        ("ALTER USER caves RESET PASSWORD", "Unsupported feature 'ALTER USER ... RESET PASSWORD'"),
        ("DROP USER local", "Unsupported feature 'DROP of user LOCAL'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(query: Query, statement: str, says: str) -> None:
    assert says in refused(query, statement).message
    assert [row["name"] for row in query("SHOW USERS")] == ["LOCAL"]


def test_if_exists_makes_a_missing_user_no_error(query: Query) -> None:
    query("DROP USER IF EXISTS nobody")
    query("ALTER USER IF EXISTS nobody SET COMMENT = 'x'")


def test_only_who_administers_users_makes_and_sees_them(account: Warehouse, query: Query) -> None:
    query(f"CREATE USER a EMAIL = 'a@caves.example' RSA_PUBLIC_KEY = '{key_pair('old').public}'")
    other = account.open_session(user="OTHER", role="PUBLIC")
    ask = rows_of(other)
    for statement in ("CREATE USER b", "DROP USER a", "DESCRIBE USER a", "ALTER USER a SET DISABLED = TRUE"):
        error = refused(ask, statement)
        assert (error.errno, error.sqlstate) == (3001, "42501")
        assert "Insufficient privileges to operate on" in error.message
    (row,) = ask("SHOW USERS LIKE 'A'")
    assert (row["name"], row["email"], row["has_rsa_public_key"]) == ("A", None, None)
    account.close_session(other)


def test_one_sets_ones_own_defaults_and_nothing_else(account: Warehouse, query: Query) -> None:
    query("CREATE USER a")
    own = account.open_session(user="A", role="PUBLIC")
    rows_of(own)("ALTER USER SET DEFAULT_WAREHOUSE = compute_wh")
    assert shown(query, "A")["default_warehouse"] == "COMPUTE_WH"
    assert "Insufficient privileges" in refused(rows_of(own), "ALTER USER a SET COMMENT = 'x'").message
    account.close_session(own)


def test_role_is_granted_to_a_user_that_is_there_only(query: Query) -> None:
    query("CREATE ROLE IF NOT EXISTS CELLARMAN")
    error = refused(query, "GRANT ROLE CELLARMAN TO USER nobody")
    assert "User 'NOBODY' does not exist or not authorized." in error.message


@pytest.mark.parametrize("anew", [["DROP USER a", "CREATE USER a"], ["CREATE OR REPLACE USER a"]])
def test_user_made_anew_has_none_of_the_roles_of_the_old_one(
    account: Warehouse, query: Query, anew: list[str]
) -> None:
    query("CREATE ROLE IF NOT EXISTS CELLARMAN")
    query("CREATE USER a")
    query("GRANT ROLE CELLARMAN TO USER a")
    assert account.grants.roles_of("A") == {"PUBLIC", "CELLARMAN"}
    for statement in anew:
        query(statement)
    assert account.grants.roles_of("A") == {"PUBLIC"}


def test_renamed_user_keeps_its_roles_and_gets_no_others(account: Warehouse, query: Query) -> None:
    query("CREATE ROLE IF NOT EXISTS CELLARMAN")
    query("CREATE USER a")
    query("GRANT ROLE CELLARMAN TO USER a")
    query("ALTER USER a RENAME TO b")
    assert account.grants.roles_of("B") == {"PUBLIC", "CELLARMAN"}
    assert account.grants.roles_of("A") == {"PUBLIC"}


def test_sessions_of_a_dropped_or_disabled_user_end(account: Warehouse, query: Query) -> None:
    for statement in ("ALTER USER a SET DISABLED = TRUE", "DROP USER a"):
        query("CREATE OR REPLACE USER a")
        own = account.open_session(user="A", role="PUBLIC")
        query(statement)
        assert "Session no longer exists" in refused(rows_of(own), "SELECT 1").message


def test_users_and_integrations_outlive_the_server(tmp_path: Path) -> None:
    first = Warehouse(tmp_path / "cellar.duckdb")
    asking = first.open_session()
    asking.execute(f"CREATE USER a TYPE = SERVICE RSA_PUBLIC_KEY = '{key_pair('old').public}'")
    asking.execute("CREATE USER b PASSWORD = 'Albert-1900'")
    asking.execute("ALTER USER b SET COMMENT = 'kept'")
    asking.execute(
        "CREATE SECURITY INTEGRATION o TYPE = EXTERNAL_OAUTH ENABLED = TRUE EXTERNAL_OAUTH_TYPE = CUSTOM "
        "EXTERNAL_OAUTH_ISSUER = 'https://idp.example' EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM = ('sub') "
        "EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE = 'LOGIN_NAME'"
    )
    users, integrations = first.users.all, first.integrations.all
    first.close()
    second = Warehouse(tmp_path / "cellar.duckdb")
    assert (second.users.all, second.integrations.all) == (users, integrations)
    second.close()
    assert b"Albert-1900" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE USER a PASSWORD = 'Albert-1900'",
        "CREATE USER a PASSWORD='Albert-1900",
        "CREATE USER a PASWORD = 'Albert-1900'",
        "CREATE USER a TYPE = SERVICE PASSWORD = $$Albert-1900$$",
        "ALTER USER caves SET PASSWORD = Albert-1900",
        "CREAT USER a PASSWORD = 'Albert-1900'",
        "SELECT FROM WHERE password = 'Albert-1900' AND",
        "CREATE USER a RSA_PUBLIC_KEY = 'Albert-1900'",
        "CREATE USER a RSA_PUBLIC_KEY = '-----BEGIN PRIVATE KEY-----\nAlbert\n-----END PRIV'",
    ],
)
def test_secret_of_a_statement_is_neither_kept_nor_repeated(
    account: Warehouse, query: Query, statement: str
) -> None:
    try:
        query(statement)
        said = ""
    except WarehouseError as error:
        said = error.message
    record = account.history.records()[-1]
    assert "Albert" not in said + record.text + str(record.error_message)
    assert "*****" in record.text


def test_secret_where_the_text_is_cut_off_is_not_kept(account: Warehouse, query: Query) -> None:
    filler = "x" * (KEPT_CHARACTERS - 40)
    refused(query, f"CREATE USER a COMMENT = '{filler}' PASSWORD = 'Albert-1900")
    assert "Albert" not in account.history.records()[-1].text


def test_secret_in_a_variable_is_not_repeated_in_an_error(query: Query) -> None:
    query("SET secret = 'Albert-1900'")
    error = refused(query, "CREAT USER a PASSWORD = $secret")
    assert "Albert" not in error.message and "it holds a secret" in error.message


def test_no_value_is_bound_in_a_property(query: Query) -> None:
    assert "unexpected '?'" in refused(query, "CREATE USER a PASSWORD = ?").message


def test_statement_with_a_public_key_is_kept_as_it_is(account: Warehouse, query: Query) -> None:
    statement = f"CREATE USER a RSA_PUBLIC_KEY = '{key_pair('old').public}'"
    query(statement)
    assert account.history.records()[-1].text == statement
