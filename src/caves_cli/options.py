"""Flags that several commands share, with one help text each."""

from pathlib import Path
from typing import Annotated

import typer

ConnectionName = Annotated[
    str,
    typer.Option(
        "--connection",
        "-c",
        envvar="CAVES_CONNECTION",
        help="Connection by name, as `snow connection list` shows it; `local` is what `caves up` made.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file",
        envvar="CAVES_CONFIG_FILE",
        help="Snowflake CLI config file to take the connection from. [dim]Default: .caves/config.toml, "
        "then the Snowflake CLI's own files.[/dim]",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_DATABASE",
        help="Database of the pipeline. [dim]Default: the connection's, else CAVES_ALBERT_DB.[/dim]",
    ),
]
VirtualWarehouse = Annotated[
    str | None,
    typer.Option(
        "--warehouse",
        envvar="CAVES_WAREHOUSE",
        help="Warehouse for the tasks. [dim]Default: the connection's, else COMPUTE_WH.[/dim]",
    ),
]
JsonToStdout = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Topic = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_TOPIC", help="Kafka topic. [dim]Default: that of `caves up`, else sales_events.[/dim]"
    ),
]
Bootstrap = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_BOOTSTRAP",
        metavar="HOST:PORT",
        help="Kafka broker. [dim]Default: that of `caves up`, else 127.0.0.1:9092.[/dim]",
    ),
]
