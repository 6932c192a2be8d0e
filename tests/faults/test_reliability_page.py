"""docs/reliability.md names the faults that there are, the files that there are, and sums that are right."""

import re
from pathlib import Path

from tests.faults.catalogue import FAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its header."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_fault_of_the_catalogue_has_its_rounds_on_the_page() -> None:
    assert [row[0] for row in rows_under("The faults")] == list(FAULTS)
    for name, rounds, passed, beside in rows_under("The faults"):
        assert int(rounds) >= int(passed) > 0, name
        assert int(rounds) >= int(beside) >= 0, name


def test_every_cell_of_the_matrix_is_backed_by_a_file_or_a_target_that_exists() -> None:
    matrix = rows_under("Fault by invariant")
    assert matrix
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for fault, *cells, by in matrix:
        assert set(cells) <= {"✓", "·"}, fault
        assert "✓" in cells, fault
        named = re.findall(r"`([^`]+)`", by)
        assert named, fault
        for name in named:
            target = name.removeprefix("make ").split()[0]
            assert target in targets if name.startswith("make ") else Path(name).name in files, name
