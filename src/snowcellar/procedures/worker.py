"""A worker: a process that runs handlers, one at a time, with a Snowpark session of the caller's scope.

Started as `python -m snowcellar.procedures.worker`. It speaks with the server over its standard input and
output (channel.py); whatever a handler prints goes to the log. It ends when the server's end of the pipe
closes, also in the middle of a handler.
"""

from __future__ import annotations

import importlib
import os
import queue
import resource
import sys
import sysconfig
import threading
import traceback
import types
from typing import Any

from snowcellar.procedures.channel import Channel, Closed
from snowcellar.procedures.guard import GuardedFinder, install
from snowcellar.procedures.values import decode, encode

_INLINE_MODULE = "_udf_code"
"""Snowflake's name for the body of a procedure that is written in the statement."""


def main() -> None:
    """Set up, say so, then answer calls until the server goes away."""
    channel = _take_pipes()
    setup = channel.receive()
    finder = install(setup["modules"], setup["namespaces"])
    _import_snowpark()
    _limit_memory(setup["memory_bytes"])
    channel.send({"ready": os.getpid()})
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(channel, inbox), daemon=True).start()
    while True:
        message = inbox.get()
        if "imports" in message:
            _add_imports(finder, message["imports"], message["folder"])
            channel.send({"ready": os.getpid()})
            continue
        answer = _values(message) if "rows" in message else _answer(message)
        channel.send(answer)
        sys.stdout.flush()
        if answer.get("out_of_memory"):
            # What a handler leaves in its modules would be missing for the next.
            os._exit(0)


def _take_pipes() -> Channel:
    channel = Channel(os.dup(0), os.dup(1))
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    return channel


def _receive(channel: Channel, inbox: queue.SimpleQueue[dict[str, Any]]) -> None:
    try:
        while True:
            inbox.put(channel.receive())
    except Closed:
        os._exit(0)


def _import_snowpark() -> None:
    import snowflake.connector
    import snowflake.snowpark
    import snowflake.snowpark.functions  # noqa: F401  (what nearly every handler imports)


def _limit_memory(limit: int) -> None:
    """A handler that leaks gets a MemoryError, before the machine has none left. Linux alone keeps to it."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


def _add_imports(finder: GuardedFinder, paths: list[str], folder: str | None) -> None:
    finder.imports = paths
    sys.path[:0] = paths
    if folder:
        sys._xoptions["snowflake_import_directory"] = folder + os.sep


def _answer(call: dict[str, Any]) -> dict[str, Any]:
    """The result of a call, or the text of its failure."""
    from snowflake.snowpark import Session

    session = None
    try:
        connection = _connect(call["connection"])
        session = Session.builder.configs({"connection": connection}).create()
        value = _handler(call)(session, *decode(call["arguments"]))
        if call["returns_table"]:
            return {"query_id": _run_frame(session, value)}
        return {"value": encode(value)}
    except MemoryError:
        return {"out_of_memory": True}
    except BaseException as error:  # a handler's SystemExit is a failure of the call, too
        return {"error": _text(error, call["folder"])}
    finally:
        if session is not None:
            _discard(session)


_functions: dict[str, Any] = {}
"""The function whose rows came last: what its module keeps lasts as long as its statement."""


def _values(message: dict[str, Any]) -> dict[str, Any]:
    """A function's value for each row of arguments, or the text of its failure."""
    try:
        if message["code"] not in _functions:
            _functions.clear()
            _functions[message["code"]] = _handler(message)
        function, strict = _functions[message["code"]], message["strict"]
        rows = decode(message["rows"])
        if hasattr(function, "_sf_vectorized_input"):
            return {"values": [encode(value) for value in _of_a_frame(function, rows)]}
        return {"values": [None if strict and None in row else encode(function(*row)) for row in rows]}
    except MemoryError as error:
        return {"error": f"MemoryError: {error}", "out_of_memory": True}
    except BaseException as error:  # a SystemExit is a failure of the statement, too
        return {"error": _text(error, message["folder"])}


def _of_a_frame(function: Any, rows: list[list[Any]]) -> list[Any]:
    """The values of a vectorized function, which takes a batch of rows as a pandas DataFrame."""
    import pandas as pd

    values = pd.Series(function(pd.DataFrame(rows)))
    return [None if pd.isna(value) else value for value in values]


def _connect(settings: dict[str, Any]) -> Any:
    import snowflake.connector

    return snowflake.connector.connect(
        **settings,
        # As Snowpark's own connections: session.sql("... ?", params=[...]).
        paramstyle="qmark",
        client_session_keep_alive=False,
        platform_detection_timeout_seconds=0.0,
        session_parameters={"CLIENT_TELEMETRY_ENABLED": False},
    )


def _discard(session: Any) -> None:
    """Forget the session without telling the server, which closes the scope itself."""
    from snowflake.snowpark.session import _remove_session

    _remove_session(session)
    connection = session._conn._conn
    if connection.rest is not None:
        connection.rest.close()
        connection._rest = None


def _handler(call: dict[str, Any]) -> Any:
    module, function = call["module"], call["function"]
    code = importlib.import_module(module) if call["body"] is None else _inline(call["body"])
    return getattr(code, function)


def _inline(body: str) -> types.ModuleType:
    module = types.ModuleType(_INLINE_MODULE)
    sys.modules[_INLINE_MODULE] = module
    exec(compile(body, f"{_INLINE_MODULE}.py", "exec"), module.__dict__)  # noqa: S102
    return module


def _run_frame(session: Any, frame: Any) -> str | None:
    """Run the DataFrame that a handler returned; the query whose rows are the result."""
    if frame is None:
        return None
    with session.query_history() as history:
        frame.collect()
    wanted = frame.queries["queries"][-1].strip()
    ids = [query.query_id for query in history.queries if query.sql_text.strip() == wanted]
    return str((ids or [query.query_id for query in history.queries])[-1])


def _text(error: BaseException, folder: str | None) -> str:
    """The traceback from the handler's own frames on, with no path of this machine."""
    frame = error.__traceback__
    while frame is not None and _is_ours(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    lines = traceback.format_exception(type(error), error, frame, chain=frame is not None)
    text = "".join(line for line in lines if "<frozen importlib" not in line)
    if frame is None:
        text = text.removeprefix("Traceback (most recent call last):\n")
    for place in (folder, sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")):
        if place:
            text = text.replace(place + os.sep, "")
    return text.rstrip("\n")


def _is_ours(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen ") or filename == importlib.__file__


if __name__ == "__main__":
    main()
