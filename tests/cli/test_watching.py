"""`caves status --watch` outlives the warehouse: what it shows while that is away, and after."""

from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from caves_cli.watching import Sight, Watch, watch_in_lines
from ingest.errors import WarehouseUnreachable

NOON = datetime(2026, 11, 23, 12, 0, 0).astimezone()


class Warehouse:
    """Answers with a count of its answers, or is away."""

    def __init__(self) -> None:
        self.answers = 0
        self.away: Exception | None = None

    def look(self) -> int:
        if self.away:
            raise self.away
        self.answers += 1
        return self.answers


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_quick_look_is_no_trouble_and_a_slow_one_is_told() -> None:
    looking: Sight[int] = Sight(latest=1, begun=NOON)
    assert looking.trouble(after(4)) is None
    assert looking.trouble(after(7)) == "No answer since 12:00:00 (7 s)"


def test_a_loss_counts_from_the_look_that_failed_and_keeps_its_time() -> None:
    lost = Sight(latest=1, begun=NOON).lost(after(20), "refused")
    again = Sight(lost.latest, begun=after(21), lost_since=lost.lost_since).lost(after(30), "gone")
    assert lost.trouble(after(20)) == "Unreachable since 12:00:00 (20 s): refused"
    assert again.trouble(after(65)) == "Unreachable since 12:00:00 (65 s): gone"
    assert again.latest == 1


def test_a_warehouse_that_comes_back_is_shown_again() -> None:
    warehouse = Warehouse()
    watch = Watch(warehouse.look, every_seconds=60)
    watch.first_look()
    warehouse.away = WarehouseUnreachable("here", "gone")
    watch.look_again()
    assert watch.sight.latest == 1
    assert "does not answer: gone" in watch.sight.reason
    warehouse.away = None
    watch.look_again()
    assert watch.sight == Sight(latest=2, before=1)


def test_a_fault_of_our_own_does_not_end_the_view() -> None:
    warehouse = Warehouse()
    watch = Watch(warehouse.look, every_seconds=60)
    watch.first_look()
    warehouse.away = KeyError()
    watch.look_again()
    assert watch.sight.reason == "KeyError"


def test_the_first_look_fails_as_any_command_does() -> None:
    warehouse = Warehouse()
    warehouse.away = WarehouseUnreachable("here", "gone")
    with pytest.raises(WarehouseUnreachable):
        Watch(warehouse.look, every_seconds=60).first_look()


def test_in_lines_each_look_is_written_once_until_it_is_stopped() -> None:
    stop, written = Event(), list[Any]()

    def write(sight: Sight[int]) -> None:
        written.append(sight.latest)
        if len(written) == 3:
            stop.set()

    watch = Watch(Warehouse().look, every_seconds=0.01)
    watch.first_look()
    watch.start()
    watch_in_lines(watch, write, stop)
    assert watch.stop()
    assert written == sorted(set(written))
    assert written[0] == 1
