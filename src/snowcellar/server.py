"""The server: Snowflake's wire protocol over HTTP, for one warehouse.

It listens on loopback only and runs Python, so it trusts nobody: every request needs the token that the
password bought, the Host must be loopback, and a request that a web page sent is refused.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import time
import zlib
from collections import OrderedDict
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote, unquote

import anyio
from fakesnow.transforms import SERVER_VERSION
from fakesnow.transforms import stage as fakesnow_stage
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from snowcellar import background_queries, file_downloads, large_results, multi_statements, wire, wire_json
from snowcellar.errors import CompilationError, WarehouseError, as_warehouse_error
from snowcellar.history import QueryRecord
from snowcellar.redaction import redacted
from snowcellar.result import Result
from snowcellar.session import STATEMENT_TAG, Session
from snowcellar.users import login
from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)

_LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
_STATEMENT_THREADS = 1000
_KEPT_TICKETS = 1000
_POLL_SECONDS = 20.0
"""How long a client that asks for rows waits for the statement before it is told to ask again."""
_LOOK_SECONDS = 0.05
_IN_PROGRESS = {
    "code": "333334",
    "message": "Query execution in progress. Ask for it by its query id.",
}
_AUTHORIZATION = re.compile(r'\ASnowflake Token="([^"]+)"\Z')


def application(warehouse: Warehouse) -> ASGIApp:
    """The ASGI application that serves a warehouse."""
    routes = [
        Route("/session/v1/login-request", _login, methods=["POST"]),
        Route("/session", _session, methods=["POST"]),
        Route("/session/heartbeat", _session, methods=["POST"]),
        Route("/session/token-request", _session, methods=["POST"]),
        Route("/queries/v1/query-request", _query, methods=["POST"]),
        Route("/queries/v1/abort-request", _abort, methods=["POST"]),
        Route("/queries/{query_id}/abort-request", _abort_query, methods=["POST"]),
        Route("/queries/{query_id}/result", _query_result, methods=["GET"]),
        Route("/monitoring/queries/{query_id}", _query_status, methods=["GET"]),
        Route("/telemetry/send", _accepted, methods=["POST"]),
        Route("/fs_bucket/{ticket}/{path:path}", _upload, methods=["PUT"]),
        Route("/fs_bucket/{ticket}/{path:path}", file_downloads.fetch, methods=["GET"]),
        Route("/results/{ticket}/{number:int}", large_results.fetch, methods=["GET"]),
    ]
    app = Starlette(routes=routes)
    app.state.warehouse = warehouse
    app.state.upload_tickets = OrderedDict()
    app.state.download_tickets = OrderedDict()
    app.state.result_chunks = large_results.Chunks()
    app.state.statement_threads = anyio.CapacityLimiter(_STATEMENT_THREADS)
    return _LoopbackOnly(app)


class _LoopbackOnly:
    """Refuses what a web page could forge: a foreign Host (DNS rebinding), an Origin, a cross-site fetch."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {key.lower(): value for key, value in Headers(scope=scope).items()}
            host = headers.get("host", "").rsplit(":", 1)[0]
            if host not in _LOOPBACK_HOSTS or "origin" in headers or "sec-fetch-site" in headers:
                await JSONResponse({"success": False, "message": "Forbidden"}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _login(request: Request) -> Response:
    warehouse: Warehouse = request.app.state.warehouse
    try:
        data = dict((await _body(request)).get("data") or {})
        session = warehouse.scope_for_secret(str(data.get("PASSWORD") or ""))
        if session is None:
            session = await run_in_threadpool(login.open_session, warehouse, data, request.query_params)
            session.client = str(data.get("CLIENT_APP_ID") or "")
    except Exception as error:
        return _failure(as_warehouse_error(error))
    return JSONResponse({"success": True, "data": _login_data(session)})


def _login_data(session: Session) -> dict[str, Any]:
    return {
        "token": session.token,
        "masterToken": session.token,
        "validityInSeconds": 3600 * 24 * 7,
        "masterValidityInSeconds": 3600 * 24 * 7,
        "serverVersion": SERVER_VERSION,
        "sessionId": session.number,
        "parameters": _client_parameters(session),
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.virtual_warehouse,
            "roleName": session.role,
        },
    }


def _client_parameters(session: Session) -> list[dict[str, Any]]:
    return [
        {"name": "AUTOCOMMIT", "value": session.parameters["AUTOCOMMIT"]},
        {"name": "TIMEZONE", "value": session.parameters["TIMEZONE"]},
        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
        # Array bindings stay inline: a client would stage larger ones in a stage of its own.
        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
        *_OUTPUT_FORMATS,
    ]


_OUTPUT_FORMATS = [
    {"name": f"{name}_OUTPUT_FORMAT", "value": value}
    for name, value in {
        "DATE": "YYYY-MM-DD",
        "TIME": "HH24:MI:SS",
        "TIMESTAMP": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
        "TIMESTAMP_NTZ": "YYYY-MM-DD HH24:MI:SS.FF3",
        "TIMESTAMP_LTZ": "",
        "TIMESTAMP_TZ": "",
        "BINARY": "HEX",
    }.items()
]
"""An account's defaults: how drivers that hand out texts, as JDBC does, write dates and times."""


async def _session(request: Request) -> Response:
    session = _session_of(request)
    if session is None:
        return _no_session()
    if request.query_params.get("delete"):
        await run_in_threadpool(request.app.state.warehouse.close_session, session)
    data = {"sessionToken": session.token, "masterToken": session.token, "validityInSecondsST": 3600 * 24 * 7}
    return JSONResponse({"success": True, "code": None, "message": None, "data": data})


async def _query(request: Request) -> Response:
    session = _session_of(request)
    if session is None:
        return _no_session()
    body: dict[str, Any] = {}
    try:
        body = await _body(request)
        # A CALL holds its thread while the procedure's own statements arrive, and those that wait for a lock
        # while its holder's COMMIT does: none may queue for a thread behind them.
        threads = request.app.state.statement_threads
        data = await anyio.to_thread.run_sync(_run_once, request, session, body, limiter=threads)
    except WarehouseError as error:
        log.info("failed: %s: %s", error.message.replace("\n", " "), redacted(str(body.get("sqlText")))[:200])
        return _failure(error, session.last_query_id)
    except Exception as error:
        log.exception("internal error: %s", redacted(str(body.get("sqlText")))[:200])
        return _failure(as_warehouse_error(error), session.last_query_id)
    running = _IN_PROGRESS if "getResultUrl" in data else {"code": None, "message": None}
    return JSONResponse({"success": True, **running, "data": data})


def _run_once(request: Request, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    request_id = request.query_params.get("requestId")
    return session.answered.answer(request_id, lambda: _run(request, session, body))


def _run(request: Request, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    sql = str(body.get("sqlText") or "")
    params, rows = wire.read_bindings(body.get("bindings"))
    STATEMENT_TAG.set((body.get("parameters") or {}).get("QUERY_TAG"))
    if (count := multi_statements.wanted(session, body)) != 1 and not body.get("describeOnly"):
        return multi_statements.run(session, sql, count)
    if body.get("asyncExec") and rows is None and background_queries.goes_aside(session, sql):
        return _where_to_ask(background_queries.run_aside(session, sql, params))
    if body.get("describeOnly"):
        result = session.describe(sql)
    elif rows is not None:
        result = session.execute_batch(sql, rows)
    else:
        result = session.execute(sql, params)
    if result.upload is not None and result.upload["command"] == "DOWNLOAD":
        return file_downloads.target(request, result.upload)
    if result.upload is not None:
        return _upload_target(request, result.upload)
    return _answer(request, session, result)


def _answer(request: Request, session: Session, result: Result) -> dict[str, Any]:
    as_json, rows, chunks = wire_json.is_wanted(session.client, session.parameters), result, []
    if large_results.is_large(result) and not as_json:
        rows, chunks = request.app.state.result_chunks.offer(request, result)
    return {
        "parameters": _client_parameters(session),
        "queryId": session.last_query_id,
        "statementTypeId": result.statement_type,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.virtual_warehouse,
        "finalRoleName": session.role,
        "numberOfBinds": 0,
        "arrayBindSupported": False,
        **wire.write_result(rows, as_json=as_json),
        "total": result.table.num_rows,
        "chunks": chunks,
    }


async def _query_result(request: Request) -> Response:
    session = _session_of(request)
    if session is None:
        return _no_session()
    warehouse: Warehouse = request.app.state.warehouse
    query_id = request.path_params["query_id"]
    record = warehouse.history.find(query_id)
    deadline = time.monotonic() + _POLL_SECONDS
    while record is not None and record.ended is None:
        if time.monotonic() > deadline:
            return JSONResponse({"success": True, **_IN_PROGRESS, "data": _where_to_ask(query_id)})
        await anyio.sleep(_LOOK_SECONDS)
    result = session.results.get(query_id)
    if result is not None:
        return JSONResponse({"success": True, "data": _answer(request, session, result)})
    if record is not None and record.error_code is not None and record.session_id == session.number:
        return _failure(WarehouseError(record.error_message or "", record.error_code), query_id)
    return _failure(WarehouseError("Query result is not available any more.", 709, "02000"))


def _where_to_ask(query_id: str) -> dict[str, Any]:
    return {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "progressDesc": None}


async def _query_status(request: Request) -> Response:
    warehouse: Warehouse = request.app.state.warehouse
    if _session_of(request) is None:
        return _no_session()
    record = warehouse.history.find(request.path_params["query_id"])
    queries = [] if record is None else [_status(record)]
    return JSONResponse({"success": True, "data": {"queries": queries}})


def _status(record: QueryRecord) -> dict[str, Any]:
    failed = {"errorCode": f"{record.error_code:06d}"} if record.error_code is not None else {}
    return {
        "id": record.query_id,
        "status": record.status,
        "errorMessage": record.error_message,
        **failed,
    }


async def _abort(request: Request) -> Response:
    session = _session_of(request)
    if session is None:
        return _no_session()
    await run_in_threadpool(session.interrupt)
    return JSONResponse({"success": True, "data": None})


async def _abort_query(request: Request) -> Response:
    """Stop a statement of the session's user by its id, if it runs."""
    session = _session_of(request)
    if session is None:
        return _no_session()
    await run_in_threadpool(background_queries.cancel, session, request.path_params["query_id"])
    return JSONResponse({"success": True, "data": None})


async def _accepted(request: Request) -> Response:
    return JSONResponse({"success": True, "data": None})


def _upload_target(request: Request, upload: dict[str, Any]) -> dict[str, Any]:
    """Tell the client to upload over HTTP to this server, as it would to a presigned URL of a cloud store."""
    bucket = Path(fakesnow_stage.LOCAL_BUCKET_PATH).resolve()
    folder = Path(upload["stageInfo"]["location"]).resolve()
    if bucket not in folder.parents:
        raise CompilationError(f"invalid stage location '{upload['stage_name']}'")
    ticket = token_urlsafe(16)
    tickets: OrderedDict[str, tuple[Path, bool]] = request.app.state.upload_tickets
    tickets[ticket] = folder, upload["overwrite"]
    while len(tickets) > _KEPT_TICKETS:
        tickets.popitem(last=False)
    name = Path(upload["src_locations"][0]).name
    stage_info = {
        "locationType": "GCS",
        "location": f"{upload['stage_name']}/",
        "creds": {},
        "presignedUrl": f"{request.url.scheme}://{request.url.netloc}/fs_bucket/{ticket}/{quote(name)}",
    }
    return {**{key: value for key, value in upload.items() if key != "stage_name"}, "stageInfo": stage_info}


async def _upload(request: Request) -> Response:
    """Store an uploaded file in the folder that its ticket was made for; PUT leaves one that is there alone.

    Source: https://docs.snowflake.com/en/sql-reference/sql/put (OVERWRITE)
    """
    folder, overwrite = request.app.state.upload_tickets.get(request.path_params["ticket"], (None, False))
    name = unquote(request.path_params["path"])
    if folder is None or not name or "/" in name or name in (".", "..") or "\0" in name:
        return Response(status_code=403)
    target = folder / name
    if not overwrite and target.is_file():
        # Deviation: the client calls it UPLOADED, for it asks no presigned URL what is there already.
        return Response()
    try:
        await _store(request, target)
    except OSError as error:
        log.error("cannot store %s: %s", target, error)
        # Not a 500, which clients repeat for half a minute before they say anything.
        return Response(status_code=HTTPStatus.INSUFFICIENT_STORAGE)
    return Response()


async def _store(request: Request, target: Path) -> None:
    """Write a request's body to a file, piece by piece, which appears when it is whole."""
    await run_in_threadpool(target.parent.mkdir, parents=True, exist_ok=True)
    partial = target.with_name(f".{token_urlsafe(8)}.partial")
    try:
        async with await anyio.open_file(partial, "wb") as file:
            async for piece in request.stream():
                await file.write(piece)
        partial.replace(target)
    except BaseException:
        # Also when the client goes away in the middle.
        partial.unlink(missing_ok=True)
        raise


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        parsed = json.loads(body)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise WarehouseError(f"The request's body cannot be read: {error}", 391902, "08000") from error
    if not isinstance(parsed, dict):
        raise WarehouseError("The request's body is not a JSON object.", 391902, "08000")
    return parsed


def _session_of(request: Request) -> Session | None:
    match = _AUTHORIZATION.match(request.headers.get("Authorization", ""))
    warehouse: Warehouse = request.app.state.warehouse
    session = warehouse.session(match[1]) if match else None
    if session is not None and warehouse.clients is not None and request.client is not None:
        warehouse.clients.note(session.token, (request.client.host, request.client.port))
    return session


def _no_session() -> Response:
    body = {
        "success": False,
        "code": "390104",
        "message": "Session token is not valid. Log in again.",
        "data": None,
    }
    return JSONResponse(body, 401)


def _failure(error: WarehouseError, query_id: str | None = None) -> Response:
    code = f"{error.errno:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": query_id}
    return JSONResponse({"success": False, "code": code, "message": error.message, "data": data})
