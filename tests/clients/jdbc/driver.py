"""The JDBC driver: its jar, asked of Maven once and kept outside the repository; questions to it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.connection_files import ConnectionParameters

# Of one jar; 4.0 is what the driver calls its second life, with other names for its classes than 3.
VERSION: Final = "4.0.2"
_HERE: Final = Path(__file__).parent
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_DOWNLOAD_SECONDS: Final = 240
# Of a JVM that compiles one file, loads the driver and asks a handful of questions, on a busy machine.
_ASK_SECONDS: Final = 120
# The driver's names of what a connection says.
_PROPERTIES: Final = {
    "user": "user",
    "password": "password",
    "authenticator": "authenticator",
    "private_key_file": "private_key_file",
    "private_key_passphrase": "private_key_pwd",
    "token": "token",
    "role": "role",
    "warehouse": "warehouse",
    "database": "db",
    "schema": "schema",
}


class Unavailable(Exception):
    """This machine lacks the driver, or what it runs on; the text says what, and what to do."""


@dataclass(frozen=True)
class Answer:
    """What one question came to: columns with their types and rows of texts, or an error."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    error: str = ""


def jar() -> Path:
    """The driver's jar, if it has been fetched."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "caves-snowpark"
    found = cache / f"snowflake-jdbc-{VERSION}.jar"
    if not found.is_file():
        raise Unavailable(f"there is no {found}; `python -m tests.clients.jdbc.driver` fetches it (99 MB)")
    return found


def fetch() -> Path:
    """The jar, downloaded if it is not there yet: into a folder of its own first, so that it is whole."""
    try:
        return jar()
    except Unavailable:
        pass
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "caves-snowpark"
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable("there is no mvn here to fetch the driver")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".jdbc-") as scratch:
        command = [maven, "-q", "-B", _COPY, f"-Dartifact=net.snowflake:snowflake-jdbc:{VERSION}"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={scratch}"],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise Unavailable(f"mvn could not fetch the driver:\n{done.stdout}{done.stderr}")
        name = f"snowflake-jdbc-{VERSION}.jar"
        (Path(scratch) / name).replace(cache / name)
    return jar()


def java() -> str:
    """The Java that runs the driver."""
    found = shutil.which("java")
    if found is None:
        raise Unavailable("there is no Java here; the driver needs Java 11 or later")
    return found


def ask(parameters: ConnectionParameters, *questions: str) -> list[Answer]:
    """The answers to questions, in one session; how it logs in goes over stdin, where `ps` does not look."""
    # The second is what Arrow asks of Java 17.
    command = [java(), "-cp", str(jar()), "--add-opens=java.base/java.nio=ALL-UNNAMED"]
    done = subprocess.run(
        [*command, str(_HERE / "Query.java"), *questions],
        input="".join(f"{key}={_escaped(value)}\n" for key, value in _properties(parameters).items()),
        capture_output=True,
        text=True,
        timeout=_ASK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return _read(done.stdout)


def _properties(parameters: ConnectionParameters) -> dict[str, Any]:
    host, port = parameters["host"], parameters["port"]
    ssl = "off" if parameters.get("protocol") == "http" else "on"
    # Without the second it asks the cloud's metadata servers who it is.
    address = f"jdbc:snowflake://{host}:{port}/?ssl={ssl}&disablePlatformDetection=true"
    said = {_PROPERTIES[key]: value for key, value in parameters.items() if key in _PROPERTIES}
    return {"url": address, "account": parameters["account"], **said}


def _escaped(value: object) -> str:
    return re.sub(r"([\\=:#!])", r"\\\1", str(value)).replace("\n", "\\n")


def _read(output: str) -> list[Answer]:
    answers: list[Answer] = []
    for line in output.splitlines():
        kind, *cells = line.split("\t")
        match kind:
            case "columns":
                answers.append(Answer(tuple(cells)))
            case "row":
                last = answers[-1]
                answers[-1] = Answer(last.columns, (*last.rows, tuple(cells)))
            case "error":
                answers.append(Answer(error=" ".join(cells)))
    return answers


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
