"""Checking the invariants on a warehouse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from snowflake.connector import SnowflakeConnection

from caves_snowpark.invariants import Invariant, invariants

# Enough to see the pattern of a fault and to look the rows up; the count says how many there are.
NAMED_OFFENDERS: Final = 5
_COUNTED_OFFENDERS: Final = 10_000
# An invariant reads whole tables: without a limit of its own it would be cut off at the network's timeout.
_LONGEST_SECONDS: Final = 3_600


@dataclass(frozen=True)
class Verdict:
    """One invariant, and what breaks it."""

    invariant: Invariant
    offenders: tuple[tuple[str, str], ...]

    @property
    def holds(self) -> bool:
        return not self.offenders

    @property
    def count(self) -> str:
        number = len(self.offenders)
        return f"{number:,} or more" if number >= _COUNTED_OFFENDERS else f"{number:,}"

    def as_json(self) -> dict[str, Any]:
        named = [{"offender": key, "problem": problem} for key, problem in self.offenders[:NAMED_OFFENDERS]]
        return {"holds": self.holds, "offenders": len(self.offenders), "examples": named}


def verify(
    connection: SnowflakeConnection, begin: Callable[[Invariant], None] = lambda _: None
) -> list[Verdict]:
    """Every invariant, each in one statement and so on one state of the data; `begin` is told of each."""
    verdicts = []
    for invariant in invariants():
        begin(invariant)
        verdicts.append(Verdict(invariant, _offenders(connection, invariant.sql)))
    return verdicts


def _offenders(connection: SnowflakeConnection, sql: str) -> tuple[tuple[str, str], ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, timeout=_LONGEST_SECONDS)
        return tuple((str(row[0]), str(row[1])) for row in cursor.fetchmany(_COUNTED_OFFENDERS))
