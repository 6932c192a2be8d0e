"""Fixtures for tests of Snowpark projects: a local warehouse, a connection, a Session.

Installed with snowcellar; a test need only name a fixture. One server serves a whole run (with
pytest-xdist, one for each of its processes), every test gets a database of its own.

    def test_orders_are_counted(snowcellar_session):
        snowcellar_session.sql("CREATE TABLE ORDERS (ID INT)").collect()
        assert snowcellar_session.table("ORDERS").count() == 0

What a server needs is imported when a fixture is first used: other runs of pytest pay nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from snowcellar.local_server import LocalServer

_NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings, for pytest.ini or pyproject.toml."""
    parser.addini(
        "snowcellar_minute",
        "Seconds that a MINUTE of a task's or an alert's schedule takes (snowcellar).",
        default="60",
    )


@pytest.fixture(scope="session")
def snowcellar_server(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[LocalServer]:
    """A running warehouse, in a process of its own on a free loopback port."""
    from snowcellar.local_server import LocalServer

    minute = str(pytestconfig.getini("snowcellar_minute"))
    with LocalServer(tmp_path_factory.mktemp("snowcellar"), "--minute", minute) as server:
        connection = server.connect()
        connection.cursor().execute("CREATE WAREHOUSE IF NOT EXISTS COMPUTE_WH")
        connection.close()
        yield server


@pytest.fixture(scope="session")
def snowcellar_config(snowcellar_server: LocalServer) -> Path:
    """The config file whose connection `local` leads there: snow --config-file PATH sql -c local -q ..."""
    return snowcellar_server.config


@pytest.fixture
def snowcellar_database(snowcellar_server: LocalServer) -> Iterator[str]:
    """The name of a new database, which is dropped after the test."""
    name = f"TEST_DB_{next(_NUMBERS)}"
    connection = snowcellar_server.connect()
    connection.cursor().execute(f"CREATE DATABASE {name}")
    yield name
    connection.cursor().execute(f"DROP DATABASE IF EXISTS {name}")
    connection.close()


@pytest.fixture
def snowcellar_connection(snowcellar_server: LocalServer, snowcellar_database: str) -> Iterator[Any]:
    """A connection of the Snowflake connector, in the PUBLIC schema of the test's database."""
    connection = snowcellar_server.connect(database=snowcellar_database, schema="PUBLIC")
    yield connection
    connection.close()


@pytest.fixture
def snowcellar_session(snowcellar_server: LocalServer, snowcellar_database: str) -> Iterator[Session]:
    """A Snowpark Session, in the PUBLIC schema of the test's database."""
    session = snowcellar_server.session(database=snowcellar_database, schema="PUBLIC")
    yield session
    session.close()
