"""The import guard of a worker: a module comes from IMPORTS, the standard library or PACKAGES, or not at all.

Worker side, stdlib only. It takes the place of the ordinary path finder and of any finder that an editable
installation has put in, so the server's own source folders cannot be imported: a file that is missing from
the uploaded zips fails here as it would in Snowflake.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from types import ModuleType


class GuardedFinder:
    """Finds what a procedure may import; for the rest, Python says ModuleNotFoundError itself."""

    def __init__(self, allowed: Sequence[str], namespaces: Sequence[str]) -> None:
        self.imports: list[str] = []
        self._allowed = frozenset(allowed)
        self._namespaces = frozenset(namespaces)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of an importable module, None for anything else."""
        if path is None and self.imports:
            spec = PathFinder.find_spec(name, self.imports, target)
            if spec is not None:
                return spec
        return PathFinder.find_spec(name, path, target) if self._allows(name) else None

    def _allows(self, name: str) -> bool:
        top, _, rest = name.partition(".")
        if top in self._namespaces:
            return not rest or f"{top}.{rest.split('.')[0]}" in self._allowed or self._imported(top)
        return top in sys.stdlib_module_names or top in self._allowed or (bool(rest) and self._imported(top))

    def _imported(self, top: str) -> bool:
        """Whether a package was itself found in the IMPORTS, so that its submodules are."""
        module = sys.modules.get(top)
        places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", ()))]
        return any(place.startswith(imported) for place in places if place for imported in self.imports)


def install(allowed: Sequence[str], namespaces: Sequence[str]) -> GuardedFinder:
    """Put the guard in place of every other finder, and only the installation's own folders on sys.path."""
    kept = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    kept.add(sysconfig.get_config_var("DESTSHARED"))
    finder = GuardedFinder(allowed, namespaces)
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, finder]
    sys.path[:] = [entry for entry in sys.path if entry in kept or entry.endswith("lib-dynload")]
    sys.path_importer_cache.clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "snowcellar"]:
        del sys.modules[name]
    return finder
