"""Files of deploy/, run statement by statement without the snow CLI: what `caves deploy` runs of SQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from caves_cli import sql_files

ROOT: Final = Path(__file__).parents[1]
ACCOUNT: Final = "account/010_account"
"""Roles, warehouse and database: what all other files need."""


def run_files(run: Callable[[str], object], *names: str, **variables: str) -> None:
    """Run the files of these names, then go back to the role that sees everything."""
    values = {**sql_files.defaults(ROOT), **variables}
    files = [Path("deploy") / f"{name}.sql" for name in names]
    for _, statement in sql_files.statements(ROOT, files, values):
        run(statement)
    run("USE ROLE ACCOUNTADMIN")
