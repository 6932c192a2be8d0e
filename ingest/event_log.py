"""What the log says of a running ingestor: a line for each fact worth one."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ingest.errors import IngestError
from ingest.logs import COLUMNS, tell
from ingest.observer import BatchReport, Observer

_TIME: Final = "HH:MM:SS "
# For a list inside a sentence, so that the line stays within its columns.
_NAMES_ROOM: Final = 36


class EventLog(Observer):
    """Writes a line for what happens: each batch, retry, rebalance, pause, gap and fence."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._owned: frozenset[int] = frozenset()
        self._paused: frozenset[int] = frozenset()
        self._offsets: dict[int, int] = {}
        self._lag: dict[int, int] = {}
        self._failed_attempts = 0

    def offsets_read(self, offsets: Mapping[int, int]) -> None:
        self._offsets.update(offsets)
        self._failed_attempts = 0
        each = (f"{partition}: {offset}" for partition, offset in sorted(offsets.items()))
        if offsets:
            text = f"reading on from {_together(each, _NAMES_ROOM)}"
            self._tell(logging.INFO, "reading_on", text, offsets=_by_name(offsets))

    def batch_committed(self, report: BatchReport) -> None:
        self._failed_attempts = 0
        spans = {
            partition: (report.first_offsets.get(partition, self._offsets.get(partition)), end)
            for partition, end in sorted(report.next_offsets.items())
        }
        self._offsets.update(report.next_offsets)
        lag = sum(self._lag.values()) if self._lag else None
        text = f"{report.rows:,} rows, {_size(report.payload_bytes)} in {report.seconds:.2f} s"
        text += f", lag {lag:,}; " if lag is not None else "; "
        each = (f"{partition}: {_number(start)}-{end}" for partition, (start, end) in spans.items())
        self._tell(
            logging.INFO,
            "batch",
            text + _together(each, COLUMNS - len(_TIME) - len(text)),
            rows=report.rows,
            bytes=report.payload_bytes,
            seconds=round(report.seconds, 3),
            batch_seconds=round(report.batch_seconds, 3),
            total_rows=report.total_rows,
            lag=lag,
            partitions={str(partition): {"from": a, "to": b} for partition, (a, b) in spans.items()},
        )

    def retried(self, error: IngestError) -> None:
        self._failed_attempts += 1
        self._tell(
            logging.WARNING,
            "retry",
            f"attempt {self._failed_attempts} failed: {error}",
            reason=type(error).__name__,
            attempt=self._failed_attempts,
        )

    def partitions_owned(self, partitions: frozenset[int]) -> None:
        gained, lost = partitions - self._owned, self._owned - partitions
        self._owned = partitions
        for partition in lost:
            self._lag.pop(partition, None)
            self._offsets.pop(partition, None)
        if gained or lost:
            text = f"partitions now {_ranges(partitions)}: {len(gained)} came, {len(lost)} left"
            facts = {"partitions": partitions, "gained": gained, "lost": lost}
            self._tell(
                logging.INFO, "rebalance", text, **{name: sorted(part) for name, part in facts.items()}
            )

    def paused(self, partitions: frozenset[int]) -> None:
        if partitions != self._paused:
            self._paused = partitions
            text = f"the buffer is full: partitions {_ranges(partitions)} rest"
            self._tell(
                logging.INFO,
                "paused" if partitions else "resumed",
                text if partitions else "the buffer has room: reading goes on",
                partitions=sorted(partitions),
            )

    def lag(self, partition: int, messages: int) -> None:
        if partition in self._owned:
            self._lag[partition] = messages

    def gap_recorded(self, partition: int, offsets: int | None, reason: str) -> None:
        # A hole that the broker left is its own business; a jump to another offset is somebody's decision.
        hole = reason == "NOT_IN_LOG"
        self._tell(
            logging.INFO if hole else logging.WARNING,
            "gap" if hole else "reset",
            f"partition {partition}: {_number(offsets)} offsets will never be loaded ({reason})",
            partition=partition,
            offsets=offsets,
            reason=reason,
        )

    def fenced(self, error: IngestError) -> None:
        text = f"fenced, reading goes on from what is stored: {error}"
        self._tell(logging.WARNING, "fenced", text)

    def _tell(self, level: int, event: str, text: str, **fields: Any) -> None:
        tell(level, event, text, topic=self._topic, **fields)


def _by_name(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in sorted(offsets.items())}


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _size(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _together(partitions: Iterable[str], room: int) -> str:
    """As many as there is room for, and how many more there are; their number where not one fits."""
    left = list(partitions)
    if len(text := ", ".join(left)) <= room:
        return text
    room -= len(f", +{len(left)}")
    shown: list[str] = []
    for partition in left:
        room -= len(partition) + len(", ")
        if room < -len(", "):
            break
        shown.append(partition)
    return f"{', '.join(shown)}, +{len(left) - len(shown)}" if shown else f"{len(left)} partitions"


def _ranges(partitions: Iterable[int]) -> str:
    """0-3, 7; a word where there are none."""
    runs: list[list[int]] = []
    for partition in sorted(partitions):
        if runs and partition == runs[-1][1] + 1:
            runs[-1][1] = partition
        else:
            runs.append([partition, partition])
    return _together((str(a) if a == b else f"{a}-{b}" for a, b in runs), _NAMES_ROOM) or "none"
