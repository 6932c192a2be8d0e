"""Key pairs and OAuth tokens through all that we have: `caves`, ingest, dashboard, Snowpark, `snow`."""

import json
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_cli import snow
from caves_cli.commands.dashboard import _open
from caves_cli.connection import target
from caves_cli.exit_codes import ExitCode
from caves_snowpark import names
from ingest.loader import warehouse_sink
from ingest.settings import IngestSettings
from tests.cli.conftest import Caves
from tests.clients.clients import Client
from tests.clients.conftest import PASSPHRASE, Shop
from tests.keys import key_pair

WAYS_IN = ("key", "encrypted key", "key in the environment", "token in a file", "token in the environment")


@pytest.fixture
def owner(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Client:
    """The owner's connection, by the way in that the test names."""
    match getattr(request, "param", "encrypted key"):
        case "key":
            return shop.keyed(tmp_path)
        case "encrypted key":
            monkeypatch.setenv("PRIVATE_KEY_PASSPHRASE", PASSPHRASE)
            return shop.keyed(tmp_path, private_key_path=shop.keys / "encrypted.p8")
        case "key in the environment":
            monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_PRIVATE_KEY_RAW", key_pair("owner").pem())
            monkeypatch.setenv("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT")
            return shop.connection(tmp_path, user="CAVES_OWNER")
        case "token in a file":
            (tmp_path / "token").write_text(f"{shop.token()}\n", encoding="utf-8")
            return shop.connection(
                tmp_path, user="CAVES_OWNER", authenticator="oauth", token_file_path=tmp_path / "token"
            )
        case _:
            monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_TOKEN", shop.token())
            return shop.connection(tmp_path, user="CAVES_OWNER", authenticator="OAUTH")


@pytest.mark.parametrize("owner", WAYS_IN, indirect=True)
def test_caves_comes_in(caves: Caves, owner: Client) -> None:
    done = caves("status", "-c", owner.name, "--config-file", str(owner.config_file), "--json")
    assert done.code == ExitCode.OK, done.err
    assert json.loads(done.out)["rows"]["orders"] > 0


def test_the_ingestor_comes_in(owner: Client) -> None:
    sink = warehouse_sink(IngestSettings("unused", connection=owner.name, config_file=owner.config_file))
    assert sink.stored_offsets("sales_events", {}) == {}
    sink.close()


def test_the_dashboard_comes_in(owner: Client) -> None:
    session = _open(target(owner.name, owner.config_file))
    assert session.table(names.ORDERS).count() > 0
    assert session.sql("SELECT CURRENT_USER()").collect()[0][0] == "CAVES_OWNER"
    session.close()


def test_a_snowpark_session_comes_in(owner: Client) -> None:
    session = Session.builder.configs({"connection": owner.connector()}).create()
    assert session.get_current_role() == '"CAVES_ADMIN"'
    session.close()


@pytest.mark.parametrize("owner", ["encrypted key", "token in a file"], indirect=True)
def test_the_snow_cli_comes_in_by_the_same_file(
    owner: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The CLI ignores the connections of --config-file where it finds this one; `caves` keeps it from that.
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))
    (tmp_path / "connections.toml").write_text("[other]\n", encoding="utf-8")
    question = "SELECT CURRENT_USER() AS WHO, CURRENT_ROLE() AS AS_WHAT"
    arguments = ["--config-file", str(owner.config_file), "sql", "-c", owner.name, "-q", question]
    done = snow.run([*arguments, "--format", "json"], folder=tmp_path, environment={})
    assert done.code == 0, done.errors
    assert json.loads(done.output) == [{"WHO": "CAVES_OWNER", "AS_WHAT": "CAVES_ADMIN"}]


def refused(caves: Caves, client: Client) -> str:
    """The one sentence that `caves status` says, with nothing else around it."""
    done = caves("status", "-c", client.name, "--config-file", str(client.config_file))
    assert done.code == ExitCode.UNREACHABLE
    assert done.out == ""
    assert "Traceback" not in done.err
    assert f"'{client.name}'" in done.err
    return " ".join(done.err.split())


def test_wrong_key_says_where_the_right_one_is_seen(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    said = refused(caves, shop.keyed(tmp_path, private_key_file=shop.keys / "analyst.p8"))
    assert "refused user 'CAVES_OWNER' of connection 'prod'" in said
    assert "JWT token is invalid. [" in said and "DESCRIBE USER shows its RSA_PUBLIC_KEY_FP" in said


def test_wrong_user_says_the_same(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    said = refused(caves, shop.keyed(tmp_path, user="NOBODY"))
    assert "refused user 'NOBODY'" in said and "JWT token is invalid" in said


def test_expired_key_token_is_refused(
    caves: Caves, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine whose clock is wrong.
    monkeypatch.setenv("JWT_LIFETIME_IN_SECONDS", "-60")
    assert "this machine's clock right?" in refused(caves, shop.keyed(tmp_path))


def test_expired_oauth_token_says_to_get_a_new_one(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    said = {"user": "CAVES_OWNER", "authenticator": "OAUTH", "token": shop.token(exp=1)}
    assert "OAuth access token expired" in (text := refused(caves, shop.connection(tmp_path, **said)))
    assert "Get a new token, into token_file_path or token." in text


def test_token_without_the_role_says_which_scope_it_needs(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    said = {"user": "CAVES_OWNER", "authenticator": "OAUTH", "token": shop.token(scp="session:role:OTHER")}
    assert "the scope session:role:NAME" in refused(caves, shop.connection(tmp_path, **said))


def test_rotated_key_is_refused_once_it_is_unset(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    old, new = key_pair("old"), key_pair("new")
    shop.run(
        f"CREATE USER ROTATED DEFAULT_ROLE = CAVES_ADMIN RSA_PUBLIC_KEY = '{old.public}'",
        "GRANT ROLE CAVES_ADMIN TO USER ROTATED",
        f"ALTER USER ROTATED SET RSA_PUBLIC_KEY_2 = '{new.public}'",
    )
    by_old = shop.keyed(tmp_path, user="ROTATED", private_key_file=old.write(tmp_path / "old.p8"))
    by_new = shop.keyed(tmp_path, name="new", user="ROTATED", private_key_file=new.write(tmp_path / "new.p8"))
    by_old.connector().close()
    shop.run("ALTER USER ROTATED UNSET RSA_PUBLIC_KEY")
    assert "JWT token is invalid" in refused(caves, by_old)
    by_new.connector().close()


def test_disabled_user_says_who_helps(caves: Caves, shop: Shop, tmp_path: Path) -> None:
    shop.run(f"CREATE USER GONE DISABLED = TRUE RSA_PUBLIC_KEY = '{key_pair('owner').public}'")
    assert "SET DISABLED = FALSE" in refused(caves, shop.keyed(tmp_path, user="GONE"))


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"private_key_file": "nowhere.p8"}, "its private key nowhere.p8 cannot be read"),
        ({"private_key_passphrase": "ferme-toi"}, "does not open with this passphrase"),
        ({}, "is encrypted and there is no passphrase. Set PRIVATE_KEY_PASSPHRASE."),
        ({"authenticator": "snowflake"}, 'Set authenticator = "SNOWFLAKE_JWT"'),
    ],
)
def test_key_that_cannot_be_used_is_said_before_the_warehouse_is_asked(
    caves: Caves, shop: Shop, tmp_path: Path, said: dict[str, Any], says: str
) -> None:
    said = {"private_key_file": shop.keys / "encrypted.p8", **said}
    client = shop.keyed(tmp_path, **said)
    assert says in refused(caves, client)
