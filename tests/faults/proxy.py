"""The network between the ingestors and the warehouse, able to fail at the worst moment.

It understands just enough of Snowflake's wire protocol to know which statement a request carries. Without a
rule it forwards everything.
"""

import gzip
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

# A statement may take long on a busy machine; a warehouse that hangs is the client's to notice first.
_UPSTREAM_SECONDS: Final = 120
_BETWEEN_TWO_HOPS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Treatment(Enum):
    """What becomes of one request."""

    FORWARD = auto()
    # The warehouse never hears of it; the client sees a broken connection.
    CUT = auto()
    # The warehouse does it; the client sees a broken connection and cannot know.
    DROP_ANSWER = auto()
    # An answer in Snowflake's own form: it cannot do this now.
    REFUSE = auto()
    # What a load balancer says when there is nothing behind it.
    UNAVAILABLE = auto()


# Told the statement (empty for a login or an upload), says what becomes of its request.
Rule = Callable[[str], Treatment]


def forward(_: str) -> Treatment:
    return Treatment.FORWARD


@dataclass
class WarehouseProxy:
    """Listens on a port of its own from `start` to `stop`; `target` is the port of the warehouse."""

    target: int = 0
    rule: Rule = forward
    # Called after the warehouse has answered and before the client learns that it will not hear of it.
    on_dropped: Callable[[], None] = lambda: None
    _server: "_Server | None" = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._server = _Server(self)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def heal(self) -> None:
        self.rule, self.on_dropped = forward, lambda: None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: WarehouseProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is the everyday business of this proxy."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        treatment = proxy.rule(_statement(body, self.headers.get("Content-Encoding")))
        if treatment is Treatment.CUT:
            self._cut()
        elif treatment is Treatment.UNAVAILABLE:
            self._answer(503, {}, b"")
        elif treatment is Treatment.REFUSE:
            self._answer(200, {"Content-Type": "application/json"}, _REFUSAL)
        else:
            self._forward(body, drop=treatment is Treatment.DROP_ANSWER)

    # The names that http.server calls.
    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _forward(self, body: bytes, *, drop: bool) -> None:
        upstream = HTTPConnection("127.0.0.1", self.server.proxy.target, timeout=_UPSTREAM_SECONDS)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _BETWEEN_TWO_HOPS:
                    upstream.putheader(name, value)
            upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body)
            answer: HTTPResponse = upstream.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._cut()
            return
        finally:
            upstream.close()
        if drop:
            self.server.proxy.on_dropped()
            self._cut()
            return
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _BETWEEN_TWO_HOPS}
        self._answer(answer.status, kept, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


_REFUSAL: Final = json.dumps(
    {
        "success": False,
        "code": "000603",
        "message": "SQL execution internal error: the proxy of the fault tests refuses.",
        "data": {
            "sqlState": "XX000",
            "errorCode": "000603",
            "queryId": "00000000-0000-0000-0000-000000000000",
        },
    }
).encode()


def _statement(body: bytes, encoding: str | None) -> str:
    try:
        parsed = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
    except (ValueError, OSError, EOFError):
        return ""
    return str(parsed.get("sqlText") or "").strip() if isinstance(parsed, dict) else ""
