"""The licence of everything that is installed, from its own metadata, and which of them we may use.

The project is under Apache-2.0. What runs with it must be under a licence that lets it be used and passed on
beside Apache-2.0 code; what only helps to develop it may be under any open licence, since it is run and never
passed on. `python -m tests.supply_chain.licences` prints the table and fails at what neither holds for.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "licences.md"
PROJECT: Final = "caves-snowpark"
# Permissive, or (MPL) with conditions on changes to its own files alone, which we do not make.
COMPATIBLE: Final = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|CNRI|Zlib|0BSD|CC0|HPND|Unlicense|MPL|Mozilla",
    re.IGNORECASE,
)
STRONG: Final = re.compile(r"(?<!L)GPL|AGPL|Affero|SSPL|Commons Clause|BUSL", re.IGNORECASE)
# Metadata that says nothing, and what the package's own licence file says.
TOLD: Final = {"promql-parser": "MIT"}


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    runs_with_us: bool

    @property
    def allowed(self) -> bool:
        if not self.runs_with_us:
            return bool(self.licence)
        return bool(COMPATIBLE.search(self.licence)) and not STRONG.search(self.licence)


def packages() -> list[Package]:
    """Every installed distribution but the project itself and what installs, by name."""
    with_us = set(_needed(PROJECT))
    found = {
        canonicalize_name(each.name): each
        for each in metadata.distributions()
        if canonicalize_name(each.name) in _pinned()
    }
    return [
        Package(name, each.version, licence_of(each), name in with_us) for name, each in sorted(found.items())
    ]


def licence_of(distribution: metadata.Distribution) -> str:
    """The SPDX expression, else the classifiers, else the first line of the licence field."""
    told = message_from_string(str(distribution.read_text("METADATA")))
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [
        classifier.rpartition(" :: ")[2]
        for classifier in told.get_all("Classifier") or []
        if classifier.startswith("License :: ") and not classifier.endswith("OSI Approved")
    ]
    written = (told.get("License") or "").strip().splitlines()
    if classified:
        return ", ".join(classified)
    return written[0] if written else TOLD.get(canonicalize_name(distribution.name), "")


def page() -> str:
    """docs/reference/licences.md."""
    lines = [
        "# Licences",
        "",
        "What the pinned packages say of themselves; `make licences` writes it anew and checks it. The",
        "project is under Apache-2.0. What runs with it is under a licence that goes with that; what is for",
        "development alone is run and never passed on.",
        "",
        "| package | version | licence | for |",
        "| --- | --- | --- | --- |",
    ]
    for package in packages():
        purpose = "running" if package.runs_with_us else "development"
        lines.append(f"| {package.name} | {package.version} | {package.licence} | {purpose} |")
    return "\n".join(lines) + "\n"


def _pinned() -> set[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}


def _needed(name: str, extras: frozenset[str] = frozenset(), seen: set[str] | None = None) -> Iterator[str]:
    """What a distribution needs to run, and what that needs in turn."""
    seen = set() if seen is None else seen
    try:
        requires = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for text in requires:
        requirement = Requirement(text)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        needed = canonicalize_name(requirement.name)
        if wanted and needed not in seen:
            seen.add(needed)
            yield needed
            yield from _needed(needed, frozenset(requirement.extras), seen)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(page())  # noqa: T201 - a command
    refused = [package for package in packages() if not package.allowed]
    for package in refused:
        question = f"{package.name}: may we use {package.licence or 'a licence that nobody told'}?"
        print(question, file=sys.stderr)  # noqa: T201
    sys.exit(bool(refused))
