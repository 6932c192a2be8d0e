"""Whose memory a bench tells of, and how much of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.harness import Options, in_turns
from bench.memory import Memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="told on Linux only")

HELD_MIB = 96
_BUSY = "deadline = time.process_time() + 0.6\nwhile time.process_time() < deadline: pass"
_HOLD = f"import sys, time; held = bytearray(b'1') * ({HELD_MIB} << 20)"


@pytest.fixture
def idle() -> Iterator[None]:
    """A process that is there, and does nothing."""
    command = [sys.executable, "-c", f"{_HOLD}; print(flush=True); sys.stdin.read()", "caves ingest"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield
    process.communicate()


def hold_and_work() -> float:
    command = [sys.executable, "-c", f"{_HOLD}\n{_BUSY}", "bench/peers/none.py"]
    return float(subprocess.run(command, check=True).returncode)


@pytest.mark.usefixtures("idle")
def test_a_contestant_is_told_by_the_processes_that_worked_in_its_turns() -> None:
    options = Options(runs=1)
    in_turns({"peer": hold_and_work}, options)
    found = options.memory.peaks["peer"]
    assert HELD_MIB <= found["peer"] < 2 * HELD_MIB
    assert "ingestor" not in found


def test_a_peak_stays_that_of_the_highest_turn() -> None:
    memory = Memory()
    for held in (b"1" * (HELD_MIB << 20), b""):
        with memory.of("ours"):
            assert sum(range(1_000_000)) + len(held)
    first = memory.peaks["ours"]["bench"]
    del held
    with memory.of("ours"):
        assert sum(range(1_000_000))
    assert memory.peaks["ours"]["bench"] == first >= HELD_MIB
