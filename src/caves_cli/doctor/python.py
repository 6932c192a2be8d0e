"""The interpreter, and the packages beside it."""

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from caves_cli.doctor.finding import Finding, ok, problem, skipped, warning

_PACKAGE: Final = "caves-snowpark"
_OLDEST: Final = (3, 11)
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_REQUIRED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(==\S+)?")
_SHOWN: Final = 3


def checks(root: Path | None) -> Iterator[Finding]:
    yield python_version(sys.version_info[:3])
    yield packages(root)


def python_version(version: tuple[int, int, int]) -> Finding:
    text = ".".join(map(str, version))
    if version < _OLDEST:
        return problem("Python", f"{text}; 3.11 or later is needed", "make install PYTHON=python3.11")
    return ok("Python", f"{text} at {sys.executable}")


def packages(root: Path | None) -> Finding:
    """What is installed against constraints.txt. Only packages that are required exactly are a problem."""
    pins = root / "constraints.txt" if root else None
    if pins is None or not pins.is_file():
        return skipped("Packages", "no constraints.txt here to compare with")
    pinned = {_key(name): version for name, version in _PIN.findall(pins.read_text(encoding="utf-8"))}
    return compared(pinned, _installed(), metadata.requires(_PACKAGE) or [])


def compared(pinned: Mapping[str, str], installed: Mapping[str, str], requires: list[str]) -> Finding:
    needed = {_key(match[1]): bool(match[2]) for each in requires if (match := _REQUIRED.match(each))}
    if missing := sorted(needed.keys() - installed.keys()):
        return problem("Packages", f"not installed: {_some(missing)}", "make install")
    other = {
        name: f"{name} {installed[name]} instead of {version}"
        for name, version in sorted(pinned.items())
        if installed.get(name, version) != version
    }
    exact = [text for name, text in other.items() if needed.get(name)]
    if exact:
        return problem("Packages", _some(exact), "make install")
    if other:
        return warning("Packages", f"not as pinned: {_some(list(other.values()))}", "make install")
    return ok("Packages", f"{len(needed)} required, all as pinned")


def _installed() -> dict[str, str]:
    return {_key(each.metadata["Name"]): each.version for each in metadata.distributions()}


def _key(name: str) -> str:
    # https://packaging.python.org/en/latest/specifications/name-normalization/
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
