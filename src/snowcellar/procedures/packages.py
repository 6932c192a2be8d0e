"""PACKAGES: what a procedure may import besides its own files and the standard library.

Snowflake installs the packages that a procedure names and what they need, and nothing else. Here everything
is already installed beside the server, so the closure of the named packages is computed from their metadata
and the worker's import guard refuses the rest.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

from snowcellar.errors import CompilationError

SNOWPARK = "snowflake-snowpark-python"
NAMESPACES = frozenset({"snowflake", "google"})
"""Top-level names that several distributions share: what lies below is allowed one by one."""


def check(packages: Iterable[str]) -> None:
    """Refuse a PACKAGES list that lacks Snowpark or names what is not here."""
    requirements = [_requirement(package) for package in packages]
    if SNOWPARK not in {_normal(requirement.name) for requirement in requirements}:
        raise CompilationError(
            f"Package '{SNOWPARK}' must be in the PACKAGES of a Python stored procedure.", 391528, "42601"
        )
    check_available(packages)


def check_available(packages: Iterable[str]) -> None:
    """Refuse a PACKAGES list that names what is not here."""
    for requirement in [_requirement(package) for package in packages]:
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            here = f"version {version} is" if version else "it is not"
            raise CompilationError(
                "Cannot create a Python function with the specified packages. Please check your packages "
                f"specification and try again. ('{requirement}': {here} installed beside snowcellar.)",
                391531,
                "42601",
            )


def _requirement(text: str) -> Requirement:
    try:
        # Conda's single '=' means the same as '=='.
        return Requirement(re.sub(r"(?<![=<>!~])=(?!=)", "==", text))
    except InvalidRequirement as error:
        raise CompilationError(
            f"Invalid package specification '{text}' in PACKAGES.", 391531, "42601"
        ) from error


def installed(packages: Iterable[str]) -> list[str]:
    """name==version of the packages and of all that they need, as DESCRIBE shows them."""
    names = _closure(tuple(sorted({_normal(_requirement(package).name) for package in packages})))
    return [f"{name}=={_version(name)}" for name in sorted(names)]


def distributions(packages: Iterable[str]) -> tuple[str, ...]:
    """The packages and all that they need, by normal name: what a worker is set up for."""
    return tuple(
        sorted(_closure(tuple(sorted({_normal(_requirement(package).name) for package in packages}))))
    )


def available() -> list[tuple[str, str]]:
    """(name, version) of all that PACKAGES may name; what is installed for editing is nobody's package."""
    found = {
        _normal(distribution.metadata["Name"]): distribution.version
        for distribution in importlib.metadata.distributions()
        if not _editable(distribution)
    }
    return sorted(found.items())


def _editable(distribution: importlib.metadata.Distribution) -> bool:
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


@functools.lru_cache
def modules(names: tuple[str, ...]) -> tuple[str, ...]:
    """The importable names of distributions; below a shared namespace with its second part."""
    found: set[str] = set()
    for name in names:
        for file in importlib.metadata.distribution(name).files or ():
            if importable := _module(file):
                found.add(importable)
    return tuple(sorted(found))


def _module(file: PurePosixPath) -> str | None:
    parts = file.parts
    if file.suffix not in (".py", ".so", ".pyd") or parts[0] in ("..", "/"):
        return None
    first = parts[0].split(".")[0]
    if first in NAMESPACES:
        return f"{first}.{parts[1].split('.')[0]}" if len(parts) > 1 and parts[1] != "__init__.py" else None
    return first


@functools.lru_cache
def _closure(names: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in found or _version(name) is None:
            continue
        found.add(name)
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                pending.append(_normal(requirement.name))
    return frozenset(found)


@functools.lru_cache
def _version(name: str) -> str | None:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    return None if _editable(distribution) else distribution.version


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
