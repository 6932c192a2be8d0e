"""Apache Kafka's jars: asked of Maven once, kept outside the repository, shared by every clone.

They are downloaded into a folder of their own and then renamed, so that a reader sees all of them or none,
and of two that download at once the second throws its copy away.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
# 43 MB; a slow network is given more than it needs before it is called one that does not answer.
_DOWNLOAD_SECONDS: Final = 240
# The oldest that Kafka's broker runs on.
_JAVA: Final = 17


class KafkaUnavailable(Exception):
    """This machine lacks something that Apache Kafka needs; the text says what."""


def java() -> str:
    """The Java that runs the brokers."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not found or not Path(found).exists():
        raise KafkaUnavailable(f"there is no Java here; Apache Kafka needs Java {_JAVA} or later")
    # Java tells its version on stderr: `openjdk version "17.0.15" 2025-04-15`.
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _JAVA:
        told = said.strip().splitlines()[:1] or ["it does not tell its version"]
        raise KafkaUnavailable(f"Java is too old ({told[0]}); Apache Kafka needs {_JAVA} or later")
    return found


def version() -> str:
    """The Kafka that pom.xml pins."""
    pinned = re.search(r"<kafka.version>(.+)</kafka.version>", (_HERE / "pom.xml").read_text("utf-8"))
    assert pinned is not None
    return pinned[1]


def jars() -> Path:
    """The folder of the jars, downloaded if it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "caves-snowpark"
    folder = cache / f"kafka-{version()}"
    if not folder.is_dir():
        _download(folder)
    return folder


def _download(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable(f"there is no mvn here to fetch Apache Kafka, and {folder} does not exist")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        draft = Path(scratch) / "jars"
        command = [maven, "-q", "-B", "-f", str(_HERE / "pom.xml"), _COPY]
        command += [f"-DoutputDirectory={draft}", "-DincludeScope=runtime"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False)
        assert done.returncode == 0, f"mvn could not fetch Apache Kafka:\n{done.stdout}{done.stderr}"
        try:
            draft.rename(folder)
        except OSError:
            # Somebody else was faster: a folder that is not empty cannot be renamed over.
            assert folder.is_dir()
