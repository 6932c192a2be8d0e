"""/metrics, /healthz and /readyz over HTTP, for Prometheus and for whoever keeps the process running.

The server has threads of its own and holds nothing that the ingestor waits for. Slow clients, however many,
cost a bounded number of threads for a bounded time.
"""

import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from errno import EADDRINUSE
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread
from typing import Any, Final, NamedTuple, Self, cast

from ingest.errors import CannotListen, PortInUse
from ingest.health import Health, Verdict
from ingest.metrics import CONTENT_TYPE, IngestMetrics

log = logging.getLogger(__name__)

# From accepting a connection until its answer is sent. A scrape takes milliseconds.
_REQUEST_SECONDS: Final = 5.0
# One more, and the oldest is closed: who sends a byte a second must not shut out the next scrape.
_MOST_CONNECTIONS: Final = 16
# How soon overdue connections are looked for, and a wish to close is noticed.
_POLL_SECONDS: Final = 0.2
_LAST_PORT: Final = 65_535
_JSON: Final = "application/json"


class Answer(NamedTuple):
    """What a path says now."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Endpoints:
    """Serves as long as the block lasts; the address is taken, or refused, when it is made."""

    def __init__(self, host: str, port: int, metrics: IngestMetrics, health: Health) -> None:
        routes: dict[str, Callable[[], Answer]] = {
            "/metrics": lambda: Answer(HTTPStatus.OK, CONTENT_TYPE, metrics.exposition()),
            "/healthz": lambda: _verdict("alive", health.alive()),
            "/readyz": lambda: _verdict("ready", health.ready()),
        }
        if not 0 <= port <= _LAST_PORT:
            # The look-up of addresses would take it modulo 65536.
            raise CannotListen(host, port, "there is no such port")
        try:
            self._server = _Server(host, port, routes)
        except OSError as error:
            if error.errno == EADDRINUSE:
                raise PortInUse(port) from error
            raise CannotListen(host, port, error.strerror or error) from error
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="endpoints", daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        text = str(host)
        return f"http://[{text}]:{port}" if ":" in text else f"http://{text}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """A thread a connection, and a bound on both their number and their age."""

    daemon_threads = True
    # With the standard library's 5 a few idle clients make the next one wait for a second.
    request_queue_size = 128

    def __init__(self, host: str, port: int, routes: dict[str, Callable[[], Answer]]) -> None:
        self.routes = routes
        self._open: dict[Any, float] = {}
        self._lock = Lock()
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.address_family = family
        super().__init__(cast(tuple[str, int], address[:2]), _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's own, which asks a name server who we are and may wait for it for long.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            if len(self._open) >= _MOST_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                _abort(oldest)
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        self._abort_older_than(_REQUEST_SECONDS)

    def server_close(self) -> None:
        super().server_close()
        self._abort_older_than(0)

    def handle_error(self, _: Any, client_address: Any) -> None:
        log.debug("a request of %s broke off: %r", client_address, sys.exc_info()[1])

    def _abort_older_than(self, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            for connection, since in self._open.items():
                if now - since >= seconds:
                    _abort(connection)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection, and only GET."""

    timeout = _REQUEST_SECONDS

    def version_string(self) -> str:
        """What the Server header tells: no versions."""
        return "caves-ingest"

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.command == "GET":
            return True
        self._send(_text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET."), allow="GET")
        return False

    def do_GET(self) -> None:
        routes = cast(_Server, self.server).routes
        route = routes.get(self.path.partition("?")[0])
        self._send(route() if route else _text(HTTPStatus.NOT_FOUND, f"There are {', '.join(routes)}."))

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as the standard library has it
        """Nothing: a probe every few seconds is no news, and what a client sends is not ours to print."""

    def _send(self, answer: Answer, allow: str | None = None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if allow is not None:
            self.send_header("Allow", allow)
        self.end_headers()
        self.wfile.write(answer.body)


def _abort(connection: Any) -> None:
    """End it under the thread that serves it, which then closes it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _verdict(name: str, verdict: Verdict) -> Answer:
    status = HTTPStatus.OK if verdict.holds else HTTPStatus.SERVICE_UNAVAILABLE
    body = {name: verdict.holds, **verdict.facts}
    return Answer(status, _JSON, json.dumps(body).encode() + b"\n")


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())
