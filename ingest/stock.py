"""The stock room: movements of stock, and what each shelf must hold after them."""

from random import Random
from typing import Final, NamedTuple

from ingest.catalogue import LOCATIONS, Product, catalogue, stock_keys
from ingest.clock import Stamps
from ingest.fragments import Message, product_fields
from ingest.people import Pools


class Movement(NamedTuple):
    """One adjustment before it is written."""

    number: int
    shelf: int
    kind: bytes
    change: int


# Opening stock is between these; so is a later delivery.
_FEWEST: Final = 4
_MORE_BITS: Final = 0x7F
_LOSSES: Final = (-1, -1, -2, -2, -3, -4, -6, -12)
_RECOUNTS: Final = (-3, -2, -1, 1, 2, 3, 6, -6)


class StockRoom:
    """Writes adjustments. The first ones open every product, one location after the other."""

    def __init__(self, run: bytes, pools: Pools, random: Random, stamps: Stamps) -> None:
        self._run, self._random, self._stamps = run, random, stamps
        self._remarks = pools.remarks
        self._keys = tuple(b"%d" % product.product_id for product in catalogue())
        self._fields = tuple(product_fields(product) for product in catalogue())
        self._places = tuple(location.encode() for location in LOCATIONS)
        self._levels = [0] * len(stock_keys())
        self._opened = 0
        self.adjustments = 0

    @property
    def opened_products(self) -> int:
        """How many products, from the front of the catalogue, have stock somewhere and can be sold."""
        return min(self._opened, len(self._keys))

    def levels(self) -> dict[tuple[int, str], int]:
        """Stock by product and location, of the shelves opened so far."""
        opened: list[tuple[Product, str]] = list(stock_keys()[: self._opened])
        levels = zip(opened, self._levels, strict=False)
        return {(product.product_id, location): level for (product, location), level in levels}

    def move(self, ms: int) -> Message:
        """The next adjustment. Late events are left to orders: an opening stays the first of its shelf."""
        bits = self._random.getrandbits(48)
        if self._opened < len(self._levels):
            shelf, kind, change = self._opened, b"REPLENISHMENT", _FEWEST + (bits & _MORE_BITS)
            self._opened += 1
        else:
            shelf = (bits >> 16) % len(self._levels)
            kind, change = _everyday_movement(bits & 0xFFFF)
        self._levels[shelf] += change
        movement = Movement(self.adjustments, shelf, kind, change)
        self.adjustments += 1
        return self.write(movement, ms, bits >> 32)

    def write(self, movement: Movement, ms: int, choice: int = 1) -> Message:
        """The movement as a message; `choice` picks the remark and how the time is written."""
        location, product = divmod(movement.shelf, len(self._keys))
        value = b"".join(
            (
                b'{"event_type":"INVENTORY_ADJUSTED","event_id":"ADJ-%b-%08d"' % (self._run, movement.number),
                self._fields[product],
                b',"quantity_change":%d,"adjustment_type":"%b"' % (movement.change, movement.kind),
                b',"warehouse_location":"%b","reason":' % self._places[location],
                self._remarks[(choice >> 2) % len(self._remarks)],
                b',"source_service":"stock-api","event_ts":"',
                self._stamps.utc(ms) if choice & 3 else self._stamps.paris(ms),
                b'"}',
            )
        )
        return self._keys[product], value


def _everyday_movement(bits: int) -> tuple[bytes, int]:
    """Half of them deliveries, the rest recounts and breakage."""
    if bits & 1:
        return b"REPLENISHMENT", _FEWEST + (bits >> 4 & _MORE_BITS)
    if bits & 2:
        return b"CORRECTION", _RECOUNTS[bits >> 4 & 7]
    return b"SPOILAGE", _LOSSES[bits >> 4 & 7]
