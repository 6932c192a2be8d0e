"""Secrets are planted in every place that takes one, and all that comes out is searched for them."""

import base64
import io
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from snowflake.connector.errors import Error
from streamlit.testing.v1 import AppTest

import dashboard.session
from caves_cli.commands.dashboard import _open
from caves_cli.connection import target
from ingest.connections import connect
from tests.clients.clients import write_connection
from tests.keys import key_pair

BIN: Final = Path(sys.executable).parent
APP: Final = Path(dashboard.session.__file__).with_name("streamlit_app.py")
PAIR, IDP, STRANGER = key_pair("canary"), key_pair("canary idp"), key_pair("canary stranger")
PASSWORD, WRONG_PASSWORD, PASSPHRASE = "Serin+des/Canaries=1", "Serin+des/Canaries=2", "Ouvre-toi/Serin+3"
STATEMENTS: Final = f"""
CREATE USER SERIN PASSWORD = '{PASSWORD}' DEFAULT_ROLE = ACCOUNTADMIN RSA_PUBLIC_KEY = '{PAIR.public}';
GRANT ROLE ACCOUNTADMIN TO USER SERIN;
CREATE SECURITY INTEGRATION IDP TYPE = EXTERNAL_OAUTH ENABLED = TRUE EXTERNAL_OAUTH_TYPE = CUSTOM
    EXTERNAL_OAUTH_ISSUER = 'idp' EXTERNAL_OAUTH_RSA_PUBLIC_KEY = '{IDP.public}'
    EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM = 'sub' EXTERNAL_OAUTH_AUDIENCE_LIST = 'caves'
    EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE = 'LOGIN_NAME';
ALTER USER SERIN SET PASSWORD = $${PASSWORD}$$
"""
HISTORY: Final = "SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())"
REFUSED: Final = (
    f"CREATE USER S2 TYPE = SERVICE PASSWORD = '{WRONG_PASSWORD}'",
    f"CREATE USER S2 PASSWORD = '{WRONG_PASSWORD}' NO_SUCH = 1",
    f"CREAT USER S2 PASSWORD = '{WRONG_PASSWORD}'",
    f"CREATE USER S2 PASSWORD = '{WRONG_PASSWORD}",
    f"ALTER USER SERIN SET RSA_PUBLIC_KEY = '{PAIR.pem()}'",
    f"SELECT * FROM NOWHERE WHERE PASSWORD = '{WRONG_PASSWORD}'",
)


@dataclass
class Aftermath:
    """What was planted, and every text that came out, by where it was found."""

    planted: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    arguments: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """All of it once; the connections, keys and tokens are in a folder that is not searched."""
    secret, seen = tmp_path_factory.mktemp("secret"), tmp_path_factory.mktemp("seen")
    with pytest.MonkeyPatch.context() as environment, _serving(secret / "local.toml", seen) as found:
        environment.chdir(seen)
        environment.setenv("SNOWFLAKE_HOME", str(seen / "home"))
        (seen / "home").mkdir()
        _ask(secret / "local.toml", found)
        connections = _connections(secret, found)
        commands = {
            "status by key": ("caves", "--debug", "status", "-c", "key", "--config-file", connections),
            "status": ("caves", "--debug", "status", "-c", "password", "--config-file", connections),
            "verify": ("caves", "--debug", "verify", "-c", "token", "--config-file", connections),
            "ingest": (
                *("caves", "ingest", "-c", "key", "--config-file", connections, "--log-format", "json"),
                *("--bootstrap", "127.0.0.1:1", "--metrics-port", "0", "--until-caught-up"),
            ),
            "snow": ("snow", "--config-file", connections, "sql", "--debug", "-c", "raw", "-q", "SELECT 1"),
        }
        with _looking_at_processes(found), ThreadPoolExecutor(2) as pool:
            for name, said in zip(commands, pool.map(_run, commands.values()), strict=True):
                found.texts[name] = said
        for name in ("password", "token", "mistaken key", "mistaken token"):
            found.texts[f"dashboard: {name}"] = _dashboard(name, connections)
    for file in seen.rglob("*"):
        if file.is_file():
            found.texts[str(file.relative_to(seen))] = file.read_bytes().decode("latin-1")
    yield found


@contextmanager
def _serving(config: Path, folder: Path) -> Iterator[Aftermath]:
    command = [str(BIN / "snowcellar"), "serve", "--db", str(folder / "cellar.db"), "--config", str(config)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen([*command, "--log-level", "debug"], stdout=subprocess.PIPE, stderr=log)
    try:
        assert server.stdout is not None and server.stdout.readline()
        yield Aftermath({})
    finally:
        server.terminate()
        server.wait(20)


def _ask(local: Path, found: Aftermath) -> None:
    """Statements with secrets, good and bad, and what the query history keeps of them."""
    connection = connect("local", local)
    cursor = connection.cursor()
    for statement in STATEMENTS.split(";"):
        cursor.execute(statement)
    for number, statement in enumerate(REFUSED):
        with pytest.raises(Error) as refused:
            cursor.execute(statement)
        found.texts[f"refused {number}"] = f"{refused.value!r} {refused.value}"
    for question in (
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())",
        "DESCRIBE USER SERIN",
        "SHOW USERS",
    ):
        cursor.execute(question)
        found.texts[question] = json.dumps(cursor.fetchall(), default=str)
    connection.close()


def _connections(folder: Path, found: Aftermath) -> Path:
    """A connection for each way to log in, good and bad."""
    key = PAIR.write(folder / "key.p8", PASSPHRASE)
    token = STRANGER.token(iss="idp", aud="caves", sub="SERIN")
    file, local = folder / "connections.toml", folder / "local.toml"
    ways: dict[str, dict[str, Any]] = {
        "key": {
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": key,
            "private_key_passphrase": PASSPHRASE,
        },
        "raw": {"authenticator": "SNOWFLAKE_JWT", "private_key_raw": PAIR.pem()},
        "password": {"password": WRONG_PASSWORD},
        "token": {"authenticator": "oauth", "token": token},
        "mistaken key": {"authenticator": "SNOWFLAKE_JWT", "private_key_file": PAIR.pem()},
        "mistaken token": {"authenticator": "OAUTH", "token_file_path": token},
    }
    for name, said in ways.items():
        write_connection(file, json.dumps(name), local, user="SERIN", **said)
    found.planted |= {"password": PASSWORD, "wrong password": WRONG_PASSWORD, "passphrase": PASSPHRASE}
    found.planted |= {"local password": connect_password(local), "token": token.rpartition(".")[2]}
    found.planted |= {f"key line {i}": line for i, line in enumerate(PAIR.pem().splitlines()[1:-1])}
    return file


def connect_password(local: Path) -> str:
    (line,) = (line for line in local.read_text().splitlines() if line.startswith("password"))
    return line.split('"')[1]


def _run(command: tuple[object, ...]) -> str:
    program, *arguments = map(str, command)
    done = subprocess.run(
        [str(BIN / program), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    return f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"


@contextmanager
def _looking_at_processes(found: Aftermath) -> Iterator[None]:
    """As `ps` would, again and again, at the arguments of everything that runs."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    found.arguments.add(file.read_bytes().decode(errors="replace"))
            time.sleep(0.05)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _dashboard(name: str, connections: Path) -> str:
    """The page of someone whose connection does not work, and what the dashboard's log says of it."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    dashboard.session.open_with(lambda: _open(target(name, connections)))
    try:
        page = AppTest.from_file(str(APP), default_timeout=60).run()
    finally:
        dashboard.session._openers.clear()
        logging.getLogger().removeHandler(handler)
    kinds = (
        "title",
        "header",
        "markdown",
        "caption",
        "warning",
        "error",
        "info",
        "code",
        "text",
        "exception",
    )
    shown_on_it = [str(getattr(element, "value", "")) for kind in kinds for element in page.get(kind)]
    return " ".join([*shown_on_it, log.getvalue()])


def forms(secret: str) -> Iterator[str]:
    """How a secret may be written."""
    yield from (
        secret,
        quote(secret, safe=""),
        quote(secret),
        json.dumps(secret)[1:-1],
        secret.encode().hex(),
    )
    for shift in range(3):
        # Base64 of a text that the secret stands in somewhere; the edges depend on what is around it.
        encoded = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        yield encoded[4 : len(encoded) - 4]


def shown(secret: str, text: str) -> bool:
    return any(form in text for form in forms(secret))


def test_no_secret_is_in_anything_that_came_out(aftermath: Aftermath) -> None:
    found = [
        (name, where)
        for name, secret in aftermath.planted.items()
        for where, text in aftermath.texts.items()
        if shown(secret, text)
    ]
    assert found == []


def test_no_secret_is_among_the_arguments_of_a_process(aftermath: Aftermath) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system has no /proc to look into")
    assert any("--log-format" in arguments for arguments in aftermath.arguments), "it looked while they ran"
    seen = " ".join(aftermath.arguments)
    assert [name for name, secret in aftermath.planted.items() if secret in seen] == []


def test_what_was_searched_is_what_was_meant(aftermath: Aftermath) -> None:
    texts = aftermath.texts
    assert "snowflake.connector" in texts["status"] and "Traceback" in texts["status"]
    assert "refused user 'SERIN' of connection 'password'" in texts["status"]
    assert "Invalid OAuth access token" in texts["verify"]
    assert '"level": "critical"' in texts["ingest"]
    assert "NotDeployed" in texts["status by key"], "it came in"
    assert "exit code 0" in texts["snow"]
    assert "'mistaken key' cannot log in: private_key_file holds no path" in texts["dashboard: mistaken key"]
    assert "PASSWORD = '*****'" in texts[HISTORY]
    assert "login refused" in texts["server.log"]
    assert {"cellar.db", "home/logs/snowflake-cli.log"} & set(texts)


@pytest.mark.parametrize("form", range(8))
def test_a_secret_would_be_found_however_it_is_written(form: int) -> None:
    assert shown(PASSWORD, f"xx{list(forms(PASSWORD))[form]}yy")
    assert shown(PASSWORD, base64.b64encode(f"user:{'x' * form}{PASSWORD}!".encode()).decode())
    assert not shown(PASSWORD, "Serin des Canaries")
