"""The seven invariants as SQL: each file selects what breaks one, so no row means that it holds.

They are right at any moment: a row that waits in a stream is not yet processed, and counts as such. Selecting
from a stream does not consume it.
"""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Invariant:
    """One of the seven."""

    number: int
    name: str
    sql: str

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


def invariants() -> list[Invariant]:
    """In the order of their numbers."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".sql")]
    return sorted((_invariant(entry.name, entry.read_text(encoding="utf-8")) for entry in found), key=_number)


def _invariant(file_name: str, sql: str) -> Invariant:
    number, _, name = file_name.removesuffix(".sql").partition("_")
    return Invariant(int(number), name, sql)


def _number(invariant: Invariant) -> int:
    return invariant.number
