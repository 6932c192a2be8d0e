"""An erased customer: nothing that tells of one is left or comes back, and no figure changes."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from caves_cli import verification
from caves_snowpark import names, schemas
from caves_snowpark.erase import UnknownCustomerError
from procedures import correct_rejected, distribute_raw_events, erase_customer, replay_rejected
from tests.engines.engine import Snowcellar
from tests.engines.life import Shop, cellar_shop, local_shop
from tests.events import adjustment, order

CUSTOMER = 7_310_007
ADDRESS = "3 rue du Canari, 21000 Dijon"
# Whatever of these is found anywhere was not erased.
CANARIES = (str(CUSTOMER), "Canari", "canari@example.org", "no sulphites")


def of_customer(**changes: Any) -> dict[str, Any]:
    personal = {
        "shipping_address": ADDRESS,
        "contact": {"mail": "canari@example.org"},
        "wish": "no sulphites",
    }
    return order(customer_id=CUSTOMER, **personal, **changes)


BOUGHT: list[Any] = [
    of_customer(order_line_id="a", event_ts="2025-07-01T10:00:00Z"),
    order(order_line_id="b", customer_id=str(CUSTOMER), shipping_address=ADDRESS, unit_price="0.10"),
    order(order_line_id="c", shipping_address="elsewhere"),
    of_customer(order_line_id="d", quantity="three"),
    f'{{"customer_id": {CUSTOMER}, "shipping_address": "{ADDRESS}'.encode(),
    of_customer(order_line_id="a", event_ts="2025-07-01T10:00:00Z"),
    adjustment(quantity_change=5),
]


def broken(cellar: Snowcellar) -> dict[str, Any]:
    found = verification.verify(cellar.session.connection)
    return {verdict.invariant.name: verdict.offenders for verdict in found if not verdict.holds}


def canaries(cellar: Snowcellar) -> list[str]:
    """Where anything that tells of the customer is found: table and canary."""
    found = []
    for table in schemas.TABLES:
        text = repr([tuple(row) for row in cellar.session.table(table).collect()])
        found += [f"{canary} in {table}" for canary in CANARIES if canary in text]
    return found


def figures(cellar: Snowcellar) -> list[list[str]]:
    """What ANALYTICS says, but for the names of customers."""
    statements = [
        f"SELECT * FROM {names.DAILY_SALES}",
        f"SELECT * FROM {names.SALES_BY_PRODUCT}",
        f"SELECT * FROM {names.BASKET_STATISTICS}",
        f"SELECT * EXCLUDE CUSTOMER_ID FROM {names.CUSTOMERS}",
        f"SELECT PRODUCT_ID, CURRENT_STOCK_LEVEL FROM {names.INVENTORY_CURRENT}",
    ]
    return [sorted(map(repr, cellar.session.sql(statement).collect())) for statement in statements]


@pytest.fixture
def shop(snowcellar: Snowcellar) -> Iterator[Shop]:
    """A customer in every table, one order waiting in each stream."""
    shop = cellar_shop(snowcellar)
    shop.send(*BOUGHT)
    shop.tick()
    corrected = json.dumps(of_customer(order_line_id="d", quantity=3))
    correct_rejected.main(snowcellar.session, "sales_events/0/3", corrected, f"called {ADDRESS}")
    shop.tick()
    yield shop


def cut_at_every_statement(cellar: Snowcellar) -> Iterator[tuple[int, list[str]]]:
    """An erasure that dies before each statement in turn, and at last after COMMIT, whose answer is lost."""
    connection: Any = cellar.session._conn
    real = connection.run_query
    for crash_at in itertools.count(1):
        sent: list[str] = []

        def run(
            query: str, *args: Any, crash_at: int = crash_at, sent: list[str] = sent, **options: Any
        ) -> Any:
            sent.append(query)
            if len(sent) == crash_at and not query.startswith("ROLLBACK"):
                raise ConnectionError("the line is cut")
            answer = real(query, *args, **options)
            if query == "COMMIT":
                raise ConnectionError("the answer is lost")
            return answer

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(connection, "run_query", run)
            with pytest.raises(ConnectionError):
                erase_customer.main(cellar.session, CUSTOMER)
        yield crash_at, sent
        if "COMMIT" in sent[: crash_at - 1]:
            return


def test_an_erasure_is_whole_or_nothing_and_no_figure_changes(snowcellar: Snowcellar, shop: Shop) -> None:
    before = figures(snowcellar)
    counted = erase_customer.main(snowcellar.session, CUSTOMER, True)
    assert counted == {
        names.DUPLICATE_EVENTS: 1,
        names.REPLAY_LOG: 1,
        names.REJECTED_EVENTS: 2,
        names.RAW_EVENTS: 5,
        names.STG_ORDERS: 3,
        names.PURGED_ORDERS: 0,
        names.ORDERS: 3,
        "files": 0,
    }
    assert {canary.split(" in ")[1] for canary in canaries(snowcellar)} == {
        *(names.RAW_EVENTS, names.REJECTED_EVENTS, names.REPLAY_LOG, names.STG_ORDERS, names.ORDERS)
    }
    for crash_at, sent in cut_at_every_statement(snowcellar):
        erased = snowcellar.session.table(names.ERASED_CUSTOMERS).count()
        left = snowcellar.session.table(names.ORDERS).filter(f"CUSTOMER_ID = {CUSTOMER}").count()
        assert (erased, left) == ((1, 0) if "COMMIT" in sent[: crash_at - 1] else (0, 3)), (
            crash_at,
            sent[-1],
        )
    assert crash_at == 19
    assert canaries(snowcellar) == []
    assert figures(snowcellar) == before
    assert broken(snowcellar) == {}
    # Again, as after an answer that was lost: nothing is left to do.
    assert not any(erase_customer.main(snowcellar.session, CUSTOMER).values())
    [done] = snowcellar.session.table(names.ERASED_CUSTOMERS).select("TOUCHED_ROWS").collect()
    assert json.loads(done[0]) | {"files": 0} == counted


def test_nothing_brings_an_erased_customer_back(snowcellar: Snowcellar, shop: Shop) -> None:
    """In flight in two streams, sent again, late, corrected to, replayed, and what was purged before."""
    shop.age()
    assert shop.purge()["orders_staged"] == 4
    shop.send(of_customer(order_line_id="staged"))
    shop.engine.call(distribute_raw_events)
    shop.send(of_customer(order_line_id="raw"))
    erase_customer.main(snowcellar.session, CUSTOMER)
    assert canaries(snowcellar) == []
    shop.tick()
    readable = [event for event in BOUGHT if not isinstance(event, bytes)]
    shop.send(*readable, of_customer(order_line_id="late"), of_customer(order_line_id="a", quantity=4))
    shop.send(order(order_line_id="e", customer_id="?"))
    shop.tick()
    assert canaries(snowcellar) == []
    corrected = json.dumps(of_customer(order_line_id="e"))
    correct_rejected.main(snowcellar.session, f"sales_events/0/{shop.sent - 1}", corrected, "found")
    replay_rejected.main(snowcellar.session)
    shop.tick()
    assert canaries(snowcellar) == []
    assert broken(snowcellar) == {}
    customers = snowcellar.session.table(names.ORDERS).select("CUSTOMER_ID").distinct().collect()
    assert len(customers) == 2
    ids = sorted(row[0] for row in snowcellar.session.table(names.ORDERS).select("ORDER_ID").collect())
    assert ids == ["a", "b", "c", "d", "e", "late", "raw", "staged"]


def test_an_unknown_customer_is_told_and_nothing_is_remembered(snowcellar: Snowcellar) -> None:
    cellar_shop(snowcellar)
    with pytest.raises(UnknownCustomerError, match="Nothing was found of customer 99"):
        erase_customer.main(snowcellar.session, 99)
    assert snowcellar.session.table(names.ERASED_CUSTOMERS).count() == 0
    assert snowcellar.session.table(names.ERASURE_KEY).count() == 0


def test_an_erasure_leaves_the_same_rows_on_every_engine(snowcellar: Snowcellar) -> None:
    def play(shop: Shop) -> list[Any]:
        shop.send(*BOUGHT[:5])
        shop.tick()
        shop.send(of_customer(order_line_id="w"))
        counts = shop.engine.call(erase_customer, CUSTOMER)
        shop.send(BOUGHT[0])
        shop.tick()
        session = shop.engine.session
        rows = session.table(names.ORDERS).select("ORDER_ID", "CUSTOMER_ID", "SHIPPING_ADDRESS").collect()
        nameless = sorted((row[0], int(row[1]) < 0, row[2]) for row in rows)
        repeats = session.table(names.DUPLICATE_EVENTS).select("EVENT_KEY", "SOURCE_OFFSET").collect()
        return [counts, nameless, sorted((row[0], int(row[1])) for row in repeats), shop.seen()]

    with local_shop() as local:
        assert play(local) == play(cellar_shop(snowcellar))
