"""A process that has imported the snow CLI and forks for each command; see caves_cli.snow.

Reads requests from its input, one JSON object a line: arguments, folder, environment. Answers with one line
each: code, output, errors. Ends with its input.
"""

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from tempfile import TemporaryFile
from typing import Any, TextIO


def entry_point() -> EntryPoint | None:
    """What the program `snow` of this Python calls; None where the CLI is not installed in it."""
    return next(iter(entry_points(group="console_scripts", name="snow")), None)


def serve(main: Callable[[], Any], requests: TextIO, answers: TextIO) -> None:
    """Answer every request. A forked process leaves by SystemExit, as a command that was started does."""
    for line in requests:
        request = json.loads(line)
        with TemporaryFile() as output, TemporaryFile() as errors:
            child = os.fork()
            if child == 0:
                _become(request, output.fileno(), errors.fileno())
                sys.exit(main())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            written = [_whole(file) for file in (output, errors)]
        print(json.dumps([code, *written]), file=answers, flush=True)


def _become(request: dict[str, Any], output: int, errors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(ours, standard)
    # The old one may hold requests that it has read ahead.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["snow", *request["arguments"]]


def _whole(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode("utf-8", errors="replace")
    return text


if __name__ == "__main__":
    found = entry_point()
    if found is None:
        sys.exit("the snow CLI is not installed in this Python's environment")
    loaded = found.load()
    # Or a collection in a forked process would touch, and so copy, everything that was imported.
    gc.freeze()
    serve(loaded, sys.stdin, sys.stdout)
