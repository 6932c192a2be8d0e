"""The `snowcellar` command."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from snowcellar.procedures.pool import MEMORY_BYTES
from snowcellar.serving import web_server
from snowcellar.warehouse import Warehouse

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""A warehouse on this machine that Snowflake's clients take for an account: the Python connector,
    Snowpark, the snow CLI, SQLAlchemy, the JDBC and Node drivers.

    `snowcellar serve` starts it and writes a config file for the snow CLI;
    `snow --config-file cellar.toml sql -c local -q "select 1"` asks it something.
    What it does as Snowflake and what not: docs/snowcellar.md.""",
)


@app.callback()
def _root() -> None:
    pass


@app.command()
def serve(
    db: Annotated[
        Path, typer.Option(help="File that holds the state; its databases lie beside it in FILE.d/.")
    ] = Path("cellar.duckdb"),
    config: Annotated[
        Path, typer.Option(help="Config file of the snow CLI to write, with the connection `local`.")
    ] = Path("cellar.toml"),
    port: Annotated[int, typer.Option(help="Loopback port to listen on; 0 chooses a free one.")] = 0,
    minute: Annotated[float, typer.Option(help="Seconds that a MINUTE of a task's schedule takes.")] = 60.0,
    database: Annotated[str, typer.Option(help="Database that the connection names.")] = "",
    warehouse: Annotated[
        str, typer.Option(help="Virtual warehouse that the connection names.")
    ] = "COMPUTE_WH",
    worker_memory: Annotated[
        int, typer.Option(help="MB that a worker, which runs procedures, may take.")
    ] = MEMORY_BYTES // 1024**2,
    memory: Annotated[
        int, typer.Option(help="MB that DuckDB may take; 0 for four fifths of what the machine has.")
    ] = 0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
    until_input_ends: Annotated[
        bool, typer.Option("--until-input-ends", help="End too when standard input does, with its parent.")
    ] = False,
) -> None:
    """Serve the warehouse on loopback, until SIGTERM or Ctrl-C; the password is made anew at each start.

    Example: snowcellar serve --db cellar.duckdb --port 8084 --config cellar.toml
    then:    snow --config-file cellar.toml sql -c local -q "select 1"
    """
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # What sqlglot cannot carry over (column comments) is kept by fakesnow; DuckDB warns of a copy we want.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    if minute <= 0:
        raise typer.BadParameter(
            f"--minute is {minute:g}; give the seconds that a minute takes, more than 0."
        )
    listener = _listen(port)
    bound = listener.getsockname()[1]
    db.parent.mkdir(parents=True, exist_ok=True)
    try:
        cellar = Warehouse(db, minute)
    except duckdb.IOException as error:
        typer.echo(f"snowcellar: {db} is in use or cannot be opened: {error}", err=True)
        raise typer.Exit(1) from error
    if memory:
        cellar.limit_memory(memory)
    cellar.workers.memory_bytes = worker_memory * 1024**2
    cellar.address = ("127.0.0.1", bound)
    _write_config(config, cellar, database, warehouse)
    cellar.start()
    typer.echo(f"snowcellar: serving {db} on 127.0.0.1:{bound}; connection `local` in {config}")
    sys.stdout.flush()
    try:
        ended_by_itself = asyncio.run(_serve(cellar, listener, until_input_ends))
    finally:
        cellar.close()
    if ended_by_itself:
        raise typer.Exit(1)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        typer.echo(
            f"snowcellar: port {port} of 127.0.0.1 cannot be used ({error.strerror}); give another --port.",
            err=True,
        )
        raise typer.Exit(1) from error
    # Whoever reads the ready line may connect at once.
    listener.listen()
    return listener


async def _serve(cellar: Warehouse, listener: socket.socket, until_input_ends: bool) -> bool:
    """Serve until told to end, or until the warehouse cannot go on; whether the latter."""
    server, lost = web_server(cellar), asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    def give_up() -> None:
        lost.set()
        end()

    cellar.on_lost = lambda: loop.call_soon_threadsafe(give_up)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if until_input_ends:
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 4096) else end())
    await server.serve(sockets=[listener])
    return lost.is_set()


def _write_config(path: Path, cellar: Warehouse, database: str, warehouse: str) -> None:
    assert cellar.address is not None
    host, port = cellar.address
    lines = [
        "[connections.local]",
        f'account = "{cellar.account}"',
        'user = "LOCAL"',
        f'password = "{cellar.password}"',
        f'host = "{host}"',
        f"port = {port}",
        'protocol = "http"',
        f'warehouse = "{warehouse}"',
    ]
    if database:
        lines.append(f'database = "{database}"')
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    partial.replace(path)


def main() -> None:
    """The console entry point."""
    app()
