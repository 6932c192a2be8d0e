"""docs/performance.md: the words of bench/page.md, with the figures of bench/results/ in their places.

python -m bench.page
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from bench import plot
from bench.harness import OURS

_ROOT: Final = Path(__file__).parents[1]
_WORDS: Final = Path(__file__).with_name("page.md")
RESULTS: Final = Path(__file__).with_name("results")
PAGE: Final = _ROOT / "docs" / "performance.md"
_IMAGES: Final = _ROOT / "docs" / "images"
# Where the figures of a bench go.
_PLACE: Final = re.compile(r"^<!-- figures: (\w+) -->$", re.MULTILINE)
_VERDICTS: Final = {True: "met", False: "**not met**"}


class NoPlace(Exception):
    """The words have no place for figures that there are."""


def write() -> None:
    """Write the page and its pictures."""
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")


def files() -> dict[Path, str]:
    """The page and its pictures, as they must be for the results that there are."""
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}
    words = _WORDS.read_text(encoding="utf-8")
    if homeless := results.keys() - set(_PLACE.findall(words)):
        raise NoPlace(f"bench/page.md has no place for the figures of {', '.join(sorted(homeless))}")
    found = {PAGE: _PLACE.sub(lambda place: _shown(place[1], results), words)}
    for name, result in results.items():
        found[_picture(name)] = plot.svg(result["comparisons"])
    return found


def _shown(name: str, results: dict[str, Any]) -> str:
    return figures(results[name]) if name in results else f"*Not measured yet: `caves bench {name}`.*"


def figures(result: dict[str, Any]) -> str:
    """The tables of a bench, its picture, and what it was measured on."""
    tables = "\n\n".join(map(_table, result["comparisons"]))
    picture = f"![{result['bench']}](images/{_picture(result['bench']).name})"
    parts = (tables, picture, _memory(result.get("memory_mib", {})), _measured(result))
    return "\n\n".join(part for part in parts if part)


def _memory(peaks: dict[str, dict[str, int]]) -> str:
    """A line for each contestant, a column for each kind of process."""
    kinds = list(dict.fromkeys(kind for found in peaks.values() for kind in found))
    if not kinds:
        return ""
    rows = {
        name: {kind: f"{found[kind]:,}" if kind in found else "" for kind in kinds}
        for name, found in peaks.items()
    }
    return f"Private memory of the processes at work, at its peak, in MiB:\n\n{_columns(rows)}"


def _picture(name: str) -> Path:
    return _IMAGES / f"performance-{name}.svg"


def _table(comparison: dict[str, Any]) -> str:
    lines = [
        f"**{comparison['work']}**, in {comparison['unit']}",
        "",
        "| | median | lowest | highest | ours to it | target | |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    targets = {entry["beside"]: entry for entry in comparison["targets"]}
    for name, numbers in comparison["figures"].items():
        shown = [plot.figure(numbers[what]) for what in ("median", "lowest", "highest")]
        ratio = f"{numbers['ours_to_it']:.3g}" if "ours_to_it" in numbers else ""
        target = targets.get(name)
        verdict = (target["target"], _VERDICTS[target["met"]]) if target else ("", "")
        cells = [f"**{name}**" if name == OURS else name, *shown, ratio, *verdict]
        lines.append(f"| {' | '.join(cells)} |")
    if facts := comparison["facts"]:
        lines += ["", _besides(facts)]
    return "\n".join(lines)


def _besides(facts: dict[str, Any]) -> str:
    """A sentence; or a table, where facts have several columns."""
    if not all(isinstance(value, dict) for value in facts.values()):
        return f"Besides: {', '.join(f'{_words(what)}: {value}' for what, value in facts.items())}."
    return _columns(facts)


def _columns(rows: dict[str, dict[str, Any]]) -> str:
    columns = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(map(_words, columns))} |", f"| --- |{' ---: |' * len(columns)}"]
    for what, values in rows.items():
        lines.append(f"| {_words(what)} | {' | '.join(cell(values[column]) for column in columns)} |")
    return "\n".join(lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


def cell(value: Any) -> str:
    """A fact as a table shows it: a verdict in words."""
    return _VERDICTS[value] if isinstance(value, bool) else str(value)


def _measured(result: dict[str, Any]) -> str:
    machine = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    parts = (
        f"{machine['date']}, commit `{machine['commit']}`{_taken(machine)}",
        f"{result['runs']} run{'s' * (result['runs'] > 1)} of each, at {result['scale']:g} of the full work",
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, load {machine['load_at_start']} before",
        f"{machine['system']}, Python {machine['python']}",
        packages,
    )
    return f"*{'; '.join(parts)}.*"


def _taken(machine: dict[str, Any]) -> str:
    return f", {max(1, round(machine['seconds'] / 60))} min in all" if "seconds" in machine else ""


if __name__ == "__main__":
    write()
