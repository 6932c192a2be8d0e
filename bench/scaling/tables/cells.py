"""What stands in a cell, and how cells become a table of Markdown."""

from collections.abc import Iterable, Sequence


def percent(share: float) -> str:
    if share >= 0.1 or not share:
        return f"{share * 100:.0f} %"
    return f"{share * 100:.2g} %"


def rounded(value: float) -> str:
    """Three digits: more would promise too much."""
    return f"{float(f'{value:.3g}'):,.0f}"


def in_bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{float(f'{count / size:.3g}'):,.10g} {unit}"
    return f"{count / 1e6:.0f} MB"


def duration(days: float) -> str:
    if days >= 2 * 365:
        return f"{days / 365:.0f} years"
    if days >= 2:
        return f"{rounded(days)} days"
    return f"{days * 24:.0f} hours" if days >= 2 / 24 else f"{days * 1440:.0f} minutes"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    rule = ["---:" if side == "r" else "---" for side in align]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))
