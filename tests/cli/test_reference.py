"""docs/reference/cli.md is what the code says."""

from pathlib import Path

from tests.cli.conftest import Caves

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_up_to_date(caves: Caves) -> None:
    now = caves("reference").out
    assert PAGE.read_text(encoding="utf-8") == now, "run `caves reference > docs/reference/cli.md`"


def test_the_page_has_every_exit_code_and_a_default_of_0() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "| 130 | INTERRUPTED |" in page
    assert "| `--port PORT` | Port of the warehouse; 0 picks a free one. From 0 to 65535. | `0` |  |" in page
