"""caves verify"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from caves_cli import console
from caves_cli.bars import bar
from caves_cli.exit_codes import ExitCode
from caves_cli.options import ConfigFile, ConnectionName, Database, JsonToStdout

if TYPE_CHECKING:
    from caves_cli.verification import Verdict


def verify(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    as_json: JsonToStdout = False,
) -> None:
    """Check the seven invariants in SQL: nothing lost, doubled, misread or out of date.

    Right at any moment, also while events flow: what waits in a stream counts as not yet processed. Exit code
    1 when an invariant does not hold, with the first rows that break it. The queries are in
    src/caves_snowpark/invariants/.

    Examples:

      caves verify

      caves verify -c prod --json
    """
    from snowflake.connector.errors import ProgrammingError

    from caves_cli import verification
    from caves_cli.connection import target
    from caves_cli.errors import NotDeployed
    from caves_snowpark.invariants import invariants

    total = len(invariants())
    with (
        target(connection, config_file, database).open() as session,
        bar("Checking", total=total, begun=-1) as shown,
    ):
        try:
            verdicts = verification.verify(session, lambda invariant: shown.one_more(invariant.title))
        except ProgrammingError as error:
            raise NotDeployed(connection, error.msg or str(error)) from error
    if as_json:
        console.write_json({verdict.invariant.name: verdict.as_json() for verdict in verdicts}, "-")
    else:
        show(verdicts)
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(ExitCode.FAILED)


def show(verdicts: "Sequence[Verdict]") -> None:
    """The verdicts as a table, and below it the rows that break one."""
    from rich.text import Text

    rows = [
        (
            verdict.invariant.number,
            verdict.invariant.title,
            Text("holds", "green") if verdict.holds else Text(f"BROKEN by {verdict.count}", "bold red"),
        )
        for verdict in verdicts
    ]
    console.table("Invariants", ("no", "invariant", "verdict"), rows)
    for verdict in verdicts:
        for key, problem in verdict.offenders[:5]:
            console.out.print(f"  {verdict.invariant.number}. {key} {problem}", markup=False)
