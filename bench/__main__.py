"""python -m bench [NAME ...]: run benches, show their figures, keep them, and write docs/performance.md."""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from bench import machine, page
from bench.harness import OURS, Comparison, Options
from bench.page import RESULTS
from bench.plot import figure

BENCHES: Final = (
    "produce",
    "ingest",
    "transform_backlog",
    "transform_tick",
    "tick_statements",
    "end_to_end",
    "scale_out",
    "dashboard",
    "small_queries",
    "start",
)


def main() -> int:
    arguments = _arguments()
    console = Console(stderr=True)
    missed, failed = 0, 0
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
    with progress:
        bar = progress.add_task("", total=len(arguments.names))
        for name in arguments.names:
            options = Options(arguments.runs, arguments.scale, partial(_say, progress, bar, name))
            measured_on = machine.facts()
            begun = time.monotonic()
            found: list[Comparison] = []
            try:
                for comparison in importlib.import_module(f"bench.{name}").run(options):
                    found.append(comparison)
                    missed += sum(not met for _, _, met in comparison.verdicts())
                    progress.console.print(shown(comparison), *besides(comparison))
            except (Exception, SystemExit) as error:
                # One that fails must not take an hour of others with it.
                failed += 1
                progress.console.print(f"{name} failed: {error}", style="bold red", markup=False)
            else:
                if not arguments.no_results:
                    keep(name, options, measured_on | {"seconds": round(time.monotonic() - begun)}, found)
                    page.write()
            progress.advance(bar)
    return 1 if failed or (missed and arguments.strict) else 0


def _say(progress: Progress, bar: TaskID, name: str, what: str) -> None:
    progress.update(bar, description=f"{name}: {what}")


def shown(comparison: Comparison) -> Table:
    """The figures of a comparison for a terminal."""
    table = Table(title=f"{comparison.work} ({comparison.unit})", title_justify="left")
    for column in ("", "median", "lowest", "highest", "ours to it"):
        table.add_column(column, justify="left" if not column else "right")
    for name in comparison.figures:
        lowest, highest = comparison.spread(name)
        compared = name != OURS and OURS in comparison.figures
        ratio = f"{comparison.ratio(name):.2f}" if compared else ""
        table.add_row(name, *map(figure, (comparison.median(name), lowest, highest)), ratio)
    for entry in comparison.as_json()["targets"]:
        table.add_section()
        table.add_row(entry["target"], "met" if entry["met"] else "missed", "", "", f"{entry['found']:.4g}")
    return table


def besides(comparison: Comparison) -> Iterator[Table]:
    """Facts that have several columns, as a table below."""
    rows = {what: values for what, values in comparison.facts.items() if isinstance(values, dict)}
    if not rows:
        return
    columns = list(next(iter(rows.values())))
    table = Table("", *(column.replace("_", " ") for column in columns))
    for what, values in rows.items():
        table.add_row(what.replace("_", " "), *(page.cell(values[column]) for column in columns))
    yield table


def keep(name: str, options: Options, measured_on: dict[str, Any], found: list[Comparison]) -> None:
    """Write the figures, and on what they were measured, for docs/performance.md."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "bench": name,
        "runs": options.runs,
        "scale": options.scale,
        "machine": measured_on,
        "memory_mib": options.memory.peaks,
        "comparisons": [comparison.as_json() for comparison in found],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="caves bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)}; default: all")
    parser.add_argument("--runs", type=int, default=3, help="turns of each contestant (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full work (default: 1)")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a target is missed")
    parser.add_argument("--no-results", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BENCHES))
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    arguments.names = arguments.names or list(BENCHES)
    return arguments


if __name__ == "__main__":
    sys.exit(main())
