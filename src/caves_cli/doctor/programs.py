"""Programs that the pipeline calls, and those that only some parts of the project would like to have."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from caves_cli import project
from caves_cli.doctor.finding import Finding, ok, problem, skipped, warning
from caves_cli.errors import SnowNotFound

# The snow CLI needs seconds to say its version on a busy machine.
_PATIENCE_SECONDS: Final = 20.0
_OLDEST_JAVA: Final = 17
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PLAYWRIGHT: Final = Path("~/.cache/ms-playwright")


def checks() -> Iterator[Finding]:
    yield snow()
    yield java()
    yield maven()
    yield streamlit()
    yield browser()


def snow() -> Finding:
    check = "snow CLI"
    try:
        path = project.executable("snow")
    except SnowNotFound as error:
        return problem(check, str(error), "make install")
    said = _said([str(path), "--version"])
    version = re.search(r"\d+\.\d+\.\d+", said or "")
    if version is None:
        return problem(check, f"{path} does not tell its version: {said or 'no answer'}", "make install")
    return ok(check, f"{version[0]} at {path}")


def java() -> Finding:
    check = "Java"
    said = _said(["java", "-version"]) if shutil.which("java") else None
    version = re.search(r'version "(\d+)', said or "")
    if version is None:
        return skipped(check, f"not there; only `make test-kafka` needs it ({_OLDEST_JAVA} or later)")
    if int(version[1]) < _OLDEST_JAVA:
        mend = f"install Java {_OLDEST_JAVA} or later, if you want `make test-kafka`"
        return warning(check, f"{version[1]} is too old for Apache Kafka", mend)
    return ok(check, f"{version[1]}, for `make test-kafka`")


def maven() -> Finding:
    path = shutil.which("mvn")
    if path is None:
        return skipped("Maven", "not there; only `make test-kafka` needs it, to get Apache Kafka")
    return ok("Maven", f"{path}, for `make test-kafka`")


def streamlit() -> Finding:
    try:
        return ok("Streamlit", f"{metadata.version('streamlit')}, for `caves dashboard`")
    except metadata.PackageNotFoundError:
        return warning("Streamlit", "not installed, so `caves dashboard` cannot run", "make install")


def browser() -> Finding:
    check = "Chromium"
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    own = sorted(_PLAYWRIGHT.expanduser().glob("chromium*"))
    if not (found or own):
        return skipped(check, "not there; only the browser tests of the dashboard need it")
    return ok(check, f"{found or own[-1]}, for the browser tests of the dashboard")


def _said(command: Sequence[str]) -> str | None:
    """What a program prints, on whichever stream; None when it cannot be run or takes too long."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return f"{done.stdout}{done.stderr}".strip()
