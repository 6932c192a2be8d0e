"""Connections by name: found where the Snowflake CLI keeps them, and never a secret in a message."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.connections import ConnectionParameters, connect, load_connection, open_connection
from ingest.errors import (
    ConnectionFileUnreadable,
    ConnectionNotFound,
    WarehouseRefusedLogin,
    WarehouseUnreachable,
)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith(("SNOWFLAKE_", "CAVES_", "PRIVATE_KEY"))]:
        monkeypatch.delenv(variable)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path / "home"))


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_connection_in_an_explicit_file_is_the_one_taken(tmp_path: Path) -> None:
    _write(tmp_path / ".caves/config.toml", '[connections.local]\naccount = "folder"\n')
    file = _write(tmp_path / "mine.toml", '[connections.local]\naccount = "mine"\n')
    assert load_connection("local", file)["account"] == "mine"


def test_connection_file_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _write(tmp_path / "mine.toml", '[connections.local]\naccount = "mine"\n')
    monkeypatch.setenv("CAVES_CONFIG_FILE", str(file))
    assert load_connection("local")["account"] == "mine"


def test_local_folder_comes_before_the_home_folder(tmp_path: Path) -> None:
    _write(
        tmp_path / "home/config.toml",
        '[connections.local]\naccount = "home"\n[connections.prod]\naccount = "p"\n',
    )
    _write(tmp_path / ".caves/config.toml", '[connections.local]\naccount = "folder"\n')
    assert load_connection("local")["account"] == "folder"
    assert load_connection("prod")["account"] == "p"


def test_connections_toml_names_its_tables_without_a_prefix(tmp_path: Path) -> None:
    _write(tmp_path / "home/connections.toml", '[prod]\naccount = "p"\nprivate_key_path = "key.p8"\n')
    assert load_connection("prod") == {"account": "p", "private_key_file": "key.p8"}


def test_secret_may_come_from_the_environment_instead_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "home/config.toml", '[connections.prod]\naccount = "p"\n')
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_PASSWORD", "from the vault")
    assert load_connection("prod")["password"] == "from the vault"


def test_passphrase_of_a_key_is_given_only_with_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVATE_KEY_PASSPHRASE", "open sesame")
    file = _write(
        tmp_path / "c.toml",
        '[connections.keyed]\nprivate_key_file = "k.p8"\n[connections.plain]\nuser = "u"\n',
    )
    assert load_connection("keyed", file)["private_key_passphrase"] == "open sesame"
    assert load_connection("plain", file) == {"user": "u"}


def test_connections_toml_takes_the_place_of_config_toml(tmp_path: Path) -> None:
    _write(tmp_path / "home/config.toml", '[connections.prod]\naccount = "p"\n')
    assert load_connection("prod") == {"account": "p"}
    _write(tmp_path / "home/connections.toml", '[test]\naccount = "t"\n')
    with pytest.raises(ConnectionNotFound, match="These have: test"):
        load_connection("prod")


def test_without_a_folder_of_snowflakes_the_systems_own_place_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in ("xdg/snowflake", "Library/Application Support/snowflake"):
        _write(tmp_path / place / "config.toml", '[connections.prod]\naccount = "p"\n')
    assert load_connection("prod") == {"account": "p"}


def test_passphrase_of_the_environment_wins_over_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _write(
        tmp_path / "c.toml", '[connections.prod]\nprivate_key_path = "k.p8"\nprivate_key_file_pwd = "old"\n'
    )
    assert load_connection("prod", file)["private_key_passphrase"] == "old"
    monkeypatch.setenv("PRIVATE_KEY_PASSPHRASE", "new")
    assert load_connection("prod", file)["private_key_passphrase"] == "new"


AS_THE_CLI = """
import json, os
from snowflake.cli._app.snow_connector import resolve_connection_parameters
from snowflake.cli.api.config import config_init
config_init(None)
print(json.dumps(resolve_connection_parameters(connection_name="prod")))
"""


def test_names_and_precedence_are_those_of_the_snow_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = """[prod]
account = "from the file"
user = "from the file"
role = "from the file"
private_key_path = "from the file"
private_key_file_pwd = "from the file"
oauth_enable_refresh_tokens = "false"
of_ones_own = 1
"""
    _write(tmp_path / "home/config.toml", "[connections.prod]\naccount = 'not this one'\n").chmod(0o600)
    _write(tmp_path / "home/connections.toml", said).chmod(0o600)
    for variable in ("CONNECTIONS_PROD_USER", "USER", "CONNECTIONS_PROD_TOKEN", "TOKEN", "ROLE", "SCHEMA"):
        monkeypatch.setenv(f"SNOWFLAKE_{variable}", f"from SNOWFLAKE_{variable}")
    for variable in (
        "PRIVATE_KEY_PATH",
        "PRIVATE_KEY_RAW",
        "AUTHENTICATOR",
        "TOKEN_FILE_PATH",
        "OF_ONES_OWN",
    ):
        monkeypatch.setenv(f"SNOWFLAKE_{variable}", f"from SNOWFLAKE_{variable}")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AS_THE_CLI], capture_output=True, text=True, check=True
    )
    ours = load_connection("prod")
    assert dict(ours) == json.loads(done.stdout.splitlines()[-1])
    assert (ours["user"], ours["role"]) == ("from SNOWFLAKE_CONNECTIONS_PROD_USER", "from the file")


def test_mistyped_name_is_answered_with_the_names_that_exist(tmp_path: Path) -> None:
    file = _write(tmp_path / "c.toml", "[connections.local]\n[connections.prod]\n")
    with pytest.raises(ConnectionNotFound) as caught:
        load_connection("lokal", file)
    message = str(caught.value)
    assert (
        "'lokal'" in message and str(file) in message and "local, prod" in message and "caves up" in message
    )


def test_no_file_at_all_says_what_to_do() -> None:
    with pytest.raises(ConnectionNotFound, match="Start a local warehouse with `caves up`"):
        load_connection("local")


@pytest.mark.parametrize("content", ["[connections.local", "\ufeff= 1"])
def test_broken_file_is_named(tmp_path: Path, content: str) -> None:
    file = _write(tmp_path / "c.toml", content)
    with pytest.raises(ConnectionFileUnreadable, match=r"c\.toml"):
        load_connection("local", file)


def test_explicit_file_that_is_missing_is_said() -> None:
    with pytest.raises(ConnectionFileUnreadable, match="there is no such file"):
        load_connection("local", "nowhere.toml")


def test_secrets_print_as_stars() -> None:
    parameters = ConnectionParameters(
        user="albert",
        password="s3cret",
        token="t0ken",
        private_key_raw="pass'",
        private_key_passphrase="pass",
        private_key_file="k.p8",
    )
    for text in (str(parameters), repr(parameters), f"{parameters}", f"{[parameters]}"):
        assert "s3cret" not in text and "t0ken" not in text and "pass'" not in text
        assert "albert" in text and "k.p8" in text


def _nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_warehouse_that_is_down_fails_within_seconds_in_one_line(tmp_path: Path) -> None:
    port = _nobody_listens()
    file = _write(
        tmp_path / "c.toml",
        '[connections.local]\naccount = "local"\nuser = "u"\npassword = "p"\nhost = "127.0.0.1"\n'
        f'port = {port}\nprotocol = "http"\n',
    )
    begun = time.monotonic()
    with pytest.raises(WarehouseUnreachable) as caught:
        connect("local", file)
    assert time.monotonic() - begun < 10
    assert f"127.0.0.1:{port}" in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.transient


def test_warehouse_that_accepts_and_never_answers_fails_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        with pytest.raises(WarehouseUnreachable):
            open_connection(
                ConnectionParameters(
                    account="local",
                    user="u",
                    password="p",
                    host="127.0.0.1",
                    port=silent.getsockname()[1],
                    protocol="http",
                    socket_timeout=2,
                )
            )
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("changed", [True, False])
def test_a_refusal_counts_only_if_the_file_still_says_what_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    # The local warehouse makes a new password at every start, and may listen before its file is written.
    tried: list[str] = []
    file = _write(tmp_path / "mine.toml", '[connections.local]\naccount = "a"\npassword = "old"\n')

    def open_(parameters: ConnectionParameters) -> str:
        tried.append(parameters["password"])
        if changed:
            _write(file, '[connections.local]\naccount = "a"\npassword = "new"\n')
        if parameters["password"] == "old":
            raise WarehouseRefusedLogin("local", "w", "u", "wrong password")
        return "connected"

    monkeypatch.setattr("ingest.connections.open_connection", open_)
    if changed:
        assert connect("local", file) == "connected"  # type: ignore[comparison-overlap]
        assert tried == ["old", "new"]
    else:
        with pytest.raises(WarehouseRefusedLogin):
            connect("local", file)
        assert tried == ["old"]
