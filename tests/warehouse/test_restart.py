"""`snowcellar serve` as a process: kill -9 at any moment, SIGTERM with sessions open, clients that vanish."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from snowcellar.local_server import LocalServer, ServerNotStarted
from tests.keys import key_pair


class Process(LocalServer):
    """A server, and connections to it that do not wait long for one that was killed."""

    def connect(self, **options: Any) -> Any:
        return super().connect(**{"login_timeout": 5, "network_timeout": 5, **options})

    def timed_end(self, number: signal.Signals) -> float:
        """The seconds that it took to end."""
        began = time.monotonic()
        self.end(number)
        return time.monotonic() - began


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts servers on one state; ends those that still run."""
    started: list[Process] = []

    def start(*options: str) -> Process:
        started.append(Process(tmp_path, *options))
        return started[-1]

    yield start
    for server in started:
        server.end(signal.SIGKILL)


def run(connection: Any, *statements: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for statement in statements:
        rows = connection.cursor().execute(statement).fetchall()
    return rows


def test_the_config_holds_a_password_that_only_its_owner_reads(serve: Callable[..., Process]) -> None:
    server = serve("--database", "MADE_DB")
    assert server.ready.startswith("snowcellar: serving")
    assert server.config.stat().st_mode & 0o777 == 0o600
    settings = server.parameters
    assert (settings["host"], settings["database"]) == ("127.0.0.1", "MADE_DB")
    assert len(settings["password"]) >= 24
    assert settings["password"] not in server.ready
    server.end(signal.SIGTERM)


def test_kill_9_leaves_the_users_their_keys_and_their_roles(serve: Callable[..., Process]) -> None:
    server, pair = serve(), key_pair("service")
    run(
        server.connect(),
        "CREATE ROLE CELLARMAN",
        "CREATE USER SERVICE DEFAULT_ROLE = CELLARMAN",
        "GRANT ROLE CELLARMAN TO USER SERVICE",
        f"ALTER USER SERVICE SET RSA_PUBLIC_KEY = '{pair.public}'",
    )
    server.end(signal.SIGKILL)
    by_key = {"user": "SERVICE", "authenticator": "SNOWFLAKE_JWT", "private_key": pair.key}
    connection = serve().connect(**by_key)
    assert run(connection, "SELECT CURRENT_USER(), CURRENT_ROLE()") == [("SERVICE", "CELLARMAN")]
    connection.close()


class Plain:
    """A client that does not try again, as the connector would for a while."""

    def __init__(self, server: Process) -> None:
        settings = server.parameters
        self._http = HTTPConnection(settings["host"], settings["port"], timeout=60)
        self._headers: dict[str, str] = {}
        login = {"data": {"LOGIN_NAME": "LOCAL", "PASSWORD": settings["password"]}}
        token = self._post("/session/v1/login-request", login)["token"]
        self._headers = {"Authorization": f'Snowflake Token="{token}"'}

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        self._http.request("POST", path, json.dumps(body), self._headers)
        answer = json.loads(self._http.getresponse().read())
        assert answer["success"], answer
        return answer["data"]

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._post("/queries/v1/query-request", {"sqlText": statement})


GONE = (OSError, HTTPException, ValueError)


def insert_until_killed(client: Plain, first: int, acknowledged: list[int]) -> None:
    with contextlib.suppress(*GONE):
        for number in range(first, first + 100_000):
            client.run(f"INSERT INTO EVENTS VALUES ({number})")
            acknowledged.append(number)


def consume_until_killed(client: Plain) -> None:
    with contextlib.suppress(*GONE):
        while True:
            client.run("BEGIN", "SELECT COUNT(*) FROM PENDING")
            client.run("INSERT INTO DONE SELECT ID FROM PENDING", "COMMIT")


@pytest.mark.parametrize(
    "kills", [3, pytest.param(50, marks=[pytest.mark.exhaustive, pytest.mark.timeout(1800)])]
)
def test_kill_9_loses_nothing_and_shows_every_row_once(serve: Callable[..., Process], kills: int) -> None:
    """Every committed row is consumed or shown exactly once, after kills at random moments."""
    acknowledged: list[int] = []
    random_ = random.Random(kills)
    for kill in range(kills):
        server = serve()
        clients = [Plain(server) for _ in range(3)]
        if kill == 0:
            clients[0].run("CREATE DATABASE D", "CREATE TABLE EVENTS (ID INT)", "CREATE TABLE DONE (ID INT)")
            clients[0].run("CREATE STREAM PENDING ON TABLE EVENTS")
        for client in clients:
            client.run("USE SCHEMA D.PUBLIC")
        first = kill * 10**6
        threads = [
            threading.Thread(target=insert_until_killed, args=(clients[0], first, acknowledged)),
            threading.Thread(target=insert_until_killed, args=(clients[1], first + 500_000, acknowledged)),
            threading.Thread(target=consume_until_killed, args=(clients[2],)),
        ]
        before = len(acknowledged)
        for thread in threads:
            thread.start()
        enough = before + random_.randint(20, 80)
        while len(acknowledged) < enough and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        time.sleep(random_.random() * 0.05)
        server.end(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with contextlib.closing(serve().connect()) as connection:
        run(connection, "USE SCHEMA D.PUBLIC")
        events = sorted(row[0] for row in run(connection, "SELECT ID FROM EVENTS"))
        done = [row[0] for row in run(connection, "SELECT ID FROM DONE")]
        pending = [row[0] for row in run(connection, "SELECT ID FROM PENDING")]
        assert sorted(done + pending) == events
        assert set(acknowledged) <= set(events)
        assert len(acknowledged) >= 20 * kills
        assert done, "something was consumed before the kills"


def test_sigterm_ends_the_server_soon_whatever_runs(serve: Callable[..., Process]) -> None:
    """Idle sessions, one that holds a lock, one that waits for it, one that waits for time."""
    server = serve()
    clients = [Plain(server) for _ in range(4)]
    clients[0].run("CREATE DATABASE D", "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)")
    clients[0].run("BEGIN", "UPDATE T SET A = 2")

    def hang(client: Plain, statement: str) -> None:
        with contextlib.suppress(*GONE, AssertionError):
            client.run(statement)

    threads = [
        threading.Thread(target=hang, args=pair, daemon=True)
        for pair in (
            (clients[1], "UPDATE D.PUBLIC.T SET A = 3"),
            (clients[2], "SELECT SYSTEM$WAIT(60)"),
            (clients[3], "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 100000000000))"),
        )
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert server.timed_end(signal.SIGTERM) < 6
    with contextlib.closing(serve().connect()) as connection:
        assert run(connection, "SELECT A FROM D.PUBLIC.T") == [(1,)]


VANISHING = """
import sys, time, tomllib, snowflake.connector
settings = tomllib.load(open(sys.argv[1], "rb"))["connections"]["local"]
cursor = snowflake.connector.connect(**settings).cursor()
cursor.execute("BEGIN")
cursor.execute("UPDATE D.PUBLIC.T SET A = 2")
print("holding", flush=True)
time.sleep(60)
"""


@pytest.mark.fact(26)
def test_a_killed_clients_transaction_gives_way_and_an_idle_ones_does_not(
    serve: Callable[..., Process],
) -> None:
    """SEMANTICS 26: a waiter must not wait for somebody who will never come back."""
    server = serve()
    connection = server.connect(network_timeout=60)
    run(connection, "CREATE DATABASE D", "CREATE TABLE T (A INT)", "INSERT INTO T VALUES (1)")
    client = subprocess.Popen(
        [sys.executable, "-c", VANISHING, str(server.config)], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    assert client.stdout.readline() == "holding\n"
    changed = threading.Thread(target=run, args=(connection, "UPDATE T SET A = A + 10"))
    changed.start()
    changed.join(4.5)
    assert changed.is_alive(), "the client is there, however idle"
    os.kill(client.pid, signal.SIGKILL)
    client.wait(10)
    client.stdout.close()
    changed.join(30)
    assert not changed.is_alive()
    assert run(connection, "SELECT A FROM T") == [(11,)]
    connection.close()


def test_a_file_that_is_served_already_is_told_in_one_line(serve: Callable[..., Process]) -> None:
    serve()
    with pytest.raises(ServerNotStarted, match="is in use") as told:
        serve()
    assert "Traceback" not in str(told.value)
