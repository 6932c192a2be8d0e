"""The files of a warehouse into which the pipeline was deployed: made once for all processes, then copied.

A deployment is four starts of the snow CLI, half a minute of a busy machine. The tests of the deployment
itself (test_in_flight, tests/upgrade, the demo) do it for real.
"""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from caves_cli import connection, deploy, local, project, snow
from caves_cli.state import StateFolder

_NEVER_SECONDS: Final = 36_000


def copy_deployed(factory: pytest.TempPathFactory, to: StateFolder) -> None:
    """Put the files of a deployed warehouse into a folder that has none yet."""
    base = factory.getbasetemp()
    # With xdist each process has a folder of its own below the one of the run.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    template = StateFolder(shared / "deployed")
    with (shared / "deployed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.database.exists():
            _deploy(StateFolder(shared / "deploying"), template)
    to.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in template.path.glob(f"{template.database.name}*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, to.path / path.name)


def _deploy(folder: StateFolder, template: StateFolder) -> None:
    with snow.session(config_file=True) as run:
        local.start(folder, minute_seconds=_NEVER_SECONDS, port=0)
        try:
            target = connection.target("local", folder.config_file)
            for part in (deploy.bootstrap, deploy.deploy):
                part(target, project.root(), lambda _: None, run)
        finally:
            local.stop(folder)
    # Only when it is whole: whoever finds it takes it.
    Path(folder.path).rename(template.path)
