"""What the demo asks is what the guide says, word for word."""

from pathlib import Path

from caves_cli import guide

GUIDE = Path(__file__).parents[1] / "fixtures" / "guide-deploiement.fr.md"


def test_the_demo_asks_the_guides_own_queries() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert len(guide.queries()) == 5
    for query in guide.queries():
        assert query.sql in text, query.name
