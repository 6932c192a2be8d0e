"""The model behind docs/scaling.md: billing, partitions, history and cost."""

import ast
from pathlib import Path

import pytest

from bench.scaling import cost, parameters
from bench.scaling.billing import Busy, billed_seconds
from bench.scaling.capacity import ingestors_for, rate_of_one
from bench.scaling.cost import SETUPS, Setup, day
from bench.scaling.events import murmur2, spread
from bench.scaling.history import most_events_kept, pruned, reached, scan_seconds, scans, size_for
from caves_snowpark import names

MODULES = Path(cost.__file__).parent


@pytest.mark.parametrize(
    ("work", "suspend_after", "seconds"),
    [
        ([], 60, 0),
        ([(0, 5)], 60, 65),
        # A resume costs a minute, however short the work.
        ([(0, 5)], 0, 60),
        ([(0, 100)], 0, 100),
        # 50 seconds of nothing are billed; 100 are not, but the next resume begins anew.
        ([(0, 10), (60, 70)], 60, 130),
        ([(0, 10), (110, 120)], 60, 140),
        ([(0, 10), (110, 120)], 0, 120),
        # One runs beside another, and in any order.
        ([(5, 10), (0, 100)], 0, 100),
    ],
)
def test_a_warehouse_is_billed_from_its_resume_until_it_was_idle(
    work: list[Busy], suspend_after: float, seconds: float
) -> None:
    assert billed_seconds(work, suspend_after) == seconds


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"abc", 479470107),
    ],
)
def test_a_key_is_hashed_as_kafka_does(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF


def test_one_partition_has_every_event_and_many_have_no_more_than_there_are_products() -> None:
    assert (spread(1).used, spread(1).busiest_share) == (1, 1.0)
    assert spread(10_000).used <= 200


def test_the_rate_of_an_ingestor_is_the_measured_one_at_the_measured_batch() -> None:
    assert rate_of_one(parameters.BATCH_ROWS.value) == pytest.approx(parameters.ONE_INGESTOR.value)
    assert ingestors_for(parameters.ONE_INGESTOR.value) == 1
    assert ingestors_for(parameters.FOUR_INGESTORS.value) == 4


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_a_day_costs_no_less_with_more_events_or_with_slower_work(setup: Setup) -> None:
    found = [day(setup, rate) for rate in (10, 2_000, 100_000)]
    used = [each.credits for each in found if each is not None]
    assert len(used) == 3
    assert used == sorted(used)
    slower, faster = day(setup, 100_000, 2.0), day(setup, 100_000, 0.5)
    assert slower is not None
    assert faster is not None
    assert faster.credits <= used[2] <= slower.credits


def test_a_warehouse_that_never_rests_costs_its_size_for_a_day() -> None:
    found = day(SETUPS[0], 10)
    assert found is not None
    assert (found.size, found.credits) == ("XS", 24.0)


def test_a_serverless_task_has_a_largest_size() -> None:
    assert day(SETUPS[3], 1_000_000) is None


def test_a_size_up_bears_twice_the_history() -> None:
    assert most_events_kept("S") == pytest.approx(2 * most_events_kept("XS"))
    assert size_for(most_events_kept("XL")) == "XL"
    assert size_for(10**15) is None
    # What is left of 80 % of a minute beside the fixed part of a tick.
    assert scan_seconds(most_events_kept("XS")) == pytest.approx(36)


def test_each_scan_is_of_a_procedure_that_there_is() -> None:
    assert {each.procedure for each in scans()} <= {name.rpartition(".")[2] for name in names.PROCEDURES}


def test_random_keys_reach_one_micro_partition_or_all() -> None:
    assert reached(1, 100) == pytest.approx(0.01)
    assert reached(10_000, 10) == pytest.approx(1.0)


def test_late_events_spoil_the_order_of_loading_and_a_clustering_key_mends_it() -> None:
    punctual, late = pruned(0.0, 100_000), pruned(0.00001, 100_000)
    assert punctual.as_loaded < 0.01
    assert late.as_loaded > 0.5
    assert late.by_hour < late.by_day < 0.1


def test_every_parameter_is_put_to_use() -> None:
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in MODULES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and path.stem != "parameters")
    }
    named = {name for name, value in vars(parameters).items() if isinstance(value, parameters.Parameter)}
    assert named <= used
