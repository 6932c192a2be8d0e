"""The order desk: new orders, now and then a newer version of one, and the revenue they add up to."""

from collections import deque
from random import Random
from typing import Final, NamedTuple

from ingest.catalogue import catalogue
from ingest.clock import Stamps
from ingest.fragments import LINE_CHOICES, Message, order_line
from ingest.people import Pools

# How far back a correction may reach; bounds the memory of a run that never ends.
_RECENT: Final = 4096
_LATEST_MS: Final = 600_000


class _Order(NamedTuple):
    """What a correction must know of the order that it corrects."""

    order_id: bytes
    customer: bytes
    sale: bytes
    product: int
    cents: int
    ms: int


class OrderDesk:
    """Writes orders."""

    def __init__(self, run: bytes, pools: Pools, random: Random, stamps: Stamps) -> None:
        self._run, self._random, self._stamps = run, random, stamps
        self._customers, self._sales = pools.customers, pools.sales
        self._keys = tuple(b"%d" % product.product_id for product in catalogue())
        self._lines: dict[int, tuple[bytes, int]] = {}
        self._recent: deque[_Order] = deque(maxlen=_RECENT)
        self.orders = 0
        self.corrections = 0
        self.revenue_cents = 0

    def order(self, ms: int, opened_products: int) -> Message:
        """A new order for one of the products that have stock."""
        bits = self._random.getrandbits(56)
        order_id = b"OL-%b-%08d" % (self._run, self.orders)
        self.orders += 1
        product = _popular(bits >> 32, opened_products)
        customer = self._customers[(bits >> 16) % len(self._customers)]
        sale = self._sales[(bits >> 8 & 0xFF) % len(self._sales)]
        line, cents = self._line(product, bits & 0xFF)
        # One in 32 reports a time up to ten minutes before that of its neighbours.
        moment = ms - (bits >> 12) * 7919 % _LATEST_MS if bits >> 51 == 0 else ms
        order = _Order(order_id, customer, sale, product, cents, moment)
        self._recent.append(order)
        self.revenue_cents += cents
        return self._write(order, line, in_paris=bits & 0x30 == 0)

    def correct(self, ms: int) -> Message | None:
        """A newer version of an earlier order with another line; None while there is none to correct."""
        if not self._recent:
            return None
        place, choice = self._random.randrange(len(self._recent)), self._random.randrange(LINE_CHOICES)
        old = self._recent[place]
        line, cents = self._line(old.product, choice)
        newer = old._replace(cents=cents, ms=max(ms, old.ms + 1000))
        self._recent[place] = newer
        self.corrections += 1
        self.revenue_cents += cents - old.cents
        return self._write(newer, line, in_paris=False)

    def _line(self, product: int, choice: int) -> tuple[bytes, int]:
        key = product * LINE_CHOICES + choice
        known = self._lines.get(key)
        if known is None:
            known = self._lines[key] = order_line(catalogue()[product], choice)
        return known

    def _write(self, order: _Order, line: bytes, *, in_paris: bool) -> Message:
        value = b"".join(
            (
                b'{"event_type":"ORDER_CREATED","order_line_id":"',
                order.order_id,
                b'"',
                order.customer,
                line,
                order.sale,
                b',"event_ts":"',
                self._stamps.paris(order.ms) if in_paris else self._stamps.utc(order.ms),
                b'"}',
            )
        )
        return self._keys[order.product], value


def _popular(bits: int, products: int) -> int:
    """A place in the catalogue; for half of the orders the smaller of two, so its front sells better."""
    first, second = bits & 0xFFF, bits >> 12 & 0xFFF
    chosen = first if first & 1 else min(first, second)
    return chosen * products >> 12
