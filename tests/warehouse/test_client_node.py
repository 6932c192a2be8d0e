"""The Node driver, as an application's back end uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.node import driver
from tests.warehouse.conftest import Server


@pytest.fixture(scope="module")
def node() -> None:
    """Skips where the driver cannot run, and says why."""
    try:
        driver.node()
        driver.packages()
    except driver.Unavailable as reason:
        pytest.skip(str(reason))


def options(server: Server, **said: Any) -> dict[str, Any]:
    return {
        "account": server.warehouse.account,
        "username": "LOCAL",
        "password": server.warehouse.password,
        "accessUrl": f"http://{server.host}:{server.port}",
        **said,
    }


def test_an_application_writes_reads_streams_and_cancels(node: None, shared_server: Server) -> None:
    steps: list[dict[str, Any]] = [
        {"sql": "CREATE DATABASE NODE"},
        {"sql": "CREATE TABLE T (A INT, B VARCHAR, C NUMBER(10, 2), D TIMESTAMP_NTZ, E VARIANT, "
                "F BOOLEAN, G DATE, H TIME, I TIMESTAMP_LTZ, J BINARY)"},
        {"sql": "INSERT INTO T SELECT ?, ?, ?, ?, PARSE_JSON(?), ?, ?, '10:11:12', "
                "'2024-01-01 10:00:00'::TIMESTAMP_LTZ, '00FF'::BINARY",
         "binds": [1, "é", 1.5, "2024-01-01 10:00:00", '{"a": [1]}', True, "2024-01-02"]},
        {"sql": "SELECT * FROM T"},
        {"sql": "INSERT INTO T (A, B) VALUES (?, ?)", "binds": [[2, "x"], [3, None]]},
        {"sql": "SELECT COUNT(*) AS N, COUNT(B) AS M FROM T"},
        {"sql": "SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 20000))", "streamed": True},
        {"sql": "SELECT * FROM NOWHERE"},
        {"sql": "SELECT SYSTEM$WAIT(60)", "cancel": True},
        {"sql": "SELECT 1 AS N WHERE FALSE"},
    ]  # fmt: skip
    made, _, inserted, read, many, counted, streamed, missing, cancelled, empty = driver.run(
        options(shared_server), steps
    )
    assert made["rows"] == [{"status": "Database NODE successfully created."}]
    assert (inserted["updated"], many["updated"]) == (1, 2)
    assert read["columns"][:4] == ["A fixed", "B text", "C fixed", "D timestamp_ntz"]
    assert read["rows"] == [
        {
            "A": 1, "B": "é", "C": 1.5, "D": "2024-01-01 10:00:00.000", "E": {"a": [1]}, "F": True,
            "G": "2024-01-02", "H": "10:11:12", "I": "2024-01-01 10:00:00.000 -0800",
            "J": {"type": "Buffer", "data": [0, 255]},
        }
    ]  # fmt: skip
    assert counted["rows"] == [{"N": 3, "M": 2}]
    assert streamed["count"] == 20_000
    assert (missing["code"], missing["sqlState"]) == ("002003", "42S02")
    assert cancelled["code"] == "000604"
    assert (empty["columns"], empty["rows"]) == (["N fixed"], [])


def test_a_wrong_password_is_refused(node: None, shared_server: Server) -> None:
    (answer,) = driver.run(options(shared_server, password="wrong"), [])
    assert "Incorrect username or password" in answer["error"]


def test_machine_without_node_or_the_driver_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(driver.Unavailable, match="there is no Node here"):
        driver.node()
    with pytest.raises(driver.Unavailable, match=r"`python -m tests.clients.node.driver` fetches it"):
        driver.packages()
