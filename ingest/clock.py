"""When events happen, and how that is written.

A run depends on its start time and on nothing else that a clock says, so a run can be repeated to the byte.
"""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
HISTORY: Final = timedelta(days=7)

# Sales an hour, relative to one another, by the hour in Paris: people buy wine before dinner.
_HOUR_WEIGHTS: Final = (
    *(2, 1, 1, 1, 1, 1, 2, 4, 8, 16, 24, 30),  # midnight to noon
    *(28, 20, 20, 24, 30, 42, 52, 46, 30, 18, 10, 5),
)
_BIN_MS: Final = 600_000
_MINUTE_MS: Final = 60_000
_SECONDS: Final = tuple(b":%02d.%03d" % divmod(ms, 1000) for ms in range(_MINUTE_MS))
# A run over years of history would otherwise keep every minute's text.
_MAX_MINUTES: Final = 50_000


class Stamps:
    """Epoch milliseconds as ISO 8601 text, in UTC ("Z") or with the offset of Paris: both are legal."""

    def __init__(self) -> None:
        self._minutes: dict[int, tuple[bytes, bytes, bytes]] = {}

    def utc(self, ms: int) -> bytes:
        minute, rest = divmod(ms, _MINUTE_MS)
        return b"%b%bZ" % (self._minute(minute)[0], _SECONDS[rest])

    def paris(self, ms: int) -> bytes:
        minute, rest = divmod(ms, _MINUTE_MS)
        texts = self._minute(minute)
        return b"%b%b%b" % (texts[1], _SECONDS[rest], texts[2])

    def _minute(self, minute: int) -> tuple[bytes, bytes, bytes]:
        found = self._minutes.get(minute)
        if found is None:
            if len(self._minutes) >= _MAX_MINUTES:
                self._minutes.clear()
            found = self._minutes[minute] = _minute_texts(minute)
        return found


class Schedule:
    """The time of each event of a run, in order and never decreasing.

    With a rate, events follow the start at that rate, as a live shop's do. Without one the whole run is a
    past: its events spread over the seven days up to the start, busy and quiet hours as in a real shop.
    """

    def __init__(self, start: datetime, events: int, rate: float) -> None:
        self._start_ms = _epoch_ms(start)
        self._step_ms = 1000 / rate if rate else 1.0
        self._events = 0 if rate else events
        self._bins = _busy_bins(start) if self._events else []
        self._first_ms = _epoch_ms(start - HISTORY)
        self._bin = 0

    def at(self, index: int) -> int:
        """Epoch milliseconds of the event number `index`; to be asked in rising order."""
        if not self._events:
            return self._start_ms + int(index * self._step_ms)
        wanted = index * self._bins[-1] // self._events
        while self._bins[self._bin] <= wanted:
            self._bin += 1
        below = self._bins[self._bin - 1] if self._bin else 0
        inside = (wanted - below) * _BIN_MS // (self._bins[self._bin] - below)
        return self._first_ms + self._bin * _BIN_MS + inside


def _busy_bins(start: datetime) -> list[int]:
    """Cumulated weights of the ten-minute bins from a week before the start up to it."""
    first = start - HISTORY
    count = int(HISTORY.total_seconds() * 1000) // _BIN_MS
    hours = (
        (first + timedelta(milliseconds=_BIN_MS * number)).astimezone(PARIS).hour for number in range(count)
    )
    # Scaled up so that even a million events fall on distinct places within a bin.
    return list(accumulate(_HOUR_WEIGHTS[hour] * 10_000 for hour in hours))


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _minute_texts(minute: int) -> tuple[bytes, bytes, bytes]:
    utc = datetime.fromtimestamp(minute * 60, UTC)
    paris = utc.astimezone(PARIS).isoformat(timespec="minutes")
    return utc.isoformat(timespec="minutes")[:16].encode(), paris[:16].encode(), paris[16:].encode()
