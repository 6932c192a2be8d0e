"""Whatever is sent, the answer is rows or an error in Snowflake's shape; the server goes on (PITFALL 37)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from snowcellar.local_server import LocalServer
from tests.warehouse.fuzzing import Fuzzer

HANGS_SECONDS = 60
"""Nothing that is sent here takes a second."""
NOT_FORESEEN = "000603"
UNSUPPORTED = "000002"
SETTING = [
    "USE ROLE ACCOUNTADMIN",
    "DROP DATABASE IF EXISTS FUZZ_DB",
    "CREATE DATABASE FUZZ_DB",
    "CREATE WAREHOUSE IF NOT EXISTS COMPUTE_WH",
    "CREATE TABLE T (A INT, B VARCHAR, C VARIANT, D TIMESTAMP_NTZ)",
    "INSERT INTO T SELECT 1, 'x', PARSE_JSON('{\"a\": [1, 2]}'), '2024-01-01'",
    "CREATE TABLE U (A INT, B NUMBER(12, 2))",
    "CREATE VIEW V AS SELECT A FROM T",
    "CREATE STREAM S ON TABLE T",
    "CREATE STAGE FILES",
    "CREATE TASK K AS SELECT 1",
]


class Client:
    """Sends requests and reads answers, without the connector's own ideas of either."""

    def __init__(self, server: LocalServer) -> None:
        self._parameters = server.parameters
        self._headers: dict[str, str] = {}
        self._http = HTTPConnection("127.0.0.1", self._parameters["port"], timeout=HANGS_SECONDS)
        self._log_in()

    def _log_in(self) -> None:
        login = {"data": {"LOGIN_NAME": self._parameters["user"], "PASSWORD": self._parameters["password"]}}
        token = self.post("/session/v1/login-request", login)["data"]["token"]
        self._headers = {"Authorization": f'Snowflake Token="{token}"'}
        for statement in SETTING:
            answer = self.query({"sqlText": statement})
            assert answer["success"], answer

    def post(self, path: str, body: dict[str, Any]) -> Any:
        self._http.request("POST", path, json.dumps(body), self._headers)
        response = self._http.getresponse()
        content = response.read()
        assert response.status == 200, (body, response.status, content[:500])
        return json.loads(content)

    def query(self, body: dict[str, Any]) -> Any:
        return self.post("/queries/v1/query-request", body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server of their own, for what is left of it."""
    with LocalServer(tmp_path_factory.mktemp("fuzz")) as started:
        yield started


def fault(answer: dict[str, Any]) -> str | None:
    """What is wrong with an answer."""
    if answer["success"]:
        return None
    data, code, message = answer["data"], answer["code"], answer["message"]
    if not (re.fullmatch(r"\d{6}", code) and code != "000000" and data["errorCode"] == code):
        return f"no number: {code}"
    if not re.fullmatch(r"[0-9A-Z]{5}", data["sqlState"] or ""):
        return f"no SQL state: {data['sqlState']}"
    if not message.strip() or "\x1b" in message:
        return f"no message: {message!r}"
    if code == NOT_FORESEEN:
        return f"not foreseen: {message[:300]}"
    if code == UNSUPPORTED and not re.search(
        r"Unsupported feature '.+docs/snowcellar\.md", message, re.DOTALL
    ):
        return f"does not say what is not supported: {message[:300]}"
    return None


@pytest.mark.parametrize(
    ("seed", "requests"),
    [(1, 500), *(pytest.param(seed, 5000, marks=pytest.mark.exhaustive) for seed in range(2, 8))],
)
@pytest.mark.timeout(3600)
def test_whatever_is_sent_gets_rows_or_an_error_of_snowflakes_shape(
    server: LocalServer, seed: int, requests: int
) -> None:
    fuzzer, faults = Fuzzer(seed), []
    client = Client(server)
    for number in range(requests):
        if number % 250 == 249:
            client = Client(server)
        body = fuzzer.request()
        try:
            answer = client.query(body)
        except TimeoutError:
            raise AssertionError(f"hangs: {body}") from None
        if told := fault(answer):
            faults.append((told, body))
    assert server.process.poll() is None
    assert faults == []
    assert Client(server).query({"sqlText": "SELECT 1"})["success"]
