"""What others do with the same work. Each peer is a script; what it needs is pinned in a file beside it.

A peer's packages are no dependency of ours: they go into an environment of their own, made when first needed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def python_of(peers: str) -> Path:
    """The Python of the environment that has what `PEERS.txt` pins; it is made if it is not there."""
    pins = FOLDER / f"{peers}.txt"
    folder = FOLDER.parents[1] / f".venv-bench-{peers}"
    python, made_from = folder / "bin" / "python", folder / "pins.txt"
    if made_from.is_file() and made_from.read_text() == pins.read_text():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    # uv is the fast way; pip comes with every Python.
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        installer = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        installer = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*installer, "-r", str(pins)], check=True)
    shutil.copy(pins, made_from)
    return python


def run(python: Path, script: str, *arguments: object) -> dict[str, Any]:
    """What a peer's script prints at its end, as JSON; SystemExit with its complaint when it fails."""
    done = subprocess.run(
        [str(python), str(FOLDER / script), *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
