"""A warehouse of its own for each test: in process, or behind a real server on a free loopback port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
import uvicorn

from snowcellar.server import application
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse

DATABASE = "CELLAR_DB"
MINUTE_SECONDS = 0.6
"""How long a MINUTE lasts: '10 SECONDS', the shortest schedule, are then a tenth of a second."""
DEADLINE_SECONDS = 30.0
"""Far beyond what anything here takes: a busy machine must not fail a test."""


def pytest_configure(config: pytest.Config) -> None:
    """fakesnow fetches Arrow in a way that DuckDB 2 would rather not see."""
    config.addinivalue_line("filterwarnings", "ignore:Arrow output on a DB-API result:UserWarning")


Query = Callable[..., list[dict[str, Any]]]
Sql = Callable[..., list[Any]]


@pytest.fixture
def cellar(tmp_path: Path) -> Iterator[Warehouse]:
    """A running warehouse with a short minute, closed at the end."""
    warehouse = Warehouse(tmp_path / "cellar.duckdb", minute_seconds=MINUTE_SECONDS)
    warehouse.start()
    yield warehouse
    warehouse.close()


@pytest.fixture
def session(cellar: Warehouse) -> Session:
    """A session in the PUBLIC schema of a fresh database, with a virtual warehouse COMPUTE_WH."""
    opened = cellar.open_session()
    opened.execute(f"CREATE DATABASE {DATABASE}")
    opened.execute("CREATE WAREHOUSE COMPUTE_WH")
    return opened


@pytest.fixture
def query(session: Session) -> Query:
    """Run a statement in `session` and get its rows as dictionaries."""
    return rows_of(session)


@pytest.fixture
def other(cellar: Warehouse, session: Session) -> Iterator[Query]:
    """Run a statement in a second session of the same schema."""
    opened = cellar.open_session(DATABASE, "PUBLIC")
    yield rows_of(opened)
    cellar.close_session(opened)


@pytest.fixture
def stock(query: Query) -> Query:
    """`query` beside a table STOCK with the rows (1, 10) and (2, 20)."""
    query("CREATE TABLE STOCK (ID INT, LEVEL INT NOT NULL)")
    query("INSERT INTO STOCK VALUES (1, 10), (2, 20)")
    return query


@pytest.fixture(scope="module")
def shared_query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Run a statement in the one session of a module, whose tests share nothing but it."""
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    run = rows_of(warehouse.open_session())
    run(f"CREATE DATABASE {DATABASE}")
    yield run
    warehouse.close()


def rows_of(session: Session) -> Query:
    """A function that runs a statement in a session and answers with its rows as dictionaries."""

    def run(sql: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = session.execute(sql, params).table.to_pylist()
        return rows

    return run


def eventually(probe: Callable[[], Any], what: str = "") -> Any:
    """The first true answer of a probe; fails when there is none for a long time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what or probe}")
        time.sleep(0.02)
    return answer


@dataclass(frozen=True)
class Server:
    """A warehouse that is being served, and how to connect to it."""

    warehouse: Warehouse
    host: str
    port: int

    @property
    def parameters(self) -> dict[str, Any]:
        """What a client needs to connect as the local user."""
        return {
            "user": "LOCAL",
            "password": self.warehouse.password,
            "account": self.warehouse.account,
            "host": self.host,
            "port": self.port,
            "protocol": "http",
        }

    def connect(self, **options: Any) -> Any:
        """A connection of the Snowflake connector; the caller closes it."""
        quiet = {"session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}}
        return snowflake.connector.connect(**{**self.parameters, **quiet, **options})


@contextlib.contextmanager
def serve(cellar: Warehouse) -> Iterator[Server]:
    """A warehouse behind its HTTP server, in a thread."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    cellar.address = (host, port)
    web = uvicorn.Server(
        uvicorn.Config(application(cellar), log_level="warning", timeout_graceful_shutdown=3)
    )
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    eventually(lambda: web.started, "the server starts")
    yield Server(cellar, host, port)
    web.should_exit = True
    thread.join(DEADLINE_SECONDS)
    listener.close()


@pytest.fixture
def server(cellar: Warehouse) -> Iterator[Server]:
    """The warehouse of this test, served."""
    with serve(cellar) as served:
        yield served


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A served warehouse for all tests of a module: for those whose worker processes are slow to start."""
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb", minute_seconds=MINUTE_SECONDS)
    warehouse.start()
    with serve(warehouse) as served:
        yield served
    warehouse.close()


@pytest.fixture
def connection(server: Server) -> Iterator[Any]:
    """A connector's connection to the served warehouse, in a fresh database."""
    opened = server.connect()
    opened.cursor().execute(f"CREATE DATABASE {DATABASE}")
    opened.cursor().execute("CREATE WAREHOUSE COMPUTE_WH")
    yield opened
    opened.close()


@pytest.fixture
def sql(connection: Any) -> Sql:
    """Run a statement over `connection` and get its rows."""
    return lambda text, params=None: list(connection.cursor().execute(text, params).fetchall())
