"""The corpus on Snowpark local testing and on snowcellar: the same rows, value by value."""

import pytest

from tests.engines.engine import Snowcellar, run_locally
from tests.events import Message
from tests.hostile.corpus import corpus
from tests.hostile.oracle import OPEN

# Local testing slows down with the square of its rows; an odd step meets every group, field and type.
STEP = 5


@pytest.mark.parametrize("first", [0, 2])
def test_corpus_gives_the_same_rows_on_both_engines(engine: Snowcellar, first: int) -> None:
    """PITFALLS 23 to 25."""
    entries = [entry for entry in corpus() if entry.lands != OPEN][first::STEP]
    batches = [[Message(entry.value, offset) for offset, entry in enumerate(entries)]]
    assert engine.run(batches) == run_locally(batches)
