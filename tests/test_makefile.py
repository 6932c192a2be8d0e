"""`make` alone tells a newcomer what there is."""

import re
import subprocess
from pathlib import Path

from tests.conftest import LONGEST_FIRST, SHARES_A_STAGE

ROOT = Path(__file__).parents[1]


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  make ([\w-]+) +\w", listed, re.MULTILINE)
    assert found == targets.split()


def test_ci_runs_check_tests_and_demo() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert re.findall(r"^make ([\w-]+)", script, re.MULTILINE) == [
        "install",
        "check",
        "test",
        "test-kafka",
        "demo",
    ]


def test_the_files_whose_order_matters_are_there() -> None:
    assert [file for file in (*LONGEST_FIRST, *SHARES_A_STAGE) if not (ROOT / file).is_file()] == []


def test_constraints_pin_every_name_once_and_name_no_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names))
