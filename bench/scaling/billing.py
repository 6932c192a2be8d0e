"""What a warehouse costs that is resumed by work and suspended when it has had none for a while."""

from collections.abc import Iterable

from bench.scaling.parameters import LEAST_BILLED_SECONDS, SUSPEND_SECONDS

Busy = tuple[float, float]
"""From when to when something runs, in seconds."""


def billed_seconds(work: Iterable[Busy], suspend_after: float = SUSPEND_SECONDS.value) -> float:
    """The seconds that are billed: from each resume until nothing has run for `suspend_after`.

    The simulation suspends to the second, which Snowflake does not promise.
    """
    total, resumed, busy_until = 0.0, None, 0.0
    for begin, end in sorted(work):
        if resumed is not None and begin > busy_until + suspend_after:
            total += _billed(resumed, busy_until + suspend_after)
            resumed = None
        if resumed is None:
            resumed, busy_until = begin, end
        busy_until = max(busy_until, end)
    return total if resumed is None else total + _billed(resumed, busy_until + suspend_after)


def _billed(resumed: float, suspended: float) -> float:
    return max(LEAST_BILLED_SECONDS.value, suspended - resumed)
