"""Who gets in by which credential, with which role, and what the others are told."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import jwt
import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

from tests.keys import KeyPair, key_pair
from tests.warehouse.conftest import Server

PAIR = key_pair("service")
STRANGER = key_pair("stranger")
ISSUER = "https://idp.caves.example"
AUDIENCE = "https://warehouse.caves.example"
STATEMENTS = f"""
CREATE DATABASE CELLAR_DB;
CREATE SCHEMA CELLAR_DB.RAW;
CREATE USER SERVICE TYPE = SERVICE LOGIN_NAME = 'svc.caves' DEFAULT_ROLE = PUBLIC DEFAULT_WAREHOUSE = WH
    DEFAULT_NAMESPACE = CELLAR_DB.PUBLIC RSA_PUBLIC_KEY = '{PAIR.public}';
GRANT USAGE ON DATABASE CELLAR_DB TO ROLE PUBLIC;
GRANT USAGE ON ALL SCHEMAS IN DATABASE CELLAR_DB TO ROLE PUBLIC;
CREATE USER ALBERT PASSWORD = 'Albert-1900' EMAIL = 'albert@caves.example';
CREATE SECURITY INTEGRATION IDP TYPE = EXTERNAL_OAUTH ENABLED = TRUE EXTERNAL_OAUTH_TYPE = CUSTOM
    EXTERNAL_OAUTH_ISSUER = '{ISSUER}' EXTERNAL_OAUTH_RSA_PUBLIC_KEY = '{key_pair("idp").public}'
    EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM = ('upn', 'sub')
    EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE = 'LOGIN_NAME'
    EXTERNAL_OAUTH_AUDIENCE_LIST = ('{AUDIENCE}');
"""


@pytest.fixture(scope="module")
def root(shared_server: Server) -> Iterator[Any]:
    """The local user's cursor; the account has a service, a person and an OAuth server."""
    connection = shared_server.connect()
    cursor = connection.cursor()
    for statement in STATEMENTS.split(";")[:-1]:
        cursor.execute(statement)
    yield cursor
    connection.close()


def with_key(server: Server, pair: KeyPair = PAIR, **options: Any) -> Any:
    """A connection of the service by its key."""
    defaults = {
        "user": "svc.caves",
        "password": None,
        "authenticator": "SNOWFLAKE_JWT",
        "private_key": pair.key,
    }
    return server.connect(**{**defaults, **options})


def post(server: Server, **data: Any) -> dict[str, Any]:
    """A login request, exactly as it is given, and its answer."""
    connection = HTTPConnection(server.host, server.port, timeout=60)
    try:
        connection.request("POST", "/session/v1/login-request", json.dumps({"data": data}))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def signed(pair: KeyPair = PAIR, algorithm: str = "RS256", **claims: Any) -> str:
    """A token as a client makes it for the service, but for what is given."""
    fingerprint = "SHA256:" + b64encode(hashlib.sha256(b64decode(pair.public)).digest()).decode()
    now = int(time.time())
    said = {"iss": f"LOCAL.SVC.CAVES.{fingerprint}", "sub": "LOCAL.SVC.CAVES", "iat": now, "exp": now + 60}
    said |= claims
    key: Any = pair.key if algorithm == "RS256" else pair.public
    return jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm)


def failure_of(root: Any, answer: dict[str, Any]) -> str:
    """What an administrator learns of a refusal from the id in its text."""
    failure = answer["message"].rpartition("[")[2].rstrip("]")
    ((details,),) = root.execute(f"SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('{failure}')").fetchall()
    return str(json.loads(details)["errorCode"])


def test_key_opens_a_session_with_the_users_defaults(shared_server: Server, root: Any) -> None:
    connection = with_key(shared_server)
    assert (connection.user, connection.role, connection.warehouse) == ("svc.caves", "PUBLIC", "WH")
    row = connection.cursor().execute(
        "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_SCHEMA()"
    )
    assert row.fetchone() == ("SERVICE", "PUBLIC", "CELLAR_DB", "PUBLIC")
    connection.close()


def test_connection_wins_over_the_users_defaults(shared_server: Server, root: Any) -> None:
    connection = with_key(shared_server, warehouse="other", database="CELLAR_DB", schema="raw")
    assert (connection.warehouse, connection.schema) == ("OTHER", "RAW")
    connection.close()


def test_another_key_is_refused_as_snowflake_does(shared_server: Server, root: Any) -> None:
    with pytest.raises(DatabaseError, match=r"JWT token is invalid. \[[0-9a-f-]{36}\]") as refused:
        with_key(shared_server, STRANGER)
    assert refused.value.errno == 390144


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": int(time.time()) - 1}, "JWT_TOKEN_INVALID_EXPIRATION_TIME"),
        ({"iat": int(time.time()) - 7200, "exp": 4102444800}, "JWT_TOKEN_INVALID_EXPIRATION_TIME"),
        ({"iat": int(time.time()) - 600, "exp": 4102444800}, "JWT_TOKEN_INVALID_ISSUE_TIME"),
        ({"iat": int(time.time()) + 9600, "exp": 4102444800}, "JWT_TOKEN_INVALID_ISSUE_TIME"),
        ({"exp": None}, "JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME"),
        ({"iss": None}, "JWT_TOKEN_INVALID"),
        ({"iss": "LOCAL.SVC.CAVES"}, "JWT_TOKEN_INVALID"),
        ({"sub": "LOCAL.CAVES"}, "JWT_TOKEN_INVALID"),
        ({"sub": None}, "JWT_TOKEN_INVALID"),
        ({"iss": "OTHER.SVC.CAVES.SHA256:x"}, "JWT_TOKEN_ACCOUNT_MISMATCH"),
        ({"iss": "LOCAL.NOBODY.SHA256:x"}, "JWT_TOKEN_INVALID_USER_IN_ISSUER"),
        ({"iss": "LOCAL.SVC.CAVES.SHA256:x"}, "JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH"),
    ],
)
def test_token_that_claims_too_much_is_refused(
    shared_server: Server, root: Any, claims: dict[str, Any], code: str
) -> None:
    answer = post(shared_server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=signed(**claims))
    assert (answer["success"], answer["code"]) == (False, "390144")
    assert failure_of(root, answer) == code


def test_token_signed_by_another_for_the_right_fingerprint_is_refused(
    shared_server: Server, root: Any
) -> None:
    issuer = jwt.decode(signed(), options={"verify_signature": False})["iss"]
    answer = post(shared_server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=signed(STRANGER, iss=issuer))
    assert failure_of(root, answer) == "JWT_TOKEN_INVALID_SIGNATURE"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_token_without_a_signature_of_a_key_pair_is_refused(
    shared_server: Server, root: Any, algorithm: str
) -> None:
    # HS256 with the public key as the secret is the classical forgery.
    token = jwt.encode(
        {"iss": "LOCAL.SVC.CAVES.SHA256:x"}, PAIR.public if algorithm == "HS256" else "", algorithm
    )
    answer = post(shared_server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token)
    assert failure_of(root, answer) == "JWT_TOKEN_INVALID_ALGORITHM"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ey.ey.ey", "\ud800", None, 5])
@pytest.mark.parametrize(("authenticator", "code"), [("SNOWFLAKE_JWT", "390144"), ("OAUTH", "390303")])
def test_what_is_no_token_gets_an_answer(
    shared_server: Server, root: Any, authenticator: str, code: str, token: Any
) -> None:
    assert post(shared_server, AUTHENTICATOR=authenticator, TOKEN=token)["code"] == code


def test_token_of_one_user_does_not_open_for_another(shared_server: Server, root: Any) -> None:
    answer = post(shared_server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=signed(), LOGIN_NAME="LOCAL")
    assert failure_of(root, answer) == "JWT_TOKEN_INVALID"


def test_key_is_rotated_without_a_gap(shared_server: Server, root: Any) -> None:
    new = key_pair("new")
    root.execute(f"CREATE USER ROTATED RSA_PUBLIC_KEY = '{PAIR.public}'")
    root.execute(f"ALTER USER ROTATED SET RSA_PUBLIC_KEY_2 = '{new.public}'")
    for pair in (PAIR, new):
        with_key(shared_server, pair, user="ROTATED").close()
    root.execute("ALTER USER ROTATED UNSET RSA_PUBLIC_KEY")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        with_key(shared_server, PAIR, user="ROTATED")
    with_key(shared_server, new, user="ROTATED").close()


def test_disabled_user_is_not_let_in(shared_server: Server, root: Any) -> None:
    root.execute(f"CREATE USER GONE DISABLED = TRUE RSA_PUBLIC_KEY = '{PAIR.public}'")
    with pytest.raises(DatabaseError, match="User access disabled") as refused:
        with_key(shared_server, user="GONE")
    assert refused.value.errno == 390101


def test_users_password_opens_and_another_does_not(shared_server: Server, root: Any) -> None:
    connection = shared_server.connect(user="albert", password="Albert-1900")
    assert connection.cursor().execute("SELECT CURRENT_USER()").fetchone() == ("ALBERT",)
    connection.close()
    for name, password in (
        ("albert", "Albert-1901"),
        ("albert", ""),
        ("svc.caves", ""),
        ("nobody", "x"),
        ("albert", "\ud800"),
    ):
        answer = post(shared_server, LOGIN_NAME=name, PASSWORD=password)
        assert (answer["code"], answer["message"]) == (
            "390100",
            "Incorrect username or password was specified.",
        )


@pytest.mark.parametrize("name", ["svc.caves", "SERVICE", "albert", "nobody"])
def test_local_password_is_the_local_users_alone(shared_server: Server, root: Any, name: str) -> None:
    answer = post(shared_server, LOGIN_NAME=name, PASSWORD=shared_server.warehouse.password)
    assert answer["code"] == "390100"


def test_role_is_one_that_the_user_has(shared_server: Server, root: Any) -> None:
    root.execute("CREATE ROLE CELLARMAN")
    root.execute("CREATE ROLE COOPER")
    root.execute("GRANT ROLE COOPER TO ROLE CELLARMAN")
    root.execute(f"CREATE USER STAFF DEFAULT_ROLE = CELLARMAN RSA_PUBLIC_KEY = '{PAIR.public}'")
    with pytest.raises(DatabaseError, match="configured default role 'CELLARMAN' is not granted"):
        with_key(shared_server, user="STAFF")
    root.execute("GRANT ROLE CELLARMAN TO USER STAFF")
    for role, taken in ((None, "CELLARMAN"), ("cooper", "COOPER"), ("PUBLIC", "PUBLIC")):
        connection = with_key(shared_server, user="STAFF", role=role)
        assert connection.role == taken
        connection.close()
    refusals = {
        "ACCOUNTADMIN": (390186, "is not granted to this user. Contact your local system administrator"),
        "NOWHERE": (390189, "does not exist or not authorized. Contact your local system administrator"),
    }
    for role, (code, text) in refusals.items():
        with pytest.raises(DatabaseError) as refused:
            with_key(shared_server, user="STAFF", role=role)
        assert refused.value.errno == code
        assert f"Role '{role}' specified in the connect string {text}" in str(refused.value)


def test_authenticator_that_is_not_there_is_named(shared_server: Server, root: Any) -> None:
    answer = post(shared_server, AUTHENTICATOR="EXTERNALBROWSER", LOGIN_NAME="albert")
    assert "Unsupported feature 'authenticator EXTERNALBROWSER'" in answer["message"]


def access_token(pair: KeyPair | None = None, **claims: Any) -> str:
    """An access token that is right, but for what is given."""
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "svc.caves", "scp": ["session:role:PUBLIC"], **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return (pair or key_pair("idp")).token(**said)


def test_oauth_token_opens_a_session(shared_server: Server, root: Any) -> None:
    connection = shared_server.connect(
        user="svc.caves", password=None, authenticator="oauth", token=access_token()
    )
    row = connection.cursor().execute("SELECT CURRENT_USER(), CURRENT_ROLE()").fetchone()
    assert row == ("SERVICE", "PUBLIC")
    connection.close()


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": None}, "EXTERNAL_OAUTH_MISSING_ISSUER"),
        ({"iss": "https://other.example"}, "EXTERNAL_OAUTH_ACCESS_TOKEN_ISSUER_NOT_FOUND"),
        ({"pair": STRANGER}, "EXTERNAL_OAUTH_INVALID_SIGNATURE"),
        ({"aud": None}, "EXTERNAL_OAUTH_MISSING_AUDIENCE"),
        ({"aud": "https://other.example"}, "EXTERNAL_OAUTH_AUDIENCE_VALIDATION_FAILED"),
        ({"sub": None}, "EXTERNAL_OAUTH_USER_CLAIM_MISSING"),
        ({"nbf": 4102444800, "exp": 4102444900}, "EXTERNAL_OAUTH_ACCESS_TOKEN_NOT_YET_VALID"),
    ],
)
def test_oauth_token_that_is_wrong_is_refused(
    shared_server: Server, root: Any, claims: dict[str, Any], code: str
) -> None:
    answer = post(shared_server, AUTHENTICATOR="OAUTH", TOKEN=access_token(**claims))
    assert answer["code"] == "390303"
    assert answer["message"].startswith("Invalid OAuth access token. [")
    assert failure_of(root, answer) == code


def test_oauth_token_that_has_expired_is_refused(shared_server: Server, root: Any) -> None:
    with pytest.raises(DatabaseError, match="OAuth access token expired") as refused:
        shared_server.connect(
            user="svc.caves",
            password=None,
            authenticator="oauth",
            token=access_token(exp=int(time.time()) - 1),
        )
    assert refused.value.errno == 390318


def test_oauth_token_of_nobody_is_refused_as_a_wrong_password_is(shared_server: Server, root: Any) -> None:
    assert post(shared_server, AUTHENTICATOR="OAUTH", TOKEN=access_token(upn="nobody"))["code"] == "390100"


@pytest.mark.parametrize("scope", [["session:role:OTHER"], [], ["PUBLIC"], "session:role-any"])
def test_oauth_token_is_good_for_the_roles_of_its_scope(shared_server: Server, root: Any, scope: Any) -> None:
    answer = post(shared_server, AUTHENTICATOR="OAUTH", TOKEN=access_token(scp=scope))
    assert answer["code"] == "390317"
    assert "('PUBLIC'), is not listed in the Access Token or was filtered" in answer["message"]


def test_oauth_session_keeps_to_the_roles_of_its_token(shared_server: Server, root: Any) -> None:
    for statement in (
        "CREATE ROLE LISTED",
        "CREATE ROLE NOT_LISTED",
        "CREATE USER GUEST DEFAULT_ROLE = LISTED",
        "GRANT ROLE LISTED TO USER GUEST",
        "GRANT ROLE NOT_LISTED TO USER GUEST",
        "CREATE TABLE CELLAR_DB.RAW.SECRET (A INT)",
        "GRANT USAGE ON DATABASE CELLAR_DB TO ROLE NOT_LISTED",
        "GRANT USAGE ON SCHEMA CELLAR_DB.RAW TO ROLE NOT_LISTED",
        "GRANT SELECT ON TABLE CELLAR_DB.RAW.SECRET TO ROLE NOT_LISTED",
    ):
        root.execute(statement)
    token = access_token(sub="GUEST", scp=["session:role:LISTED"])
    connection = shared_server.connect(user="GUEST", password=None, authenticator="oauth", token=token)
    cursor = connection.cursor()
    with pytest.raises(ProgrammingError, match="Requested role 'NOT_LISTED' is not assigned"):
        cursor.execute("USE ROLE NOT_LISTED")
    cursor.execute("USE SECONDARY ROLES ALL")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        cursor.execute("SELECT * FROM CELLAR_DB.RAW.SECRET")
    connection.close()


@pytest.mark.parametrize("scope", ["session:role:public session:role:x", "a,SESSION:ROLE:PUBLIC"])
def test_oauth_scope_may_be_one_string(shared_server: Server, root: Any, scope: str) -> None:
    assert post(shared_server, AUTHENTICATOR="OAUTH", TOKEN=access_token(scp=scope))["success"]


def test_oauth_integration_says_who_is_trusted(shared_server: Server, root: Any) -> None:
    alter = "ALTER SECURITY INTEGRATION IDP SET"

    def answer(**claims: Any) -> Any:
        return post(shared_server, AUTHENTICATOR="OAUTH", TOKEN=access_token(**claims))

    root.execute(f"{alter} EXTERNAL_OAUTH_ANY_ROLE_MODE = ENABLE")
    assert answer(scp="session:role-any")["success"]
    root.execute(f"{alter} EXTERNAL_OAUTH_BLOCKED_ROLES_LIST = ('PUBLIC')")
    assert answer()["code"] == "390317"
    root.execute("ALTER SECURITY INTEGRATION IDP UNSET EXTERNAL_OAUTH_BLOCKED_ROLES_LIST")
    root.execute(f"{alter} EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE = 'EMAIL_ADDRESS'")
    assert answer(upn="Albert@caves.example")["data"]["sessionInfo"]["roleName"] == "PUBLIC"
    root.execute(f"{alter} ENABLED = FALSE")
    assert failure_of(root, answer()) == "EXTERNAL_OAUTH_ACCESS_TOKEN_ISSUER_NOT_ENABLED"
    root.execute("DROP SECURITY INTEGRATION IDP")
    assert failure_of(root, answer()) == "EXTERNAL_OAUTH_ACCESS_TOKEN_ISSUER_NOT_FOUND"
