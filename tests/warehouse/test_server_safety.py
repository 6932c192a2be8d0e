"""The door: who gets in, from where, and that every failure is an answer a client can read (PITFALL 37)."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

from snowcellar.cli import _listen
from tests.warehouse.conftest import Server

LOGIN = "/session/v1/login-request"
QUERY = "/queries/v1/query-request"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Door:
    """A client that sends exactly what it is told, without a session."""

    def __init__(self, server: Server) -> None:
        self._address = (server.host, server.port)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, Any]) -> Answer:
        connection = HTTPConnection(*self._address, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def post(self, path: str, body: Any, headers: dict[str, Any] | None = None) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, content, headers or {})

    def put(self, path: str, body: bytes) -> Answer:
        return self.send("PUT", path, body, {})


@pytest.fixture(scope="module")
def connection(shared_server: Server) -> Iterator[Any]:
    """One connection for all tests of this module."""
    opened = shared_server.connect()
    opened.cursor().execute("CREATE DATABASE DOOR_DB")
    yield opened
    opened.close()


@pytest.fixture
def http(shared_server: Server, connection: Any) -> Door:
    """The door itself."""
    return Door(shared_server)


@pytest.fixture
def token(connection: Any) -> dict[str, str]:
    """The header that speaks for a session."""
    return {"Authorization": f'Snowflake Token="{connection.rest.token}"'}


def test_it_listens_on_loopback_alone() -> None:
    with contextlib.closing(_listen(0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": 'Snowflake Token="x"'}, {"Authorization": "Basic x"}]
)
@pytest.mark.parametrize("path", [QUERY, "/session", "/queries/v1/abort-request"])
def test_without_a_token_there_is_nothing(http: Door, path: str, header: dict[str, str]) -> None:
    answer = http.post(path, {"sqlText": "SELECT 1"}, header)
    assert (answer.status_code, answer.json()["success"]) == (401, False)


@pytest.mark.parametrize("password", ["", "wrong", "pâssé", "x" * 100_000])
def test_a_wrong_password_is_told(http: Door, password: str) -> None:
    answer = http.post(LOGIN, {"data": {"LOGIN_NAME": "LOCAL", "PASSWORD": password}})
    assert answer.status_code == 200
    assert answer.json()["code"] == "390100"
    assert "Incorrect username or password" in answer.json()["message"]


def test_the_connector_tells_a_wrong_password(shared_server: Server) -> None:
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        shared_server.connect(password="wrong")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": b"\xff\xfe"},
    ],
)
def test_what_a_web_page_could_send_is_refused(
    http: Door, token: dict[str, str], headers: dict[str, Any]
) -> None:
    answer = http.post(QUERY, {"sqlText": "SELECT 1"}, {**token, **headers})
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"sqlText": null}', b"{}", b'{"sqlText": 5}']
)
def test_a_body_that_is_no_request_gets_an_answer(http: Door, token: dict[str, str], body: bytes) -> None:
    for encoded, extra in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
        for path in (QUERY, LOGIN):
            answer = http.post(path, encoded, {**token, **extra})
            assert (answer.status_code, answer.json()["success"]) == (200, False)
    answer = http.post(QUERY, body, {**token, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["success"]) == (200, False)


@pytest.mark.parametrize(
    "name", ["..%2f..%2fescaped", "..", ".", "%2e%2e%2fescaped", "a%2f..%2f..%2fescaped", "a%00b", ""]
)
def test_an_upload_stays_in_its_folder(
    http: Door, token: dict[str, str], shared_server: Server, connection: Any, name: str
) -> None:
    connection.cursor().execute("CREATE STAGE IF NOT EXISTS DOOR_DB.PUBLIC.FILES")
    put = http.post(QUERY, {"sqlText": "PUT 'file:///tmp/x.txt' @FILES/dir"}, token).json()
    ticket = put["data"]["stageInfo"]["presignedUrl"].split("/")[4]
    before = sorted(path.name for path in shared_server.warehouse.folder.parent.rglob("*"))
    answer = http.put(f"/fs_bucket/{ticket}/{name}", b"x")
    assert answer.status_code in (400, 403, 404, 405)
    assert sorted(path.name for path in shared_server.warehouse.folder.parent.rglob("*")) == before


@pytest.mark.parametrize("path", ["../../../escaped", "dir/../../../../../escaped"])
def test_a_stage_path_that_leaves_the_stages_is_refused(
    http: Door, token: dict[str, str], connection: Any, path: str
) -> None:
    connection.cursor().execute("CREATE STAGE IF NOT EXISTS DOOR_DB.PUBLIC.FILES")
    statement = f"PUT 'file:///tmp/x.txt' @FILES/{path}"
    answer = http.post(QUERY, {"sqlText": statement}, token).json()
    assert answer["success"] is False


def test_an_upload_without_a_ticket_is_refused(http: Door) -> None:
    assert http.put("/fs_bucket/guess/x.txt", b"x").status_code == 403


def test_remove_and_queries_keep_to_the_stage(connection: Any, tmp_path: Path) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE OR REPLACE STAGE DOOR_DB.PUBLIC.KEPT")
    (tmp_path / "a.txt").write_text("a")
    cursor.execute(f"PUT 'file://{tmp_path}/a.txt' @KEPT/in AUTO_COMPRESS = FALSE")
    cursor.execute("CREATE STAGE IF NOT EXISTS DOOR_DB.PUBLIC.FILES")
    assert cursor.execute("REMOVE @FILES/../KEPT/in").fetchall() == []
    assert [row[0] for row in cursor.execute("LIST @KEPT").fetchall()] == ["kept/in/a.txt"]
    assert cursor.execute("REMOVE @KEPT/in/").fetchall() == [("kept/in/a.txt", "removed")]
    assert cursor.execute("LIST @KEPT").fetchall() == []


def test_a_closed_session_is_gone(shared_server: Server, http: Door) -> None:
    opened = shared_server.connect()
    header = {"Authorization": f'Snowflake Token="{opened.rest.token}"'}
    opened.close()
    assert http.post(QUERY, {"sqlText": "SELECT 1"}, header).status_code == 401


def test_an_error_has_snowflakes_shape(connection: Any) -> None:
    with pytest.raises(ProgrammingError) as error:
        connection.cursor().execute("SELECT * FROM NOWHERE")
    assert (error.value.errno, error.value.sqlstate) == (2003, "42S02")
    assert error.value.sfqid
