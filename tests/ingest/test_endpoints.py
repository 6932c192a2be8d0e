"""The HTTP server: three paths, GET only, and no client that can hold it up."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPResponse

import pytest

from ingest import endpoints
from ingest.endpoints import Endpoints
from ingest.errors import CannotListen, FencedError, PortInUse, WarehouseUnreachable
from ingest.health import Health
from ingest.metrics import IngestMetrics


@pytest.fixture
def metrics() -> IngestMetrics:
    return IngestMetrics("sales_events", "caves-ingest", 1)


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(metrics: IngestMetrics, health: Health) -> Iterator[Endpoints]:
    with Endpoints("127.0.0.1", 0, metrics, health) as serving:
        yield serving


def port_of(server: Endpoints) -> int:
    return int(server.url.rpartition(":")[2])


def ask(
    server: Endpoints, path: str, method: str = "GET", body: bytes | None = None
) -> tuple[HTTPResponse, bytes]:
    with closing(HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response, response.read()


def connect(server: Endpoints) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(server)), timeout=20)


def test_no_text_of_an_error_is_served(server: Endpoints, metrics: IngestMetrics, health: Health) -> None:
    # A library's message may hold anything, a secret too: the endpoints tell what kind of thing went wrong.
    for observer in (metrics, health):
        observer.retried(WarehouseUnreachable("account a", "Serin+des/Canaries=1"))
        observer.fenced(FencedError("Serin+des/Canaries=1", {0: 1}, {0: 2}))
    for path in ("/metrics", "/healthz", "/readyz"):
        assert b"Serin" not in ask(server, path)[1]


def test_metrics_are_served_as_prometheus_reads_them(server: Endpoints, metrics: IngestMetrics) -> None:
    response, body = ask(server, "/metrics")
    assert response.status == 200
    assert response.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\ncaves_ingest_messages_total 0.0\n" in body
    metrics.fenced(FencedError("t", {}, {}))
    assert b"\ncaves_ingest_fenced_total 1.0\n" in ask(server, "/metrics?name=x")[1]


def test_probes_answer_with_status_and_facts(server: Endpoints, health: Health) -> None:
    response, body = ask(server, "/healthz")
    assert (response.status, response.getheader("Content-Type")) == (200, "application/json")
    assert json.loads(body)["alive"] is True
    response, body = ask(server, "/readyz")
    assert response.status == 503
    assert json.loads(body)["ready"] is False
    health.offsets_read({0: 1})
    health.partitions_owned(frozenset({0}))
    response, body = ask(server, "/readyz")
    assert response.status == 200
    assert json.loads(body) == {
        "ready": True,
        "loop_turns": True,
        "partitions_owned": 1,
        "stored_offsets_read": True,
        "warehouse_answered": True,
    }
    health.retried(WarehouseUnreachable("w", "gone"))
    assert (ask(server, "/readyz")[0].status, ask(server, "/healthz")[0].status) == (503, 200)


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/%2e%2e/x", "/healthz%0d%0aX:y"])
def test_no_other_path_is_answered(server: Endpoints, path: str) -> None:
    response, body = ask(server, path)
    assert response.status == 404
    assert body == b"There are /metrics, /healthz, /readyz.\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "X"])
def test_only_get_is_answered(server: Endpoints, method: str) -> None:
    response, body = ask(server, "/metrics", method, b"x" * 10)
    assert (response.status, response.getheader("Allow")) == (405, "GET")
    assert b"caves_ingest" not in body


def test_answers_name_no_version_of_python(server: Endpoints) -> None:
    assert ask(server, "/healthz")[0].getheader("Server") == "caves-ingest"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"A" * 70_000,
    ],
    ids=["empty", "no path", "TLS", "HTTP 9", "endless line"],
)
def test_nonsense_ends_its_own_connection_only(server: Endpoints, nonsense: bytes) -> None:
    with connect(server) as client:
        client.sendall(nonsense)
        with suppress(ConnectionResetError):
            while client.recv(65_536):
                pass
    assert ask(server, "/healthz")[0].status == 200


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cuts nobody off for being slow, so that only what else it does can help."""
    monkeypatch.setattr(endpoints, "_REQUEST_SECONDS", 600.0)
    monkeypatch.setattr(endpoints._Handler, "timeout", 600.0)


def test_a_client_that_sends_slowly_is_cut_off_though_it_never_pauses_long(
    server: Endpoints, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_REQUEST_SECONDS", 0.5)
    with connect(server) as client:
        client.sendall(b"GET /metrics?")
        with pytest.raises(OSError):
            for _ in range(200):
                client.sendall(b"x")
                time.sleep(0.1)


def test_clients_that_hold_their_connections_neither_shut_out_a_scrape_nor_pile_up_threads(
    server: Endpoints, patient: None
) -> None:
    before = threading.active_count()
    idlers = [connect(server) for _ in range(60)]
    try:
        for idler in idlers:
            # The oldest may be closed already: a later one took its place.
            with suppress(OSError):
                idler.sendall(b"GET /metr")
        assert ask(server, "/metrics")[0].status == 200
        deadline = time.monotonic() + 10
        while threading.active_count() > before + endpoints._MOST_CONNECTIONS:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        for idler in idlers:
            idler.close()


def test_a_scrape_that_is_not_read_holds_up_no_other(server: Endpoints) -> None:
    with connect(server) as lazy:
        lazy.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert ask(server, "/metrics")[0].status == 200


def test_closing_ends_the_threads_and_the_connections(
    metrics: IngestMetrics, health: Health, patient: None
) -> None:
    before = threading.active_count()
    with Endpoints("127.0.0.1", 0, metrics, health) as serving:
        idler = connect(serving)
        idler.sendall(b"GET /")
        assert ask(serving, "/healthz")[0].status == 200
    with idler:
        assert idler.recv(10) == b""
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(OSError):
        connect(serving)


def test_a_taken_port_is_said_before_anything_is_served(metrics: IngestMetrics, health: Health) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortInUse, match="already in use"):
            Endpoints("127.0.0.1", taken.getsockname()[1], metrics, health)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("no.such.host.invalid", 0), ("127.0.0.1", 70_000)]
)
def test_an_address_that_is_not_ours_is_said_with_the_way_out(
    metrics: IngestMetrics, health: Health, host: str, port: int
) -> None:
    with pytest.raises(CannotListen, match="an address of this machine"):
        Endpoints(host, port, metrics, health)


def test_it_listens_on_the_new_protocol_too(metrics: IngestMetrics, health: Health) -> None:
    with Endpoints("::1", 0, metrics, health) as serving:
        assert serving.url.startswith("http://[::1]:")
        with closing(HTTPConnection("::1", port_of(serving), timeout=10)) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
