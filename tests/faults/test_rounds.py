"""The fault runner: it repeats a round from its seed, and above all it fails when the pipeline is wrong."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from caves_snowpark import names
from tests.faults import report, rounds, world
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.rounds import Outcome, Plan
from tests.faults.world import World

ROOT = Path(__file__).parents[2]
# An ingestor whose every statement is a transaction of its own: rows and offsets do not move together.
CARELESS = """
import caves_cli.main as caves
from ingest.session import Result, WarehouseSession
run = WarehouseSession.run
WarehouseSession.run = lambda self, statement, *more, **named: (
    Result([], 0) if statement == "BEGIN" else run(self, statement, *more, **named)
)
caves.main()
"""


def a_plan(*faults: Fault, seed: int = 1, ingestors: int = 1) -> Plan:
    return Plan(seed, faults, ingestors, ingestors == 1, 400, 1.0, 0.6, 0.2)


def row_lost(broken: World, _: Random) -> Iterator[None]:
    """What a sink would do that forgets a message."""
    yield
    place = "EVENT_METADATA:offset::NUMBER(38, 0) = 2 AND EVENT_METADATA:partition::NUMBER(38, 0) = 0"
    broken.ask(f"DELETE FROM {names.RAW_EVENTS} WHERE {place}")


def cent_lost(broken: World, _: Random) -> Iterator[None]:
    """An order that is a cent short."""
    yield
    one = f"ORDER_ID = (SELECT MIN(ORDER_ID) FROM {names.ORDERS})"
    broken.ask(f"UPDATE {names.ORDERS} SET TOTAL_AMOUNT = TOTAL_AMOUNT - 0.01 WHERE {one}")


def test_a_seed_gives_the_same_round_again_and_all_faults_have_their_turn() -> None:
    choice = list(FAULTS.values())
    plans = [rounds.plan(seed, choice) for seed in range(200)]
    assert plans == [rounds.plan(seed, choice) for seed in range(200)]
    assert {planned.faults[0].name for planned in plans} == set(FAULTS)
    assert any(len(planned.faults) == 2 for planned in plans)
    for planned in plans:
        assert planned.ingestors >= max(fault.ingestors for fault in planned.faults)
        assert not (len(planned.faults) == 2 and any(fault.alone for fault in planned.faults))


def test_every_fault_says_in_one_line_what_it_does() -> None:
    assert all(re.fullmatch(r"[^\n]+\.", fault.says) for fault in FAULTS.values())
    assert all(len(name) <= 24 for name in FAULTS)


def test_table_counts_rounds_and_passes_by_fault() -> None:
    first, second = FAULTS["zombie"], FAULTS["redeployed"]
    outcomes = [Outcome(a_plan(first), 1.0), Outcome(a_plan(first, second), 1.0, ("broken",))]
    assert [(line.fault, line.rounds, line.passes) for line in report.lines(outcomes)] == [
        ("zombie", 2, 1),
        ("redeployed", 1, 0),
    ]
    assert max(map(len, report.table(outcomes).splitlines())) <= 80


def test_unknown_or_impossible_fault_is_told_before_anything_starts() -> None:
    command = [sys.executable, "-m", "tests.faults", "--only"]
    unknown = subprocess.run([*command, "earthquake"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "There is no fault earthquake; there are: ingestor-killed" in unknown.stderr
    three = subprocess.run(
        [*command, "leader-changed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "not possible with BROKER=kafka NODES=1" in three.stderr


@pytest.mark.exhaustive
def test_sound_pipeline_passes_and_broken_ones_fail(tmp_path: Path) -> None:
    with world.running("embedded", tmp_path, nodes=1) as alive:
        sound = rounds.carry_out(a_plan(FAULTS["answer-lost"], FAULTS["batch-redelivered"]), alive)
        assert sound.problems == ()
        # PITFALLS 20 and 22: rows and offsets are not one transaction.
        alive.program = ("-c", CARELESS)
        alive.staff(0)
        careless = rounds.carry_out(a_plan(FAULTS["killed-in-a-load"], seed=2), alive)
        assert any("doubled" in problem for problem in careless.problems)
        broken = Fault("row-lost", "", row_lost), Fault("cent-lost", "", cent_lost)
        told = "\n".join(rounds.carry_out(a_plan(*broken, seed=3), alive).problems)
    assert "1 lost: [(0, 2)]" in told
    assert "invariant 1, raw_holds_every_message_once" in told
    assert "invariant 6, money_is_exact_to_the_cent" in told
    assert re.search(r"truth: revenue_cents is \d+ and must be \d+", told)


@pytest.mark.kafka
def test_rounds_of_fixed_seeds_pass(kafka_is_here: None, tmp_path: Path) -> None:
    pairs = [("broker-killed", "answer-lost-for-long"), ("worker-killed", "ingestor-joins")]
    with world.running("kafka", tmp_path, nodes=1) as alive:
        for seed, pair in enumerate(pairs, start=1):
            planned = a_plan(*(FAULTS[name] for name in pair), seed=seed, ingestors=2)
            outcome = rounds.carry_out(planned, alive)
            assert outcome.problems == (), planned.name
