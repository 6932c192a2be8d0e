"""caves doctor"""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from caves_cli import console
from caves_cli.bars import bar
from caves_cli.exit_codes import ExitCode
from caves_cli.options import (
    Bootstrap,
    ConfigFile,
    ConnectionName,
    Database,
    JsonToStdout,
    Topic,
    VirtualWarehouse,
)

if TYPE_CHECKING:
    from caves_cli.doctor.finding import Finding


def doctor(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    warehouse: VirtualWarehouse = None,
    topic: Topic = None,
    bootstrap: Bootstrap = None,
    as_json: JsonToStdout = False,
) -> None:
    """Check everything that the pipeline needs, and say how to mend what is not right.

    Python and packages, the snow CLI, disk and ports, what `caves up` left behind, the connection, what is
    deployed and from which code, tasks and alerts, broker, topic and offsets. It changes nothing, and no
    check takes longer than 45 seconds. Exit code 0 when there is no problem; warnings are none.

    Examples:
      caves doctor
      caves doctor -c prod --bootstrap kafka.example:9092
      caves doctor --json
    """
    from caves_cli.doctor.examination import Asked, findings
    from caves_cli.doctor.finding import Verdict

    asked = Asked(connection, config_file, database, warehouse, topic, bootstrap)
    found = []
    with bar("Looking ..."):
        for finding in findings(asked):
            found.append(finding)
            if not as_json:
                _show(finding)
    problems = sum(each.verdict is Verdict.PROBLEM for each in found)
    warnings = sum(each.verdict is Verdict.WARNING for each in found)
    if as_json:
        document = {"problems": problems, "warnings": warnings, "checks": [asdict(each) for each in found]}
        console.write_json(document, "-")
    else:
        console.out.print(f"\n{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}.")
    if problems:
        raise typer.Exit(ExitCode.FAILED)


def _show(finding: "Finding") -> None:
    from rich.table import Table
    from rich.text import Text

    from caves_cli.doctor.finding import Verdict
    from caves_cli.terminal import visible

    styles = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=7)
    line.add_column(width=18)
    line.add_column(overflow="fold")
    line.add_row(Text(finding.verdict, styles[finding.verdict]), finding.check, Text(visible(finding.found)))
    if finding.mend:
        line.add_row("", "", Text.assemble(("mend: ", "bold"), finding.mend))
    console.out.print(line)


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'s' * (number != 1)}"
