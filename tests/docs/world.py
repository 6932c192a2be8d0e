"""A reader at a terminal: a copy of the project with one `caves up` in it, and what is typed there."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final
from unittest.mock import patch

import click
import typer
from snowflake.connector import SnowflakeConnection

from caves_cli import console, main
from ingest.connections import load_connection, open_connection
from tests.docs.pages import ROOT

BIN: Final = Path(sys.prefix) / "bin"
# A page says "within a minute"; on a machine that is busy with other tests it may take longer.
PATIENCE_SECONDS: Final = 180.0
# What a project folder has that is no part of the project.
_NOT_COPIED: Final = shutil.ignore_patterns(".*", "__pycache__", "output", "dist", "node_modules")
# In these the shell has a part; such a line is not ours to split.
_SHELL: Final = re.compile(r"[|<>&;$`]|=\S*\s+caves\b")


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `caves WORDS` runs, and its arguments."""
    command: click.Command = typer.main.get_command(main.app)
    arguments = words[1:]
    while isinstance(command, click.Group):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    return command, arguments


def check_flags(line: str) -> None:
    """That `caves` has this command, and the command these flags."""
    command, arguments = command_of(shlex.split(line.partition(" > ")[0], comments=True))
    command.make_context(command.name, arguments)


def lines_of(text: str) -> list[str]:
    """The commands of a block: continued lines joined, comments and blank lines left out."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


class World:
    """The folder in which a reader types, the environment of the shell, and what runs in other terminals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "caves-snowpark"
        shutil.copytree(ROOT, self.folder, ignore=_NOT_COPIED)
        (self.folder / ".venv").symlink_to(sys.prefix)
        # The .ci folder is named by the Makefile.
        shutil.copytree(ROOT / ".ci", self.folder / ".ci")
        self.home = folder / "home"
        self.home.mkdir()
        self._dump = folder / "environment"
        self.environment: dict[str, str] = {}
        self._others: dict[str, subprocess.Popen[bytes]] = {}
        self._connection: SnowflakeConnection | None = None
        self._typed: set[str] = set()

    @contextmanager
    def lived_in(self) -> Iterator["World"]:
        """With `caves up`, as the pages have it; `caves down --remove-data` at the end."""
        self.new_page()
        self.type("caves up")
        self._add_account()
        try:
            yield self
        finally:
            self.end_page()
            self.type("caves down --remove-data")
            assert not (self.folder / ".caves").exists()

    def _add_account(self) -> None:
        """The reader administers an account too, here played by the same warehouse."""
        local = tomllib.loads((self.folder / ".caves" / "config.toml").read_text(encoding="utf-8"))
        lines = [f"{key} = {json.dumps(value)}" for key, value in local["connections"]["local"].items()]
        file = self.home / "config.toml"
        file.touch(mode=0o600)
        tables = (["[connections.prod]", *lines, ""], ["[connections.admin]", *lines, ""])
        file.write_text("\n".join(line for table in tables for line in table), encoding="utf-8")

    def new_page(self) -> None:
        """A new terminal: nothing is exported, and the worksheet is in no schema."""
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CAVES_", "SNOWFLAKE_", "PYTEST_"))
        }
        self.environment |= {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "SNOWFLAKE_HOME": str(self.home),
            "COLUMNS": "80",
            # What connections.md has the reader type unseen.
            "PRIVATE_KEY_PASSPHRASE": "ouvre-toi",
        }

    def end_page(self) -> None:
        for command in list(self._others):
            self.interrupt(command)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def port(self) -> int:
        """One that is taken: the warehouse's own."""
        return int(load_connection("local", self.folder / ".caves" / "config.toml")["port"])

    def worksheet(self) -> SnowflakeConnection:
        if self._connection is None:
            parameters = load_connection("local", self.folder / ".caves" / "config.toml")
            # The connector's limit for a whole statement; a busy machine must not fail a test.
            parameters["network_timeout"] = 300
            self._connection = open_connection(parameters)
        return self._connection

    def type_once(self, line: str) -> None:
        """Type a line, unless a page before had the same one: it would do the same, and take its seconds."""
        if line not in self._typed or line.startswith(("export ", "source ")):
            self.type(line)
            self._typed.add(line)

    def type(self, line: str, *, fails: bool = False) -> str:
        """What a line says. `caves` runs in this process, which spares its second of imports."""
        words = shlex.split(line, comments=True)
        if words[0] == "caves" and not _SHELL.search(line.partition(" #")[0]):
            found, said = self._caves(words)
        else:
            found, said = self._shell(line)
        assert bool(found) == fails, f"{line}: exit code {found}\n{said}"
        return said

    def _caves(self, words: list[str]) -> tuple[int, str]:
        said = io.StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", words),
            patch.object(console.out, "_width", 80),
            _inside(self.folder),
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            try:
                main.main()
                code = 0
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return code, said.getvalue()

    def _shell(self, script: str) -> tuple[int, str]:
        """A line of Bash; what it exports is there for the next one."""
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{script}\nenv -0 > {shlex.quote(str(self._dump))}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode == 0:
            pairs = self._dump.read_bytes().decode().split("\0")
            self.environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        return done.returncode, done.stdout.decode(errors="replace")

    def in_another_terminal(self, line: str) -> None:
        """Start what runs until Ctrl-C."""
        words = shlex.split(line, comments=True)
        log = self.folder.parent / "other-terminal.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
        self._others[" ".join(words)] = process
        # Ctrl-C is for what has begun; only the shop says nothing before its end.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "produce" not in words and not log.read_bytes():
            assert process.poll() is None, f"{line} has ended by itself"
            assert time.monotonic() < deadline, f"{line} says nothing"
            time.sleep(0.2)

    def interrupt(self, command: str) -> None:
        """Ctrl-C in the terminal in which a command runs; it ends as it should."""
        process = self._others.pop(command)
        assert process.poll() is None, f"{command} has ended by itself"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0, command

    def see(self, line: str, text: str) -> None:
        """Type a line again and again until it says so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in (said := self.type(line)):
            assert time.monotonic() < deadline, f"{line} does not say {text!r}:\n{said}"
            time.sleep(0.5)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
