"""The real `snow` CLI, with a served warehouse as its only connection, and nothing of the person's own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.warehouse.conftest import Server

CONNECTION = "served"


@dataclass(frozen=True)
class SnowCli:
    """Runs commands in a folder; `home` takes what the CLI writes of its own."""

    config: Path
    folder: Path
    home: Path

    def __call__(
        self, *arguments: str, fails: bool = False, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command on the connection; whether it fails is checked."""
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("snow")),
                *("--config-file", str(self.config), *arguments, "--connection", CONNECTION),
            ],
            cwd=self.folder,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "SNOWFLAKE_HOME": str(self.home),
                "PYTHONUTF8": "1",
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done


def snow_cli(server: Server, folder: Path, home: Path, **settings: str) -> SnowCli:
    """The CLI in a folder; settings: more of the connection, as database and warehouse."""
    config = home / "config.toml"
    given = {**server.parameters, **settings}
    lines = [f"[connections.{CONNECTION}]", *(f"{key} = {json.dumps(given[key])}" for key in given)]
    features = ["[cli.features]", "enable_snowpark_glob_support = true", ""]
    config.write_text("\n".join([*lines, *features]), encoding="utf-8")
    config.chmod(0o600)
    return SnowCli(config, folder, home)
