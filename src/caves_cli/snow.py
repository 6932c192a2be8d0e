"""The real snow CLI, as a person would type it.

A start of the CLI is mostly the import of its modules. Whoever has several commands runs them in a `session`,
where one process imports them and forks for each command.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final, Protocol

from caves_cli import project, snow_host
from caves_cli.errors import SnowEnded

# See snowflake.yml for the first; the second keeps the CLI from asking the network for a newer self.
ENVIRONMENT: Final = {
    "SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT": "true",
    "SNOWFLAKE_CLI_IGNORE_NEW_VERSION_WARNING": "true",
}
# A process with threads is not safely forked, and numpy's library would start some.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
_BOX: Final = "╭╮╰╯│─"


@dataclass(frozen=True)
class Answer:
    """What one run of the CLI came to."""

    code: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """The error on one line: the CLI draws a box around it and breaks its lines."""
        lines = [line.strip(_BOX + " ") for line in self.errors.splitlines()]
        text = " ".join(line for line in lines if line and line != "Error")
        return text.removeprefix("Error ").strip() or f"exit code {self.code}"


class Run(Protocol):
    """Runs `snow ARGUMENTS` in a folder."""

    def __call__(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> Answer: ...


def run(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Answer:
    """Run one command, `snow ARGUMENTS`, in the project's folder."""
    with _home("--config-file" in arguments) as home:
        done = subprocess.run(
            [str(project.executable("snow")), *arguments],
            cwd=folder,
            env={**os.environ, **ENVIRONMENT, **home, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return Answer(done.returncode, done.stdout, done.stderr)


@contextmanager
def session(*, config_file: bool) -> Iterator[Run]:
    """Runs several commands, all with --config-file or all without; the CLI is being imported meanwhile."""
    # Elsewhere system libraries may not survive a fork; and the CLI may be one of another Python.
    if sys.platform != "linux" or snow_host.entry_point() is None:
        yield run
        return
    with (
        _home(config_file) as home,
        subprocess.Popen(
            # As a file and not as a module, or the CLI's usage would speak of `python -m`.
            [sys.executable, "-P", snow_host.__file__],
            env={**os.environ, **ENVIRONMENT, **home, **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as host,
    ):
        assert host.stdin is not None and host.stdout is not None
        yield _Hosted(host.stdin, host.stdout)


@dataclass(frozen=True)
class _Hosted:
    requests: IO[str]
    answers: IO[str]

    def __call__(self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Answer:
        asked = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        try:
            print(json.dumps(asked), file=self.requests, flush=True)
            answer = self.answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise SnowEnded(shlex.join(arguments))
        return Answer(*json.loads(answer))


@contextmanager
def _home(given_config_file: bool) -> Iterator[dict[str, str]]:
    # With a connections.toml in its home the CLI ignores the connections of --config-file.
    if not given_config_file:
        yield {}
        return
    with TemporaryDirectory(prefix="caves-snow-") as empty:
        yield {"SNOWFLAKE_HOME": empty}
