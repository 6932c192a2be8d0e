"""What one check came to."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How much it matters."""

    OK = "ok"
    # Works, and will or may not: worth a look.
    WARNING = "warning"
    # Something that was asked for cannot work.
    PROBLEM = "problem"
    # Not needed here, or not to be seen before another problem is mended.
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One check: what was found and, where something is to be done, the command that does it."""

    check: str
    verdict: Verdict
    found: str
    mend: str | None = None


def ok(check: str, found: str) -> Finding:
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, mend: str) -> Finding:
    return Finding(check, Verdict.WARNING, found, mend)


def problem(check: str, found: str, mend: str) -> Finding:
    return Finding(check, Verdict.PROBLEM, found, mend)


def skipped(check: str, why: str) -> Finding:
    return Finding(check, Verdict.SKIPPED, why)
