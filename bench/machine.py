"""What the figures of a run were measured on, and when."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.peers import FOLDER

_OURS: Final = ("duckdb", "fakesnow", "snowflake-snowpark-python", "confluent-kafka", "pyarrow")
_PEERS: Final = ("dbt-core", "dbt-duckdb", "dlt", "quixstreams", "kafka-python", "pandas")
_ROOT: Final = Path(__file__).parents[1]


def facts() -> dict[str, Any]:
    """Of this machine, now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        # Processes that ran or waited to: above the cores, others had a part of them.
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _OURS} | _pinned(_PEERS),
    }


def _commit() -> str:
    """The commit that was measured, with a plus sign when files of it have been changed since."""
    git = ["git", "-C", str(_ROOT)]
    described = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no", "--", ":!bench/results", ":!docs"],
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() + ("+" if changed.stdout.strip() else "") or "unknown"


def _pinned(names: tuple[str, ...]) -> dict[str, str]:
    lines = [line for pins in FOLDER.glob("*.txt") for line in pins.read_text(encoding="utf-8").splitlines()]
    found = dict(re.findall(r"^([\w.-]+)==(\S+)", "\n".join(lines), re.MULTILINE))
    return {name: found[name] for name in names if name in found}
