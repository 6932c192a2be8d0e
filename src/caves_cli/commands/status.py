"""caves status"""

from typing import Any

from caves_cli import console
from caves_cli.options import ConfigFile, ConnectionName, Database, JsonToStdout

# Stock may be low in hundreds of places; --json lists them all.
_SHOWN_ALERTS = 10


def status(
    connection: ConnectionName = "local",
    config_file: ConfigFile = None,
    database: Database = None,
    as_json: JsonToStdout = False,
) -> None:
    """Show where the pipeline stands: open alerts, rows by layer and in streams, tasks and their last runs.

    Examples:

      caves status

      caves status -c prod --json
    """
    from snowflake.connector.errors import ProgrammingError

    from caves_cli import overview
    from caves_cli.connection import target
    from caves_cli.errors import NotDeployed

    chosen = target(connection, config_file, database)
    with chosen.open() as session:
        try:
            rows = overview.rows_by_layer(session)
            waiting = overview.rows_waiting(session)
            tasks = overview.task_states(session)
            runs = [run for run in overview.task_runs(session) if run.state != "SKIPPED"][:10]
            alerts = overview.open_alerts(session)
        except ProgrammingError as error:
            raise NotDeployed(connection, error.msg or str(error)) from error
    if as_json:
        document: dict[str, Any] = {
            "rows": rows,
            "waiting": waiting,
            "tasks": [{"task": task.name, "state": task.state, "schedule": task.schedule} for task in tasks],
            "runs": [overview.as_json(run) for run in runs],
            "alerts": [vars(alert) for alert in alerts],
        }
        console.write_json(document, "-")
        return
    console.table("Rows", ("table", "rows"), ((overview.COUNTED[key], count) for key, count in rows.items()))
    console.table("Waiting in streams", ("stream", "rows"), waiting.items())
    console.table("Tasks", ("task", "state", "schedule"), ((t.name, t.state, t.schedule) for t in tasks))
    columns = ("task", "state", "scheduled", "seconds", "returned", "error")
    console.table("Last runs", columns, (tuple(overview.as_json(run).values()) for run in runs))
    console.table(
        f"Open alerts ({len(alerts)})",
        ("alert", "subject", "severity", "fired, UTC"),
        ((alert.alert, alert.subject, alert.severity, alert.fired) for alert in alerts[:_SHOWN_ALERTS]),
    )
