"""Every fact has a test that shows it."""

from __future__ import annotations

from pathlib import Path

from tests.warehouse.facts import FACTS, cited_facts


def test_every_fact_is_shown_by_a_test() -> None:
    """A test says which facts it shows: `@pytest.mark.fact(1, 9)`."""
    cited = {number for number, _ in cited_facts(Path(__file__).parent)}
    assert sorted(FACTS) == list(range(1, 37))
    assert [f"{number}: {fact}" for number, fact in FACTS.items() if number not in cited] == []


def test_no_test_cites_a_fact_that_there_is_not() -> None:
    assert [where for number, where in cited_facts(Path(__file__).parent) if number not in FACTS] == []
