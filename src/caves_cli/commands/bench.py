"""caves bench"""

import subprocess
import sys
from typing import Annotated

import typer

from caves_cli import project


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; default: all of them.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, metavar="N", help="Turns of each contestant.")] = 3,
    scale: Annotated[
        float, typer.Option(min=0.001, metavar="SHARE", help="Share of the full work; 0.1 is quick.")
    ] = 1.0,
    results: Annotated[
        bool,
        typer.Option(
            "--results/--no-results",
            help="Keep the figures in bench/results/, and write docs/performance.md.",
        ),
    ] = True,
) -> None:
    """Measure what we claim about speed, beside others who do the same work in the same run.

    Each outcome is checked after each turn: a wrong answer is no figure. The ratios are what counts; the
    figures depend on the machine. What was found is told in docs/performance.md.

    Examples:

      caves bench small_queries --runs 5

      caves bench produce scale_out --scale 0.1 --no-results
    """
    command = [sys.executable, "-m", "bench", *(names or []), "--runs", str(runs), "--scale", str(scale)]
    done = subprocess.run([*command, *(() if results else ("--no-results",))], cwd=project.root())
    raise typer.Exit(done.returncode)
