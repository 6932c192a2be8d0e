"""The shop's events, one after the other, as the bytes that go to Kafka; and the truth about what was made.

Built for speed: what repeats is serialised once, an event joins a few such pieces, and a few random bits
choose them. Money is whole cents throughout, so the truth is exact.
"""

import hashlib
from collections import deque
from random import Random
from typing import Final

from ingest.clock import Schedule, Stamps
from ingest.fragments import Message
from ingest.malformed import Spoiler
from ingest.mix import Mix, Slot
from ingest.orders import OrderDesk
from ingest.people import draw_pools
from ingest.settings import ProducerSettings
from ingest.stock import StockRoom
from ingest.truth import Truth

# How far back a duplicate may reach; bounds the memory of a run that never ends.
_RECENT: Final = 4096


class EventStream:
    """A run of the shop. `take` makes the next events; `truth` is the sum of those taken so far."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._random = Random(settings.seed)  # noqa: S311 - the shop needs repeatable chance, not secrets
        pools, stamps, run = draw_pools(settings.seed), Stamps(), _run_name(settings)
        self._mix = Mix(settings)
        self._schedule = Schedule(settings.start, settings.events, settings.rate)
        self._stock = StockRoom(run, pools, self._random, stamps)
        self._desk = OrderDesk(run, pools, self._random, stamps)
        self._spoiler = Spoiler(run, self._random, stamps)
        self._recent: deque[Message] = deque(maxlen=_RECENT)
        self._sent = 0
        self._duplicates = 0

    def take(self, count: int) -> list[Message]:
        """The next `count` messages."""
        messages: list[Message] = []
        for slot in self._mix.take(count):
            ms = self._schedule.at(self._sent + len(messages))
            if slot is Slot.BAD:
                messages.append(self._spoiler.spoil(ms))
            elif slot is Slot.DUPLICATE and self._recent:
                self._duplicates += 1
                messages.append(self._recent[self._random.randrange(len(self._recent))])
            else:
                message = self._valid(slot, ms)
                self._recent.append(message)
                messages.append(message)
        self._sent += len(messages)
        return messages

    def truth(self) -> Truth:
        return Truth(
            events_produced=self._sent,
            orders=self._desk.orders,
            corrections=self._desk.corrections,
            adjustments=self._stock.adjustments,
            duplicates=self._duplicates,
            bad=dict(self._spoiler.spoilt),
            expected_revenue_cents=self._desk.revenue_cents,
            expected_stock=self._stock.levels(),
        )

    def _valid(self, slot: Slot, ms: int) -> Message:
        if slot is Slot.CORRECTION:
            correction = self._desk.correct(ms)
            if correction is not None:
                return correction
        if slot is Slot.ADJUSTMENT or not self._stock.opened_products:
            return self._stock.move(ms)
        return self._desk.order(ms, self._stock.opened_products)


def _run_name(settings: ProducerSettings) -> bytes:
    """Part of every id of this run: two runs of one seed must not pass for repeats of one another."""
    return hashlib.sha256(f"{settings.seed} {settings.start.isoformat()}".encode()).hexdigest()[:8].encode()
