"""Hostile messages without end, the same for the same seed: events bent in every way, bytes of no kind."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from ingest.catalogue import LOCATIONS
from tests.events import adjustment, order
from tests.hostile.corpus import SQL, UNICODE, Entry, corpus, encoded
from tests.hostile.oracle import REJECTED, verdict
from tests.hostile.path import DUPLICATE

# What stands where a value should: each a JSON text, or nearly one.
_LITERALS: Final = (
    *(
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[[[[]]]]",
        '{"a":{"b":[1]}}',
        '""',
        '" "',
        '"\\u0000"',
        '"\\ud800"',
    ),
    *("0", "-0", "-1", "1.5", "1e2", "1e400", "-1e400", "1e-400", "1E999999999", "0.30000000000000004"),
    *("1" * 19, "1" * 39, "9" * 400, "999999999", "1000000000", "9999999999.99", "10000000000", "0.005"),
    *('"12"', '" 12"', '"0x10"', '"1_000"', '"1.5e0"', '"PROD-1"', '"NaN"', '"\u0663"', '"12\\n"', '"+7"'),
    *("NaN", "Infinity", "-Infinity", "+1", ".5", "01", "0x10", "undefined", "'x'", "", "1 2", "[1,]"),
    *('"2025-07-01T10:00:00Z"', '"9999-12-31T23:59:59Z"', '"0000-01-01T00:00:00Z"', '"2025-07-01T23:59:60Z"'),
    *('"2025-07-01T10:00:00+14:00"', '"2025-07-01T10:00:00"', '"2025-02-30T10:00:00Z"', '"ORDER_CREATED"'),
    *(json.dumps(text) for text in (*SQL, *UNICODE)),
)
_JUNK: Final = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"\\u0000",
)

Event = dict[str, Any]


class Fuzzer:
    """Writes messages: each is an entry whose outcome the oracle has told."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._run = f"{seed:x}"
        self._number = 0
        self._valid: list[bytes] = []
        # Only what is rejected: a valid entry sent twice would be a repeat.
        self._corpus = [
            entry.value for entry in corpus() if entry.lands == REJECTED and len(entry.value or b"") < 100_000
        ]
        # How often each kind comes: the large ones are rare, as they are in life.
        kinds: dict[Callable[[], bytes | None], int] = {
            self._with_wrong_value: 400,
            self._without_field: 100,
            self._with_key_twice: 50,
            self._with_bytes_changed: 200,
            self._cut: 50,
            self._spliced: 30,
            self._of_no_kind: 60,
            self._of_the_corpus: 60,
            self._of_hostile_texts: 100,
            self._deep: 4,
            self._wide: 2,
            self._long: 2,
        }
        self._kinds, self._weights = list(kinds), list(kinds.values())

    def valid(self) -> Entry:
        """An event as a shop sends it."""
        value = encoded(self._event())
        self._valid = [*self._valid[-99:], value]
        return Entry("valid", value, verdict(value).lands, key=b"%d" % self._random.randrange(1000))

    def hostile(self) -> Entry:
        """A message that is wrong, strange, or only looks so."""
        random = self._random
        if self._valid and random.random() < 0.05:
            return Entry("repeat", random.choice(self._valid), DUPLICATE)
        [kind] = random.choices(self._kinds, self._weights)
        value = kind()
        told = verdict(value)
        key = random.choice((None, b"", b"1001", random.randbytes(9)))
        headers = (
            (random.choice("ab"), random.choice((None, b"", random.randbytes(4)))),
        ) * random.randrange(3)
        return Entry(kind.__name__[1:], value, told.lands, tuple(told.reasons), key, headers)

    def entries(self, count: int, hostile_share: float) -> Iterator[Entry]:
        """So many messages, of which such a share is hostile."""
        for _ in range(count):
            yield self.hostile() if self._random.random() < hostile_share else self.valid()

    def _event(self) -> Event:
        self._number += 1
        random, name = self._random, f"{self._run}-{self._number}"
        second = (
            f"2025-07-{random.randrange(1, 29):02}T{random.randrange(24):02}:{random.randrange(60):02}:07Z"
        )
        if random.random() < 0.7:
            price = random.randrange(100, 50_000) / 100
            quantity = random.randrange(1, 12)
            return order(
                order_line_id=name,
                product_id=random.randrange(200),
                quantity=quantity,
                unit_price=price,
                event_ts=second,
                product_name="Ch\u00e2teau Margaux",
                category="Rouge",
                shipping_address="12 rue des Vignes, 75012 Paris",
                sales_channel="web",
                payment_method="card",
            )
        return adjustment(
            event_id=name,
            product_id=random.randrange(200),
            quantity_change=random.randrange(1, 90),
            warehouse_location=random.choice(LOCATIONS),
            event_ts=second,
        )

    def _with_wrong_value(self) -> bytes:
        event = self._event()
        for field in self._random.sample(list(event), self._random.choice((1, 1, 1, 2, 5))):
            event[field] = "\u0001" + field
        value = encoded(event)
        for field in event:
            literal = self._random.choice(_LITERALS).encode("utf-8", "surrogatepass")
            value = value.replace(b'"\\u0001%s"' % field.encode(), literal)
        return value

    def _without_field(self) -> bytes:
        event = self._event()
        del event[self._random.choice(list(event))]
        return encoded(event)

    def _with_key_twice(self) -> bytes:
        event = self._event()
        field = self._random.choice(list(event))
        return encoded(event)[:-1] + b"," + encoded({field: event[field]})[1:]

    def _with_bytes_changed(self) -> bytes:
        value = bytearray(encoded(self._event()))
        for _ in range(self._random.choice((1, 1, 2, 8))):
            at = self._random.randrange(len(value))
            match self._random.randrange(3):
                case 0:
                    value[at] = self._random.randrange(256)
                case 1:
                    del value[at]
                case _:
                    value[at:at] = self._random.choice(_JUNK)
        return bytes(value)

    def _cut(self) -> bytes:
        value = encoded(self._event())
        return value[: self._random.randrange(len(value))]

    def _spliced(self) -> bytes:
        one, other = encoded(self._event()), encoded(self._event())
        return one[: self._random.randrange(len(one))] + other[self._random.randrange(len(other)) :]

    def _of_no_kind(self) -> bytes | None:
        length = self._random.choice((0, 1, 2, 30, 300))
        return self._random.randbytes(length) if self._random.random() < 0.9 else None

    def _of_the_corpus(self) -> bytes | None:
        return self._random.choice(self._corpus)

    def _of_hostile_texts(self) -> bytes:
        event = self._event()
        text = self._random.choice((*SQL, *UNICODE))
        for field in self._random.sample(("product_name", "category", "source_service", text), 3):
            event[field] = text
        return encoded(event)

    def _deep(self) -> bytes:
        depth = self._random.choice((100, 900, 10_000))
        opening, closing = self._random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        return encoded(self._event())[:-1] + b',"x":' + opening * depth + b"1" + closing * depth + b"}"

    def _wide(self) -> bytes:
        return encoded(self._event() | {f"f{number}": number for number in range(5_000)})

    def _long(self) -> bytes:
        return encoded(self._event() | {"product_name": "x" * 100_000})
