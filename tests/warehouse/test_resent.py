"""A request whose answer was lost is sent again with its requestId, and must not run twice."""

import json
import threading
import uuid
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

from snowcellar.resent import AnsweredRequests
from tests.warehouse.conftest import Server


def send(server: Server, token: str, request_id: str, sql: str) -> dict[str, Any]:
    http = HTTPConnection(server.host, server.port, timeout=60)
    try:
        headers = {"Authorization": f'Snowflake Token="{token}"'}
        path = f"/queries/v1/query-request?requestId={request_id}&retryCount=1"
        http.request("POST", path, json.dumps({"sqlText": sql}).encode(), headers)
        answer: dict[str, Any] = json.loads(http.getresponse().read())
        return answer
    finally:
        http.close()


def count(connection: Any) -> int:
    return int(connection.cursor().execute("SELECT COUNT(*) FROM T").fetchone()[0])


@pytest.fixture
def ask(server: Server, connection: Any) -> Callable[[str, str], dict[str, Any]]:
    connection.cursor().execute("CREATE TABLE T (A INT)")
    return lambda request_id, sql: send(server, connection.rest.token, request_id, sql)


def test_an_insert_that_is_sent_again_is_answered_and_not_repeated(
    ask: Callable[[str, str], dict[str, Any]], connection: Any
) -> None:
    request_id = str(uuid.uuid4())
    answers = [ask(request_id, "INSERT INTO T VALUES (1)") for _ in range(3)]
    assert answers[0]["success"]
    assert answers == [answers[0]] * 3
    assert count(connection) == 1


def test_another_request_of_the_same_text_runs(
    ask: Callable[[str, str], dict[str, Any]], connection: Any
) -> None:
    for _ in range(2):
        ask(str(uuid.uuid4()), "INSERT INTO T VALUES (1)")
    assert count(connection) == 2


def test_a_failure_that_is_sent_again_fails_again(ask: Callable[[str, str], dict[str, Any]]) -> None:
    request_id = str(uuid.uuid4())
    answers = [ask(request_id, "SELECT 1/0") for _ in range(2)]
    assert [answer["code"] for answer in answers] == ["100051", "100051"]


def test_a_request_sent_again_while_it_runs_waits_for_its_answer() -> None:
    answered, started, finish = AnsweredRequests(), threading.Event(), threading.Event()
    runs = []

    def run() -> dict[str, Any]:
        runs.append(1)
        started.set()
        assert finish.wait(10)
        return {"total": 1}

    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(answered.answer("same", run))) for _ in range(2)
    ]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    finish.set()
    for thread in threads:
        thread.join(10)
    assert answers == [{"total": 1}, {"total": 1}]
    assert len(runs) == 1
