"""The queries of the user's guide, word for word: its step 5, its step 6, and its look at the tasks."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Query:
    """One query and the title that stands over it."""

    name: str
    title: str
    sql: str


def queries() -> list[Query]:
    """In the guide's order."""
    found = sorted(
        (entry for entry in files(__name__).iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name
    )
    return [_query(entry.name, entry.read_text(encoding="utf-8")) for entry in found]


def _query(file_name: str, sql: str) -> Query:
    first = sql.splitlines()[0]
    name = file_name.removesuffix(".sql").partition("_")[2]
    title = (
        first.removeprefix("--").strip() if first.startswith("--") else name.replace("_", " ").capitalize()
    )
    return Query(name, title, sql.strip().rstrip(";"))
