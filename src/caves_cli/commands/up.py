"""caves up"""

from typing import Annotated

import typer

from caves_cli import console, project
from caves_cli.bars import bar
from caves_cli.state import StateFolder

# Snowflake's own default is a minute; a person who watches wants to see something happen.
_MINUTE_SECONDS = 10.0


def up(
    minute: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="How many seconds a MINUTE of the tasks' schedule takes here; 60 is the truth.",
        ),
    ] = _MINUTE_SECONDS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port of the warehouse; 0 picks a free one.")
    ] = 0,
) -> None:
    """Start a Kafka broker and a warehouse on this machine, and deploy the pipeline to it.

    Both run in the background and listen on this machine only. The warehouse keeps its data in .caves/ from
    one `up` to the next; the broker keeps its log in memory, so a new one starts with a new topic.

    The connection is called `local` and stands in .caves/config.toml, for the snow CLI too:

      snow --config-file .caves/config.toml sql -c local -q 'SHOW TASKS IN DATABASE CAVES_ALBERT_DB'

    Examples:

      caves up

      caves up --minute 60 --port 8084
    """
    from caves_cli import deploy, local, snow, state
    from caves_cli.connection import target

    root = project.root()
    folder = StateFolder(project.STATE_FOLDER)
    left = state.load(folder)
    if local.crashed(left):
        gone = ", ".join(
            f"{process.name} (pid {process.pid})" for process in left.processes if not process.running
        )
        console.note(
            f"{folder.path} was left by a crash: {gone} gone. Starting again with the data that is there."
        )
    # The CLI is being imported while the processes start.
    with snow.session(config_file=True) as run:
        with bar("Starting the broker and the warehouse"):
            current = local.start(folder, minute_seconds=minute, port=port)
        warehouse = current.process("warehouse")
        where = f"port {warehouse.port if warehouse else '?'}, broker at {current.bootstrap}"
        console.note(f"warehouse on {where}")
        chosen = target("local", folder.config_file)
        count = len(deploy.bootstrap_steps(root, chosen)) + len(deploy.steps(root, chosen))
        with bar("Deploying", total=count, begun=-1) as shown:

            def report(step: deploy.Step) -> None:
                console.note(f"deploying {step.title} ...")
                shown.one_more(f"Deploying {step.title}")

            deploy.bootstrap(chosen, root, report, run)
            deploy.deploy(chosen, root, report, run)
    caves = project.as_typed("caves")
    console.out.print(
        f"Up. A task's minute takes {minute:g} s here; the topic is [bold]{current.topic}[/bold]. Next:\n"
        f"  {caves} produce --events 5000\n"
        f"  {caves} ingest --until-caught-up\n"
        f"  {caves} status\n"
        f"  {caves} down",
        soft_wrap=True,
    )
