"""Which kind of event comes next: shares kept by quota rather than by chance.

Chance would miss the promised 70/30 by several percent in a run of 2,000 events, and 800 openings of stock at
the start would turn such a run into one of stock only. So every block of a thousand holds its exact quota,
shuffled, and the openings of stock are simply the first adjustments: they take the adjustments' places.
"""

from enum import IntEnum
from math import ceil
from random import Random
from typing import Final

from ingest.settings import ProducerSettings

ADJUSTMENT_SHARE: Final = 0.30
_BLOCK: Final = 1_000


class Slot(IntEnum):
    ORDER = 0
    CORRECTION = 1
    ADJUSTMENT = 2
    DUPLICATE = 3
    BAD = 4


class Mix:
    """The sequence of kinds of one run."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        # Its own chance, so that the events do not depend on how many are asked for at a time.
        self._random = Random(f"{settings.seed} mix")  # noqa: S311 - repeatable, not secret
        self._planned = self._bad = self._duplicates = self._adjustments = self._corrections = 0
        self._block: list[Slot] = []

    def take(self, count: int) -> list[Slot]:
        taken: list[Slot] = []
        while len(taken) < count:
            if not self._block:
                self._block = self._next_block()
            missing = count - len(taken)
            taken += self._block[:missing]
            self._block = self._block[missing:]
        return taken

    def _next_block(self) -> list[Slot]:
        first = self._planned == 0
        left = self._settings.events - self._planned
        block = self._quota(min(_BLOCK, left) if left > 0 else _BLOCK)
        self._random.shuffle(block)
        if first and Slot.ADJUSTMENT in block:
            # Nothing can be sold, or sent twice, before the first stock has come in.
            place = block.index(Slot.ADJUSTMENT)
            block[0], block[place] = block[place], block[0]
        return block

    def _quota(self, size: int) -> list[Slot]:
        """What `size` more events must be for the shares to hold over the run as a whole."""
        self._planned += size
        bad = round(self._planned * self._settings.bad_share) - self._bad
        duplicates = min(round(self._planned * self._settings.duplicate_share) - self._duplicates, size - bad)
        self._bad += bad
        self._duplicates += duplicates
        valid, valid_so_far = size - bad - duplicates, self._planned - self._bad - self._duplicates
        adjustments = min(valid, max(0, ceil(valid_so_far * ADJUSTMENT_SHARE) - self._adjustments))
        self._adjustments += adjustments
        wanted = int((valid_so_far - self._adjustments) * self._settings.correction_share) - self._corrections
        corrections = min(valid - adjustments, wanted)
        self._corrections += corrections
        return (
            [Slot.ORDER] * (valid - adjustments - corrections)
            + [Slot.CORRECTION] * corrections
            + [Slot.ADJUSTMENT] * adjustments
            + [Slot.DUPLICATE] * duplicates
            + [Slot.BAD] * bad
        )
