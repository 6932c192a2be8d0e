"""Flags that several commands share, with one help text each."""

from pathlib import Path
from typing import Annotated

import typer

from caves_cli.suggestions import connection_names, environment_names

ConnectionName = Annotated[
    str,
    typer.Option(
        "--connection",
        "-c",
        envvar="CAVES_CONNECTION",
        metavar="NAME",
        autocompletion=connection_names,
        help="Connection by name, as `snow connection list` shows it; `local` is what `caves up` made.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file",
        envvar="CAVES_CONFIG_FILE",
        metavar="PATH",
        help="Snowflake CLI config file to take the connection from. Default: .caves/config.toml, "
        "then the Snowflake CLI's own files.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_DATABASE",
        metavar="NAME",
        help="Database of the pipeline. Default: the connection's, else CAVES_ALBERT_DB.",
    ),
]
VirtualWarehouse = Annotated[
    str | None,
    typer.Option(
        "--warehouse",
        envvar="CAVES_WAREHOUSE",
        metavar="NAME",
        help="Warehouse for the tasks. Default: the connection's, else COMPUTE_WH.",
    ),
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--env",
        "-e",
        envvar="CAVES_ENV",
        metavar="NAME",
        autocompletion=environment_names,
        help="Environment: dev, test, prod, or another file of deploy/environments/. Default: the values of "
        "snowflake.yml.",
    ),
]
JsonToStdout = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Topic = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_TOPIC",
        metavar="NAME",
        help="Kafka topic. Default: that of `caves up`, else sales_events.",
    ),
]
Bootstrap = Annotated[
    str | None,
    typer.Option(
        envvar="CAVES_BOOTSTRAP",
        metavar="HOST:PORT",
        help="Kafka broker. Default: that of `caves up`, else 127.0.0.1:9092.",
    ),
]
