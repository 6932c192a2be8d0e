"""caves down"""

from typing import Annotated

import typer

from caves_cli import console, project
from caves_cli.state import StateFolder


def down(
    remove_data: Annotated[
        bool,
        typer.Option(
            "--remove-data", help="Also delete .caves/: the warehouse's data, its logs, the connection."
        ),
    ] = False,
) -> None:
    """Stop what `caves up` started, by its pids, and nothing else.

    The warehouse's data stays in .caves/ and is there again after the next `caves up`. What `caves demo
    --keep` left running is stopped too.

    Examples:

      caves down

      caves down --remove-data
    """
    from caves_cli import local

    stopped = []
    for folder in (StateFolder(project.STATE_FOLDER / "demo"), StateFolder(project.STATE_FOLDER)):
        stopped += local.stop(folder)
    for process in stopped:
        console.note(f"stopped the {process.name}, pid {process.pid}")
    if not stopped:
        console.note(f"Nothing that {project.STATE_FOLDER} knows of was running.")
    if remove_data:
        local.remove_data(StateFolder(project.STATE_FOLDER))
        console.note(f"removed {project.STATE_FOLDER}")
