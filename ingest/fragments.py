"""Pieces of JSON that many events share, written once."""

from typing import Final

import orjson

from ingest.catalogue import Product

# A message before it has a topic: its key and its value. A tombstone has no value.
Message = tuple[bytes | None, bytes | None]

_QUANTITIES: Final = (1, 1, 1, 2, 2, 2, 3, 3, 4, 6, 6, 6, 12, 12, 18, 24)
# Percent off the line; None = a shop that sends neither discount nor total_price, as the contract allows.
_DISCOUNTS: Final = (0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 10, 10, 15, None, None)
LINE_CHOICES: Final = len(_QUANTITIES) * len(_DISCOUNTS)


def money(cents: int) -> bytes:
    """Whole cents as a JSON number with two decimals; no float ever holds an amount."""
    return b"%d.%02d" % divmod(cents, 100)


def product_fields(product: Product) -> bytes:
    """What every event says of its product."""
    return b',"product_id":%d,"product_name":%b,"category":%b,"emoji":%b' % (
        product.product_id,
        orjson.dumps(product.name),
        orjson.dumps(product.category),
        orjson.dumps(product.emoji),
    )


def order_line(product: Product, choice: int) -> tuple[bytes, int]:
    """An order line's fields and its total in cents; `choice`, below LINE_CHOICES, picks the quantity."""
    quantity, percent = _QUANTITIES[choice >> 4], _DISCOUNTS[choice & 15]
    full = quantity * product.unit_cents
    line = b'%b,"bottle_size_l":%b,"quantity":%d,"unit_price":%b' % (
        product_fields(product),
        product.bottle_size_l.encode(),
        quantity,
        money(product.unit_cents),
    )
    if percent is None:
        return line, full
    discount = full * percent // 100
    total = full - discount
    return b'%b,"discount":%b,"total_price":%b' % (line, money(discount), money(total)), total
