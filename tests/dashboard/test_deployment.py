"""`snow streamlit deploy` as a person types it: what goes up, and whether it is enough."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from snowflake.snowpark import Session

from tests.engines.engine import DATABASE, Snowcellar

ROOT = Path(__file__).parents[2]
STAGE = "@ANALYTICS.CAVES_DASHBOARD$LIVE"
# An app that finds its own files, and nothing of this repository.
RUN_ALONE = """
import sys
sys.path = [path for path in sys.path if path and {root!r} not in path or "site-packages" in path]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({app!r}, default_timeout=60)
app.query_params["lang"] = "en"
app.run()
import caves_snowpark, dashboard
assert {folder!r} in caves_snowpark.__file__ and {folder!r} in dashboard.__file__
print([header.value for header in app.header], len(app.exception))
"""

Deploy = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `snow` reads, in a folder that it may write to."""
    shutil.copy(ROOT / "snowflake.yml", tmp_path)
    for folder in ("dashboard", "src/caves_snowpark", "procedures"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture
def deploy(cellar: Snowcellar, project: Path) -> Deploy:
    def run(*arguments: str) -> str:
        snow = Path(sys.executable).with_name("snow")
        done = subprocess.run(
            [
                snow,
                "--config-file",
                cellar.config,
                "streamlit",
                "deploy",
                "caves_dashboard",
                "-c",
                "local",
                *arguments,
            ],
            cwd=project,
            env=os.environ
            | {
                "CAVES_DATABASE": DATABASE,
                "SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT": "true",
                "SNOWFLAKE_HOME": str(project),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def uploaded(session: Session) -> set[str]:
    return {row[0].partition("/")[2] for row in session.sql(f"LIST {STAGE}").collect()}


def test_the_app_goes_up_whole_and_again_when_it_has_changed(
    session: Session, deploy: Deploy, project: Path
) -> None:
    deploy()
    (described,) = session.sql("DESCRIBE STREAMLIT ANALYTICS.CAVES_DASHBOARD").collect()
    assert described["main_file"] == "dashboard/streamlit_app.py"
    assert described["query_warehouse"] == "COMPUTE_WH"
    files = uploaded(session)
    expected = {str(path.relative_to(project)) for path in (project / "dashboard").rglob("*.py")}
    assert expected | {"environment.yml"} <= files
    assert not {name for name in files if not name.endswith((".py", ".sql", "environment.yml"))}

    (project / "dashboard" / "news.py").write_text("NEWS = 1\n", encoding="utf-8")
    deploy("--replace")
    assert uploaded(session) - files == {"dashboard/news.py"}

    # The bundle is made of links, the stage of files.
    there = shutil.copytree(project / "output/bundle/streamlit/caves_dashboard", project / "there")
    app = there / "dashboard" / "streamlit_app.py"
    script = RUN_ALONE.format(root=str(ROOT), app=str(app), folder=str(there))
    alone = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False
    )
    # No session here, which it says; what it imports is there, or it would not have come so far.
    assert alone.stdout.strip() == "['No connection was chosen'] 0", alone.stderr


def test_streamlit_is_the_version_that_both_machines_have() -> None:
    environment = yaml.safe_load((ROOT / "dashboard" / "environment.yml").read_text(encoding="utf-8"))
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    (streamlit,) = (line for line in environment["dependencies"] if line.startswith("streamlit="))
    assert streamlit.replace("=", "==") in pinned
    assert environment["channels"] == ["snowflake"]
