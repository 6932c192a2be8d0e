"""A database, a warehouse and roles on an account, made for one run of the live tests, then dropped."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from caves_cli import deploy, teardown
from caves_cli.connection import Target, target
from caves_cli.deployment_plan import rows

ROOT: Final = Path(__file__).parents[2]
CONNECTION_VARIABLE: Final = "CAVES_LIVE_CONNECTION"
_OURS: Final = re.compile(r"CAVES_LIVE_[0-9A-F]{8}(?:_WH)?\Z")


class NotOursError(Exception):
    """A name that no live test may touch."""


def require_ours(chosen: Target) -> None:
    """Raise unless database, warehouse and roles all carry the name of one run."""
    for name in (chosen.database, chosen.warehouse, chosen.variables.get("CAVES_ROLES", "")):
        if not _OURS.match(name):
            raise NotOursError(
                f"The live tests touch only what is called CAVES_LIVE_<8 digits>, not {name!r}."
            )


def new_target(connection: str, config_file: Path | None = None) -> Target:
    """A target under a name that nobody has; the connection's own database and warehouse are left alone."""
    name = f"CAVES_LIVE_{secrets.token_hex(4).upper()}"
    variables = {"CAVES_ROLES": name, "CAVES_SCHEDULE": "1 MINUTE"}
    return target(connection, config_file, name, f"{name}_WH", variables)


@contextmanager
def deployed(chosen: Target) -> Iterator[Target]:
    """Bootstrap and deploy; afterwards drop database, warehouse and roles, whatever has happened."""
    require_ours(chosen)
    with chosen.open() as session:
        there = {str(row["name"]) for row in rows(session, "SHOW DATABASES")}
        if chosen.database in there:
            raise NotOursError(f"There is a database {chosen.database} already.")
    try:
        deploy.bootstrap(chosen, ROOT, lambda _: None)
        deploy.deploy(chosen, ROOT, lambda _: None)
        yield chosen
    finally:
        remove(chosen)


def remove(chosen: Target) -> None:
    require_ours(chosen)
    with chosen.open() as session:
        session.cursor().execute("USE ROLE ACCOUNTADMIN")
        if any(row["name"] == chosen.database for row in rows(session, "SHOW DATABASES")):
            session.cursor().execute(f"DROP DATABASE {chosen.database}")
        for statement in teardown.of_account(session, chosen, ROOT).statements:
            session.cursor().execute(statement)


def asked_for() -> tuple[str, Path | None] | None:
    """The connection that `make test-live CONNECTION=name` names, and its file where one is given."""
    name = os.environ.get(CONNECTION_VARIABLE)
    file = os.environ.get("CAVES_CONFIG_FILE")
    return (name, Path(file) if file else None) if name else None
