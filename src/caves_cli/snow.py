"""The real snow CLI, as a person would type it."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from caves_cli import project

# See snowflake.yml for the first; the second keeps the CLI from asking the network for a newer self.
ENVIRONMENT: Final = {
    "SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT": "true",
    "SNOWFLAKE_CLI_IGNORE_NEW_VERSION_WARNING": "true",
}
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


def run(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Answer:
    """Run `snow ARGUMENTS` in the project's folder."""
    with _home(arguments) as home:
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
def _home(arguments: Sequence[str]) -> Iterator[dict[str, str]]:
    # With a connections.toml in its home the CLI ignores the connections of --config-file.
    if "--config-file" not in arguments:
        yield {}
        return
    with TemporaryDirectory(prefix="caves-snow-") as empty:
        yield {"SNOWFLAKE_HOME": empty}
