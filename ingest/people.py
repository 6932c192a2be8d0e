"""Customers and phrases, drawn from Faker once, as JSON text ready to be joined into events.

Faker needs some 50 microseconds for an address; an event has ten in all. So a pool is drawn up front, and an
event only chooses from it.
"""

from dataclasses import dataclass
from typing import Final

import orjson
from faker import Faker

CUSTOMERS: Final = 2_000
FIRST_CUSTOMER_ID: Final = 500_001
REMARKS: Final = 64

_CHANNELS: Final = ("WEB", "WEB", "WEB", "BOUTIQUE", "BOUTIQUE", "APPLI_MOBILE", "TELEPHONE")
_PAYMENTS: Final = ("CARTE", "CARTE", "CARTE", "PAYPAL", "VIREMENT", "ESPECES")


@dataclass(frozen=True)
class Pools:
    """JSON fragments to choose from. A power of two long where a few random bits make the choice."""

    customers: tuple[bytes, ...]
    sales: tuple[bytes, ...]
    remarks: tuple[bytes, ...]


def draw_pools(seed: int) -> Pools:
    """The pools of this seed."""
    faker = Faker("fr_FR")
    faker.seed_instance(seed)
    return Pools(
        customers=tuple(_customer(faker, FIRST_CUSTOMER_ID + number) for number in range(CUSTOMERS)),
        sales=tuple(
            b',"sales_channel":"%s","payment_method":"%s","source_service":"%s"'
            % (channel.encode(), payment.encode(), b"boutique-api" if channel == "BOUTIQUE" else b"web-shop")
            for channel in _CHANNELS
            for payment in _PAYMENTS
        ),
        remarks=tuple(orjson.dumps(faker.sentence(nb_words=6)) for _ in range(REMARKS)),
    )


def _customer(faker: Faker, customer_id: int) -> bytes:
    address = f"{faker.name()}, {faker.street_address()}, {faker.postcode()} {faker.city()}"
    return b',"customer_id":%d,"shipping_address":%s' % (customer_id, orjson.dumps(address))
