"""A purge that dies, and two of them at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_snowpark import names
from ingest.connections import load_connection
from procedures import dismiss_rejected, purge_expired
from tests.engines.engine import Snowcellar
from tests.engines.life import EVENTS, RETENTION, Shop, broken, cellar_shop, left


@contextmanager
def second_session(cellar: Snowcellar) -> Iterator[Session]:
    session = Session.builder.configs(dict(load_connection("local", cellar.config))).create()
    try:
        yield session
    finally:
        session.close()


def test_two_purges_at_once_beside_a_tick_purge_everything_once(snowcellar: Snowcellar) -> None:
    shop = cellar_shop(snowcellar)
    shop.send(*EVENTS)
    shop.tick()
    shop.age()
    shop.send(*EVENTS)
    with second_session(snowcellar) as second, second_session(snowcellar) as third:
        works = [lambda: purge_expired.main(second, RETENTION), lambda: purge_expired.main(third, RETENTION)]
        with ThreadPoolExecutor(3) as pool:
            counts = [pool.submit(work) for work in works]
            pool.submit(shop.tick).result()
            found = [future.result() for future in counts]
    assert sum(count["raw"] for count in found) == len(EVENTS)
    assert sum(count["orders_staged"] + count["adjustments_staged"] for count in found) == 8
    assert broken(shop) == {}


def cut(shop: Shop, crash_at: Callable[[list[str]], bool], *, answered: bool = False) -> list[str]:
    """A purge whose line is cut where the statements so far say so: before the last of them, or after it."""
    connection: Any = shop.engine.session._conn
    real, sent = connection.run_query, []

    def run(query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        dies = crash_at(sent)
        if dies and not answered:
            raise ConnectionError("the line is cut")
        answer = real(query, *arguments, **options)
        if dies:
            raise ConnectionError("the answer is lost")
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "run_query", run)
        try:
            shop.purge()
        except ConnectionError:
            return sent
    return sent


def lived(cellar: Snowcellar) -> Shop:
    """Something of everything that a purge deletes."""
    shop = cellar_shop(cellar)
    shop.send(*EVENTS, EVENTS[0])
    shop.tick()
    dismiss_rejected.main(cellar.session, "sales_events/0/9", "noise")
    shop.age()
    worked = f"UPDATE {names.REJECTED_EVENTS} SET DISMISSED_AT = '2026-01-01' WHERE DISMISSED_AT IS NOT NULL"
    cellar.session.sql(worked).collect()
    cellar.session.sql(f"UPDATE {names.REPLAY_LOG} SET ACTED_AT = '2026-01-01'").collect()
    shop.send(EVENTS[0], EVENTS[5])
    return shop


def test_a_purge_that_dies_around_a_commit_is_finished_by_the_next(snowcellar: Snowcellar) -> None:
    shop = lived(snowcellar)
    shop.purge()
    expected = left(shop)
    shop = lived(snowcellar)

    def first_commit(sent: list[str]) -> bool:
        return sent.count("COMMIT") == 1 and sent[-1] == "COMMIT"

    # RAW, orders, movements, repeats, rejected: each is the first in its turn, once those before it are done.
    for _ in range(5):
        before = left(shop)
        cut(shop, first_commit)
        assert left(shop) == before
        cut(shop, first_commit, answered=True)
        assert left(shop) != before
    assert left(shop) == expected
    assert broken(shop) == {}


@pytest.mark.exhaustive
@pytest.mark.timeout(3_600)
def test_a_purge_that_dies_at_any_statement_breaks_nothing_and_is_finished_by_the_next(
    snowcellar: Snowcellar,
) -> None:
    undisturbed = cut(shop := lived(snowcellar), lambda _: False)
    expected = left(shop)
    for number in range(1, len(undisturbed) + 1):
        shop = lived(snowcellar)
        cut(shop, lambda sent, number=number: len(sent) == number)  # type: ignore[misc]
        assert broken(shop) == {}, number
        shop.purge()
        assert left(shop) == expected, number
        assert broken(shop) == {}, number
