"""caves demo"""

from typing import TYPE_CHECKING, Annotated

import typer

from caves_cli import console, project
from caves_cli.commands import verify
from caves_cli.errors import DemoFailed
from caves_cli.state import StateFolder

if TYPE_CHECKING:
    from caves_cli.overview import TaskRun
    from caves_cli.report import Answer, Report

_SHOWN_ROWS = 10
_TASK_HISTORY = "task_history"


def demo(
    events: Annotated[int, typer.Option(min=1, metavar="N", help="How many events to produce.")] = 20_000,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same events.")] = 42,
    bad_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of events that break the contract.")
    ] = 0.01,
    duplicate_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of events that repeat an earlier one.")
    ] = 0.02,
    minute: Annotated[
        float,
        typer.Option(
            min=0.1, metavar="SECONDS", help="How many seconds a MINUTE of the tasks' schedule takes."
        ),
    ] = 1.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave broker and warehouse running, to look around.")
    ] = False,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Also write the figures as JSON; - is stdout."),
    ] = None,
) -> None:
    """Run the whole pipeline once on this machine, and check every figure.

    Starts a broker and a warehouse of its own (it does not disturb `caves up`), deploys with the snow CLI,
    produces events, loads them exactly once, lets the scheduled tasks do the rest, asks the questions of the
    user's guide and checks the seven invariants. Exit code 0 only if they hold and every event is accounted
    for.

    Examples:

      caves demo

      caves demo --events 100000 --bad-share 0.05 --json figures.json

      caves demo --keep
    """
    from caves_cli import demonstration
    from caves_cli.progress import Progress

    settings = demonstration.DemoSettings(events, seed, bad_share, duplicate_share, minute, keep)
    if json_file not in (None, "-"):
        console.require_writable(str(json_file))
    folder = StateFolder(project.STATE_FOLDER / "demo")
    with Progress(events) as progress:
        report = demonstration.run(settings, folder, project.root(), progress)
    if json_file != "-":
        _show(report)
    if json_file is not None:
        console.write_json(report.as_json(), json_file)
    if keep:
        _say_how_to_look_around(folder)
    if not report.holds:
        raise DemoFailed(_what_does_not_hold(report))
    if json_file != "-":
        _say_what_next(report)


def _show(report: "Report") -> None:
    from caves_cli.report import task_summary

    for answer in report.findings.answers:
        if answer.query.name == _TASK_HISTORY:
            _show_task_history(report.findings.runs)
        else:
            _show_answer(answer)
    reasons = report.findings.rejected_by_reason
    console.table("Rejected events by reason", ("reason", "events"), reasons.items())
    summary = task_summary(report.findings.runs)
    states = sorted({state for counts in summary.values() for state in counts})
    rows = [(task, *(counts.get(state, 0) for state in states)) for task, counts in summary.items()]
    console.table("Task runs", ("task", *(state.lower() for state in states)), rows)
    costs = [
        (cost.procedure, cost.calls, cost.most_statements, cost.most_describes)
        for cost in report.findings.costs
    ]
    console.table("Statements per call", ("procedure", "calls", "statements", "described only"), costs)
    verify.show(report.findings.verdicts)
    seconds = [(stage, round(spent, 1)) for stage, spent in report.seconds.items()]
    console.table("Time", ("stage", "seconds"), seconds)


def _show_task_history(runs: "list[TaskRun]") -> None:
    """The columns of the guide's query that fit a terminal; skipped runs are counted in the next table."""
    rows = [
        (run.name, run.state, f"{run.scheduled.astimezone():%H:%M:%S}" if run.scheduled else "", run.seconds)
        for run in runs
        if run.state != "SKIPPED"
    ]
    console.table("Task history", ("task", "state", "at", "seconds"), rows[:_SHOWN_ROWS])


def _show_answer(answer: "Answer") -> None:
    left = len(answer.rows) - _SHOWN_ROWS
    title = answer.query.title + (f" (the first {_SHOWN_ROWS} of {len(answer.rows)})" if left > 0 else "")
    # In words, for a narrow terminal breaks lines between them.
    columns = [column.lower().replace("_", " ") for column in answer.columns]
    console.table(title, columns, answer.rows[:_SHOWN_ROWS])


def _what_does_not_hold(report: "Report") -> str:
    broken = [verdict.invariant.title for verdict in report.findings.verdicts if not verdict.holds]
    wrong = [f"{m.what} is {m.actual:,} and should be {m.expected:,}" for m in report.mismatches[:5]]
    return "The demo ran, and this does not hold: " + "; ".join(broken + wrong) + "."


def _say_how_to_look_around(folder: StateFolder) -> None:
    config, caves, snow = folder.config_file, project.as_typed("caves"), project.as_typed("snow")
    console.out.print(
        f"\n[bold]Still running.[/bold] Look around:\n"
        f"  {snow} --config-file {config} sql -c local -q 'SHOW TASKS IN DATABASE CAVES_ALBERT_DB'\n"
        f"  {caves} status --config-file {config}\n"
        f"  {caves} verify --config-file {config}\n"
        f"  {caves} down            stops it",
        soft_wrap=True,
    )


def _say_what_next(report: "Report") -> None:
    total = sum(report.seconds.values())
    caves = project.as_typed("caves")
    memory = sum(report.memory_bytes.values()) / 2**20
    console.out.print(
        f"[bold green]All seven invariants hold[/], and each of the {report.truth.events_produced:,} events"
        f" is accounted for: {total:.0f} s, {memory:,.0f} MiB in all.\n"
        "Next:\n"
        f"  {caves} demo --events 100000 --bad-share 0.05    more events, more of them broken\n"
        f"  {caves} demo --keep                              the same, left running to look around\n"
        f"  {caves} up                                       a set-up that stays, to try things on\n"
        f"  {caves} deploy -c NAME                           the same on your Snowflake account",
        soft_wrap=True,
    )
