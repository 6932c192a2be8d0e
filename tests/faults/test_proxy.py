"""The proxy of the fault rounds does to a request what it says, and the warehouse sees what it should."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.faults.proxy import Treatment, WarehouseProxy

HEARD: list[str] = []


class Upstream(BaseHTTPRequestHandler):
    """Stands in for the warehouse."""

    def do_POST(self) -> None:
        HEARD.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response_only(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")


@pytest.fixture
def proxy() -> Iterator[WarehouseProxy]:
    HEARD.clear()
    upstream = HTTPServer(("127.0.0.1", 0), Upstream)
    Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    between = WarehouseProxy(target=int(upstream.server_address[1]))
    between.start()
    yield between
    between.stop()
    upstream.shutdown()
    upstream.server_close()


def send(proxy: WarehouseProxy, statement: str) -> tuple[int, str]:
    client = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        client.request("POST", "/queries/v1/query-request", json.dumps({"sqlText": statement}))
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def test_without_a_rule_everything_passes(proxy: WarehouseProxy) -> None:
    assert send(proxy, "COMMIT") == (200, "done")
    assert len(HEARD) == 1


def test_dropped_answer_is_dropped_after_the_warehouse_has_done_it(proxy: WarehouseProxy) -> None:
    done: list[int] = []
    proxy.rule = lambda statement: Treatment.DROP_ANSWER if statement == "COMMIT" else Treatment.FORWARD
    proxy.on_dropped = lambda: done.append(len(HEARD))
    assert send(proxy, "BEGIN") == (200, "done")
    with pytest.raises((HTTPException, OSError)):
        send(proxy, "COMMIT")
    assert done == [2]


def test_cut_and_refused_requests_never_reach_the_warehouse(proxy: WarehouseProxy) -> None:
    proxy.rule = lambda _: Treatment.CUT
    with pytest.raises((HTTPException, OSError)):
        send(proxy, "COMMIT")
    proxy.rule = lambda _: Treatment.REFUSE
    status, text = send(proxy, "COMMIT")
    assert (status, json.loads(text)["success"]) == (200, False)
    proxy.rule = lambda _: Treatment.UNAVAILABLE
    assert send(proxy, "COMMIT") == (503, "")
    assert HEARD == []
    proxy.heal()
    assert send(proxy, "COMMIT") == (200, "done")
