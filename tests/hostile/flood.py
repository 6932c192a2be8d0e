"""A flood of messages, valid and hostile, through the real path; who is accounted for, and what it cost.

Every second tick is all valid and the others hold the hostile share, so that one run tells what the hostile
part costs beside the valid one.
"""

import logging
import time
from collections import Counter
from dataclasses import dataclass, field

from caves_cli.verification import verify
from ingest.connections import connect
from tests.engines.engine import Snowcellar
from tests.hostile import path
from tests.hostile.fuzzer import Fuzzer
from tests.hostile.oracle import Verdict

log = logging.getLogger(__name__)

PARTITIONS = 4


@dataclass
class Part:
    """The ticks of one kind: what went through, and how long it took."""

    messages: int = 0
    hostile: int = 0
    payload_bytes: int = 0
    load_seconds: float = 0.0
    procedure_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        return self.load_seconds + self.procedure_seconds


@dataclass
class Flood:
    """What a run sent, what became of it, and what it cost."""

    seed: int
    valid: Part = field(default_factory=Part)
    mixed: Part = field(default_factory=Part)
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[object] = field(default_factory=list)
    broken_invariants: list[str] = field(default_factory=list)
    raw_rows: int = 0

    @property
    def messages(self) -> int:
        return self.valid.messages + self.mixed.messages

    @property
    def cost_of_a_hostile_message(self) -> float:
        """Seconds of a hostile message for each second of a valid one."""
        of_valid = self.valid.seconds / self.valid.messages
        of_hostile = self.mixed.seconds - (self.mixed.messages - self.mixed.hostile) * of_valid
        return of_hostile / self.mixed.hostile / of_valid

    @property
    def cost_of_a_mixed_byte(self) -> float:
        """Seconds for a byte of the mixed ticks, for each second for a byte of the valid ones."""
        mixed, valid = self.mixed, self.valid
        return (mixed.seconds / mixed.payload_bytes) / (valid.seconds / valid.payload_bytes)

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.messages:,} messages, {self.mixed.hostile:,} of them hostile"]
        for name, part in (("valid ticks", self.valid), ("mixed ticks", self.mixed)):
            lines.append(
                f"{name}: {part.messages:,} messages, {part.payload_bytes / 1e6:.1f} MB, "
                f"load {part.load_seconds:.1f} s, procedures {part.procedure_seconds:.1f} s, "
                f"{part.messages / part.seconds:,.0f} messages/s, "
                f"{part.payload_bytes / part.seconds / 1e6:.2f} MB/s"
            )
        lines.append(f"a hostile message costs {self.cost_of_a_hostile_message:.2f} valid ones")
        lines.append(f"a byte of the mixed ticks costs {self.cost_of_a_mixed_byte:.2f} of the valid ones")
        lines.append(f"sent, by outcome: {dict(self.outcomes.most_common())}")
        lines.append(f"sent, by kind: {dict(self.kinds.most_common())}")
        lines.append(f"rows in RAW: {self.raw_rows:,}; not where they belong: {len(self.wrong)}")
        lines.append(f"broken invariants: {self.broken_invariants or 'none'}")
        return "\n".join(lines)


def flood(
    engine: Snowcellar, bootstrap: str, topic: str, *, events: int, seed: int, tick: int, share: float
) -> Flood:
    """Send so many messages in ticks, and look at each tick's as soon as it has flowed through."""
    fuzzer, result = Fuzzer(seed), Flood(seed)
    # The first run of each statement is translated: once, and no part of what a message costs.
    path.tick(engine)
    ends = [0] * PARTITIONS
    sent = 0
    while sent < events:
        mixed = (sent // tick) % 2 == 1
        count = min(tick, events - sent)
        # A tick goes to one partition, so that a repeat stands after what it repeats.
        partition = (sent // tick) % PARTITIONS
        entries = list(fuzzer.entries(count, 2 * share if mixed else 0.0))
        path.produce(bootstrap, topic, entries, partition)
        part = result.mixed if mixed else result.valid
        part.messages += count
        part.hostile += sum(entry.name != "valid" for entry in entries)
        part.payload_bytes += sum(len(entry.value or b"") for entry in entries)
        part.load_seconds += sum(report.seconds for report in path.load(bootstrap, topic, engine))
        begun = time.monotonic()
        path.tick(engine)
        part.procedure_seconds += time.monotonic() - begun
        result.outcomes.update(entry.lands for entry in entries)
        result.kinds.update(entry.name for entry in entries)
        expected = [
            ((partition, ends[partition] + number), Verdict(entry.lands, frozenset(entry.reasons)))
            for number, entry in enumerate(entries)
        ]
        found = path.landed(engine, topic, partition, ends[partition])
        result.wrong += path.wrongly_landed(expected, found)
        result.wrong += [place for place in found if place[1] >= ends[partition] + count]
        ends[partition] += count
        sent += count
        log.info("%s of %s messages have flowed through", sent, events)
    [[result.raw_rows]] = engine.session.sql("SELECT COUNT(*) FROM RAW_DATA.RAW_EVENTS_STREAM").collect()
    connection = connect("local", engine.config)
    try:
        result.broken_invariants = [str(each.invariant) for each in verify(connection) if not each.holds]
    finally:
        connection.close()
    return result
