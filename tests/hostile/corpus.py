"""Hostile messages, one by one, each with what must become of it. PITFALLS 23 to 26.

An entry's `order_line_id` or `event_id` is its name unless the id is what is hostile, so that every valid one
is a row of its own.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.events import ABSENT, adjustment, order
from tests.hostile.oracle import ADJUSTMENT, OPEN, ORDER, REJECTED

DEPTH: Final = 10_000
MEBIBYTE: Final = 2**20


@dataclass(frozen=True)
class Entry:
    """A message, where it must land and with which reasons."""

    name: str
    value: bytes | None
    lands: str
    reasons: tuple[str, ...] = ()
    key: bytes | None = b"1001"
    headers: tuple[tuple[str, bytes | None], ...] = ()


def encoded(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def with_literal(event: dict[str, Any], field: str, literal: str) -> bytes:
    """The event with this very text as the field's value: what no JSON writer would write."""
    return encoded({**event, field: "\u0001"}).replace(b'"\\u0001"', literal.encode("utf-8", "surrogatepass"))


def _no_events() -> Iterator[Entry]:
    """What is no JSON object."""
    event = encoded(order(order_line_id="never"))
    payloads: dict[str, bytes | None] = {
        "tombstone": None,
        "empty": b"",
        "blank": b" \t\r\n ",
        "null": b"null",
        "true": b"true",
        "integer": b"42",
        "negative zero": b"-0",
        "infinite exponent alone": b"1E999999999",
        "string": b'"x"',
        "string that holds an event": json.dumps(event.decode()).encode(),
        "empty array": b"[]",
        "array": b"[1,2]",
        "array that holds an event": b"[" + event + b"]",
        "truncated": event[:-20],
        "one byte short": event[:-1],
        "one byte more": event + b"}",
        "two objects": event + event,
        "two lines": event + b"\n" + event,
        "garbage after": event + b" x",
        "byte order mark": b"\xef\xbb\xbf" + event,
        "non-breaking space before": "\u00a0".encode() + event,
        "form feed before": b"\x0c" + event,
        "zero width space before": "\u200b".encode() + event,
        "NUL": b"\x00",
        "NUL before": b"\x00" + event,
        "NUL after": event + b"\x00",
        "NUL inside": b"abc\x00def",
        "raw NUL in a string": with_literal(order(), "product_name", '"a\x00b"'),
        "raw line feed in a string": with_literal(order(), "product_name", '"a\nb"'),
        "raw tab in a string": with_literal(order(), "product_name", '"a\tb"'),
        "unknown escape": with_literal(order(), "product_name", r'"\x41"'),
        "half an escape": with_literal(order(), "product_name", r'"\u00"'),
        "single quotes": event.replace(b'"', b"'"),
        "keys without quotes": b"{event_type: 1}",
        "comment before": b"/* x */ " + event,
        "comment after": event + b"// x",
        "leading zero": with_literal(order(), "quantity", "03"),
        "plus sign": with_literal(order(), "quantity", "+3"),
        "no digit before the point": with_literal(order(), "unit_price", ".5"),
        "no digit after the point": with_literal(order(), "unit_price", "5."),
        "hexadecimal": with_literal(order(), "quantity", "0x10"),
        "underscore in a number": with_literal(order(), "quantity", "1_000"),
        "full-width digit": with_literal(order(), "quantity", "\uff13"),
        "undefined": with_literal(order(), "quantity", "undefined"),
        "TRUE in capitals": with_literal(order(), "quantity", "TRUE"),
        "key twice": event[:-1] + b',"quantity":4}',
        "same key twice, once escaped": event[:-1] + b',"\\u0071uantity":4}',
        "type twice": event[:-1] + b',"event_type":"ORDER_CREATED"}',
        "lone high surrogate": with_literal(order(), "product_name", r'"\ud800"'),
        "lone low surrogate": with_literal(order(), "product_name", r'"\udc00"'),
        "surrogates swapped": with_literal(order(), "product_name", r'"\udf77\ud83c"'),
        "surrogate in UTF-8": with_literal(order(), "product_name", '"\ud800"'),
        "Latin-1": encoded(order(product_name="Ros\u00e9")).decode().encode("latin-1"),
        "UTF-16": event.decode().encode("utf-16"),
        "UTF-16 without mark": event.decode().encode("utf-16-le"),
        "UTF-32": event.decode().encode("utf-32"),
        "overlong slash": b'{"a":"\xc0\xaf"}',
        "beyond Unicode": b'{"a":"\xf5\x80\x80\x80"}',
        "cut in a character": encoded(order(product_name="\U0001f377"))[:-60] + b"\xf0\x9f",
        "every byte": bytes(range(256)),
        "Avro mark": b"\x00\x00\x00\x00\x01" + event,
        "gzip": gzip.compress(event, mtime=0),
        "base64": base64.b64encode(event),
        "XML": b"<order><id>1</id></order>",
        "YAML": b"event_type: ORDER_CREATED\nquantity: 3\n",
        "form": b"event_type=ORDER_CREATED&quantity=3",
        "SQL": b"'; DROP TABLE RAW_DATA.RAW_EVENTS_STREAM; --",
        "arrays never closed": b"[" * 100_000,
        "objects never closed": b'{"a":' * 100_000,
        "arrays 10,000 deep": b"[" * DEPTH + b"]" * DEPTH,
        "a million x": b"x" * 1_000_000,
    }
    return (Entry(name, value, REJECTED, ("NOT_JSON_OBJECT",)) for name, value in payloads.items())


def _open_events() -> Iterator[Entry]:
    """What one JSON parser takes and another refuses: kept either way, and never twice."""
    name = "open"
    event = encoded(order(order_line_id=name))
    payloads = {
        "comma at the end": event[:-1] + b",}",
        "NaN in a field that is not read": with_literal(order(order_line_id="nan"), "emoji", "NaN"),
        "Infinity in a field that is not read": with_literal(
            order(order_line_id="inf"), "emoji", "-Infinity"
        ),
        "NaN as quantity": with_literal(order(), "quantity", "NaN"),
        "Infinity as price": with_literal(order(), "unit_price", "Infinity"),
        "zero as a DOUBLE": with_literal(order(order_line_id="zero"), "unit_price", "1e-400"),
        "an amount as a DOUBLE": with_literal(
            order(order_line_id="near"), "unit_price", "19.990000000000000000001"
        ),
        "key twice inside": with_literal(order(order_line_id="twice"), "extra", '{"a":1,"a":2}'),
        "objects 10,000 deep": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
        "field 10,000 arrays deep": with_literal(
            order(order_line_id="deep"), "extra", "[" * DEPTH + "]" * DEPTH
        ),
        "field 10,000 objects deep": with_literal(
            order(order_line_id="deeper"), "extra", '{"a":' * DEPTH + "1" + "}" * DEPTH
        ),
    }
    return (Entry(name, value, OPEN) for name, value in payloads.items())


def _types() -> Iterator[Entry]:
    """event_type, which decides on everything else."""
    missing: dict[str, Any] = {"absent": ABSENT, "null": None, "empty": "", "blank": "   "}
    for name, value in missing.items():
        yield Entry(f"type {name}", encoded(order(event_type=value)), REJECTED, ("MISSING_EVENT_TYPE",))
    yield Entry("empty object", b"{}", REJECTED, ("MISSING_EVENT_TYPE",))
    unknown: dict[str, Any] = {
        "number": 42,
        "zero": 0,
        "false": False,
        "array": ["ORDER_CREATED"],
        "object": {"ORDER_CREATED": 1},
        "lower case": "order_created",
        "space after": "ORDER_CREATED ",
        "tab before": "\tORDER_CREATED",
        "Cyrillic O": "\u041eRDER_CREATED",
        "Greek Omicron": "\u039fRDER_CREATED",
        "full-width": "\uff2f\uff32\uff24\uff25\uff32_\uff23\uff32\uff25\uff21\uff34\uff25\uff24",
        "zero width joiner": "ORDER\u200d_CREATED",
        "right to left mark": "\u200fORDER_CREATED",
        "right to left override": "\u202eDETAERC_REDRO",
        "soft hyphen": "ORDER_\u00adCREATED",
        "combining accent": "ORDER_CREATE\u0301D",
        "byte order mark": "\ufeffORDER_CREATED",
        "NUL after": "ORDER_CREATED\x00",
        "line feed after": "ORDER_CREATED\n",
        "wildcard": "ORDER%",
        "SQL": "ORDER_CREATED' OR '1'='1",
        "long": "A" * 900_000,
    }
    for name, value in unknown.items():
        yield Entry(f"type {name}", encoded(order(event_type=value)), REJECTED, ("UNKNOWN_EVENT_TYPE",))


_ORDER_TEXTS: Final = (
    "product_name",
    "category",
    "sales_channel",
    "payment_method",
    "shipping_address",
    "source_service",
)
_ADJUSTMENT_TEXTS: Final = ("product_name", "category", "reason", "source_service")
_NUMBERS: Final = ("customer_id", "product_id", "quantity", "unit_price")
_OPTIONAL_NUMBERS: Final = ("discount", "total_price", "bottle_size_l")


def _wrong_types() -> Iterator[Entry]:
    """Every field with every JSON type that it must not have, and with nothing."""
    wrong: dict[str, Any] = {
        "true": True,
        "array": [1],
        "empty array": [],
        "object": {"a": 1},
        "empty object": {},
    }
    nothing: dict[str, Any] = {"null": None, "empty": "", "blank": "  ", "absent": ABSENT}
    fields: dict[str, tuple[bool, bool]] = {"order_line_id": (True, True), "event_ts": (True, False)}
    fields |= dict.fromkeys(_ORDER_TEXTS, (False, True))
    fields |= dict.fromkeys(_NUMBERS, (True, False)) | dict.fromkeys(_OPTIONAL_NUMBERS, (False, False))
    yield from _of_types(fields, wrong, nothing, ORDER)
    fields = {"event_id": (True, True), "event_ts": (True, False), "product_id": (True, False)}
    fields |= {"quantity_change": (True, False), "adjustment_type": (True, True)}
    fields |= {"warehouse_location": (True, True), **dict.fromkeys(_ADJUSTMENT_TEXTS, (False, True))}
    yield from _of_types(fields, wrong, nothing, ADJUSTMENT)


def _of_types(
    fields: dict[str, tuple[bool, bool]], wrong: dict[str, Any], nothing: dict[str, Any], lands: str
) -> Iterator[Entry]:
    for field, (required, is_text) in fields.items():
        other: dict[str, Any] = {"number": 7} if is_text else {"word": "cher"}
        for kind, value in (wrong | other).items():
            name = f"{lands} {field} {kind}"
            yield Entry(name, _event(lands, name, field, value), REJECTED, (f"INVALID_{field.upper()}",))
        for kind, value in nothing.items():
            name = f"{lands} {field} {kind}"
            reasons = (f"MISSING_{field.upper()}",) if required else ()
            yield Entry(name, _event(lands, name, field, value), REJECTED if required else lands, reasons)


def _event(lands: str, name: str, field: str, value: Any) -> bytes:
    changed = {("order_line_id" if lands == ORDER else "event_id"): name, field: value}
    return encoded(order(**changed) if lands == ORDER else adjustment(**changed))


def _numbers() -> Iterator[Entry]:
    integers = {
        "12": True,
        '"12"': True,
        "1e2": True,
        '"1.5e1"': True,
        "100.0": True,
        '"+5"': True,
        "1E+2": True,
    }
    integers |= dict.fromkeys(('" 12"', '"12 "', '"1_000"', '"0x10"', '"1.5e0"', '"PROD-1"', "1.5"), False)
    integers |= dict.fromkeys(
        ("1" * 39, f'"{"1" * 39}"', "1" * 400, "1e400", '"1e400"', "1E999999999"), False
    )
    integers |= dict.fromkeys(('"٣"', '"３"', '"²"', '"Ⅰ"', '"1,000"', '"1 000"'), False)
    integers |= dict.fromkeys(('"NaN"', '"Infinity"', '"-"', '"+"', '"e"', '"1e"', '"--1"', '"1;"'), False)
    integers |= dict.fromkeys(('"12\\u0000"', '"12\\n"', '"\\u200b12"', '"−12"', '"12%"', '"0b1"'), False)
    integers |= {"999999999999999999": True, "1000000000000000000": False, '"123456789012345678.25"': False}
    for number, (text, fits) in enumerate(integers.items()):
        name = f"customer_id {number}: {text[:20]}"
        value = with_literal(order(order_line_id=name), "customer_id", text)
        yield Entry(name, value, ORDER if fits else REJECTED, () if fits else ("INVALID_CUSTOMER_ID",))
    prices = {
        "0": True,
        "-0": True,
        "-0.0": True,
        "0.10": True,
        "1e2": True,
        '"12.500"': True,
        "9999999999.99": True,
    }
    prices |= {f"1.{'0' * 400}": True, f'"1.{"0" * 100_000}"': True, '"00012.5"': True, '"-0"': True}
    prices |= dict.fromkeys(("1e400", "-1e400", '"1e-400"', "1E999999999", '"1E-999999999"', "0.005"), False)
    prices |= dict.fromkeys(("-0.01", "10000000000", "19.999", '"12,50"', '"€12"', '"12.5.0"'), False)
    prices |= dict.fromkeys((f"1{'0' * 100000}", '"19.990000000000000000001"', '"1e-99"', '"1.2e3.4"'), False)
    for number, (text, fits) in enumerate(prices.items()):
        name = f"unit_price {number}: {text[:20]}"
        value = with_literal(order(order_line_id=name, quantity=1), "unit_price", text)
        yield Entry(name, value, ORDER if fits else REJECTED, () if fits else ("INVALID_UNIT_PRICE",))
    for number, text in enumerate(
        ("0", "-0", "0.0", "0e5", '"0"', "1.5", "1000000000", "1e9", "-1e400", "1e-5")
    ):
        name = f"quantity_change {number}: {text}"
        value = with_literal(adjustment(event_id=name), "quantity_change", text)
        yield Entry(name, value, REJECTED, ("INVALID_QUANTITY_CHANGE",))
    value = encoded(order(quantity=10**17, unit_price="999999999999.999999"))
    yield Entry("a product beyond 28 digits", value, REJECTED, ("INVALID_QUANTITY", "INVALID_UNIT_PRICE"))
    name = "total beyond the column"
    value = encoded(order(order_line_id=name, quantity=999_999_999, unit_price=9_999_999_999))
    yield Entry(name, value, REJECTED, ("INVALID_TOTAL_PRICE",))


def _times() -> Iterator[Entry]:
    day = "2025-07-01T"
    offsets = [
        f"{sign}{hour:02}:{minute}" for sign in "+-" for hour in range(15) for minute in ("00", "30", "45")
    ]
    good = [f"{day}10:00:00{offset}" for offset in ("Z", "z", "+00", "-00:00", "+1400", *offsets)]
    good += [
        f"{day}10:00Z",
        f"{day}10:00:00.{'9' * 1000}Z",
        f"{day}23:59:59.999999999+14:00",
        "2024-02-29T00:00Z",
    ]
    good += ["1970-01-01T00:00:00+14:00", "2199-12-31T23:59:59.999999-12:00", "2000-02-29t12:00:00.5z"]
    bad = [
        f"{day}10:00:00{offset}" for offset in ("", "+", "+1", "+15:00", "-15", "+14:60", "+1:00", " Z", "ZZ")
    ]
    bad += [
        f"{day}10:00:00{offset}" for offset in ("CET", "[Europe/Paris]", "+02:00:00", "\u221202:00", "Z\n")
    ]
    bad += [
        f"{day}{time}Z"
        for time in ("23:59:60", "24:00:00", "24:00", "12:60", "1:00", "10", "100000", "10:00:00.")
    ]
    bad += [
        f"{date}T10:00:00Z" for date in ("0000-01-01", "0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31")
    ]
    bad += [
        f"{date}T10:00:00Z"
        for date in ("10000-01-01", "-2025-01-01", "+2025-01-01", "2025-02-29", "1900-02-29")
    ]
    bad += [
        f"{date}T10:00:00Z" for date in ("2025-00-01", "2025-13-01", "2025-01-00", "2025-04-31", "2025-W27-2")
    ]
    bad += [
        "2025-182T10:00:00Z",
        "20250701T100000Z",
        "2025-07-01 10:00:00Z",
        "2025-07-01",
        "1751371200",
        "now",
    ]
    bad += [
        "\uff12\uff10\uff12\uff15-07-01T10:00:00Z",
        "01/07/2025 10:00",
        "Tue, 01 Jul 2025 10:00:00 GMT",
        "Z",
        "T",
    ]
    bad += ["2025-07-01T10:00:00Z'; DROP TABLE STG_ORDERS; --", "\ufeff2025-07-01T10:00:00Z", "9" * 100_000]
    for number, time in enumerate([*good, *bad]):
        name, fits = f"time {number}: {time[:30]}", number < len(good)
        value = encoded(order(order_line_id=name, event_ts=time))
        yield Entry(name, value, ORDER if fits else REJECTED, () if fits else ("INVALID_EVENT_TS",))
    for text in ("1751371200", "1751371200000", "1.7e9", "-1"):
        value = with_literal(order(order_line_id=f"time {text}"), "event_ts", text)
        yield Entry(f"time as the number {text}", value, REJECTED, ("INVALID_EVENT_TS",))


SQL: Final = (
    "'; DROP TABLE RAW_DATA.RAW_EVENTS_STREAM; --",
    '"; DROP TABLE STAGING.STG_ORDERS; --',
    "'); DELETE FROM PRODUCTION.ORDERS; --",
    "$$; DROP SCHEMA STAGING CASCADE; $$",
    "1 OR 1=1 /* */ UNION SELECT * FROM KAFKA_OFFSETS",
    "%s %(topic)s %d %% {} {0} {file} {x!r} <% ctx.env.X %> ${x} &x; :1 :x ? @INGEST_STAGE",
    "\\'; TRUNCATE TABLE STAGING.STG_ORDERS; --",
    "SYSTEM$ABORT_SESSION(1)",
    "read_text('/etc/passwd')",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "\x1b[2J\x07",
)
UNICODE: Final = (
    "Ch\u00e2teau",
    "Cha\u0302teau",
    "\u202eelor\u202c",
    "\u200b\u200d\ufeff",
    "a\x00b",
    "\U0001f377\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\uffff\ufffe\ufdd0\U0010ffff",
    "\u2028\u2029\x85\x7f",
    "\u0130\u0131\u017f\u00df\ufb05",
    "\\",
    '\\"\\\\n',
    "\u0e33" * 1000,
)


def _texts() -> Iterator[Entry]:
    """Texts that are harmless as long as nobody runs or changes them: valid events, each with all of it."""
    for number, text in enumerate((*SQL, *UNICODE)):
        name = f"texts {number}"
        event = order(order_line_id=f"{name} {text}", **dict.fromkeys(_ORDER_TEXTS, text))
        yield Entry(f"order {name}", encoded({**event, text: text}), ORDER)
        escaped = json.dumps(adjustment(event_id=f"{name} {text}", **dict.fromkeys(_ADJUSTMENT_TEXTS, text)))
        yield Entry(f"adjustment {name}", escaped.encode(), ADJUSTMENT)
    for form, accent in (("composed", "\u00e9"), ("decomposed", "e\u0301")):
        yield Entry(f"id {form}", encoded(order(order_line_id=f"ros{accent}")), ORDER)


def _shapes() -> Iterator[Entry]:
    def extended(name: str, extra: dict[str, Any]) -> Entry:
        return Entry(name, encoded({**order(order_line_id=name), **extra}), ORDER)

    yield extended("10,000 fields", {f"f{number}": number for number in range(10_000)})
    yield extended("a key of 500,000 characters", {"k" * 500_000: 1})
    yield extended("100 levels", {"extra": json.loads('{"a":[' * 50 + "]}" * 50)})
    names = (
        "__proto__",
        "constructor",
        "",
        " ",
        "$",
        "$.quantity",
        "a.b",
        "a[0]",
        "*",
        '"',
        "'",
        "\\",
        "\x00",
    )
    yield extended("names that mean something elsewhere", dict.fromkeys(names, 1))
    similar = (
        "EVENT_TYPE",
        "Quantity",
        "METADATA$ACTION",
        "SOURCE_OFFSET",
        "REASONS",
        "quantity ",
        "\u200bquantity",
    )
    yield extended("names that are nearly ours", dict.fromkeys(similar, "x"))
    yield extended(
        "a nested event", {"quantity_change": {"event_type": "INVENTORY_ADJUSTED"}, "event_id": []}
    )
    yield extended("exponents that are not read", {"extra": [1e300, -1e-300, 10**60, -0.0]})
    spaced = json.dumps(order(order_line_id="spaced"), indent=4).replace("\n", "\r\n")
    yield Entry("white space everywhere", b" \n\t" + spaced.encode() + b"\r\n ", ORDER)
    value = encoded(order(order_line_id="escaped key")).replace(b'"quantity"', b'"\\u0071uantity"')
    yield Entry("a key that is escaped", value, ORDER)
    yield Entry("an id of 900,000 characters", encoded(order(order_line_id="i" * 900_000)), ORDER)
    value = encoded(adjustment(event_type="ORDER_CREATED", order_line_id="mixed"))
    missing = ("MISSING_CUSTOMER_ID", "MISSING_QUANTITY", "MISSING_UNIT_PRICE")
    yield Entry("an adjustment that says it is an order", value, REJECTED, missing)


def _keys_and_headers() -> Iterator[Entry]:
    keys = {
        "no key": None,
        "empty key": b"",
        "binary key": bytes(range(256)),
        "NUL key": b"\x00",
        "SQL key": SQL[0].encode(),
    }
    keys |= {
        "long key": b"k" * 500_000,
        "key that is an object": b'{"a": 1}',
        "surrogate key": b"\xed\xa0\x80",
    }
    for name, key in keys.items():
        yield Entry(name, encoded(order(order_line_id=name)), ORDER, key=key)
    headers: dict[str, tuple[tuple[str, bytes | None], ...]] = {
        "repeated header": (("a", b"1"), ("a", b"2"), ("a", None), ("a", b"")),
        "binary header": (("a", bytes(range(256))),),
        "SQL headers": tuple((text.replace("\x00", ""), text.encode()) for text in SQL),
        "long header": (("h" * 1_000, b"v" * 500_000),),
        "1,000 headers": tuple((f"h{number}", b"v") for number in range(1_000)),
        "header without a name": (("", b"v"),),
        "header that is JSON": (("a", b'{"b": [1'), ("base64", b'{"base64": "x"}')),
    }
    for name, each in headers.items():
        yield Entry(name, encoded(order(order_line_id=name)), ORDER, headers=each)


def corpus() -> list[Entry]:
    """Every entry that a broker takes at its default bound of 1 MiB a message."""
    groups = (
        _no_events(),
        _open_events(),
        _types(),
        _wrong_types(),
        _numbers(),
        _times(),
        _texts(),
        _shapes(),
    )
    return [entry for group in (*groups, _keys_and_headers()) for entry in group]


def large() -> list[Entry]:
    """What only a broker with a higher bound takes."""
    text = "x" * (10 * MEBIBYTE)
    too_large = ("PAYLOAD_TOO_LARGE",)
    return [
        Entry("a text of 10 MiB", encoded(order(order_line_id="10 MiB", shipping_address=text)), ORDER),
        Entry("an id of 10 MiB", encoded(order(order_line_id=text)), ORDER),
        Entry("10 MiB that are no JSON", text.encode(), REJECTED, ("NOT_JSON_OBJECT",)),
        Entry("10 MiB that are no text", b"\xff" * (10 * MEBIBYTE), REJECTED, ("NOT_JSON_OBJECT",)),
        Entry(
            "a text of 17 MiB", encoded(order(shipping_address="x" * (17 * MEBIBYTE))), REJECTED, too_large
        ),
        Entry("13 MiB that are 17 MiB as base64", b"\xff" * (13 * MEBIBYTE), REJECTED, too_large),
        Entry("a key of 17 MiB", encoded(order()), REJECTED, too_large, key=b"k" * (17 * MEBIBYTE)),
    ]
