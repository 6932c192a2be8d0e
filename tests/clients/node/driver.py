"""The Node driver: its packages, asked of npm once and kept outside the repository; sessions of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

VERSION: Final = "3.3.0"
_HERE: Final = Path(__file__).parent
_DOWNLOAD_SECONDS: Final = 240
# Of a Node that loads the driver and runs a handful of statements, on a busy machine.
_RUN_SECONDS: Final = 120


class Unavailable(Exception):
    """This machine lacks the driver, or what it runs on; the text says what, and what to do."""


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "caves-snowpark"
    return cache / f"snowflake-sdk-{VERSION}"


def packages() -> Path:
    """The driver's packages, if they have been fetched."""
    found = _folder() / "node_modules"
    if not (found / "snowflake-sdk").is_dir():
        raise Unavailable(f"there is no {found}; `python -m tests.clients.node.driver` fetches it (120 MB)")
    return found


def fetch() -> Path:
    """The packages, downloaded if they are not there yet: into a folder of their own first, to be whole."""
    try:
        return packages()
    except Unavailable:
        pass
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("there is no npm here to fetch the driver")
    _folder().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_folder().parent, prefix=".node-") as scratch:
        # Their scripts are not run: the driver needs none of them.
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", "--prefix", scratch]
        done = subprocess.run(
            [npm, "install", *options, f"snowflake-sdk@{VERSION}"],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise Unavailable(f"npm could not fetch the driver:\n{done.stdout}{done.stderr}")
        shutil.copytree(scratch, _folder(), symlinks=True)
    return packages()


def node() -> str:
    """The Node that runs the driver."""
    found = shutil.which("node")
    if found is None:
        raise Unavailable("there is no Node here; the driver needs Node 18 or later")
    return found


def run(options: dict[str, Any], steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of each step, in one session; how it logs in goes over stdin, where `ps` does not look."""
    done = subprocess.run(
        [node(), str(_HERE / "session.cjs")],
        input=json.dumps({"options": options, "steps": list(steps)}),
        env={**os.environ, "NODE_PATH": str(packages()), "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
