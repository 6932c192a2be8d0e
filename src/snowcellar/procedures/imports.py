"""IMPORTS: the staged files of a procedure, copied read-only to a folder named after their content.

Other content means another folder and so another worker: a redeployed zip is never mixed with the old one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.names import NAME, QualifiedName, qualify
from snowcellar.session import Session
from snowcellar.staged_files import stage_folder

_IMPORT = re.compile(rf"\s*@(?P<stage>{NAME})/(?P<path>.+?)\s*\Z")
_CODE = (".zip", ".whl", ".egg", ".jar")


@dataclass(frozen=True)
class ImportSet:
    """The files of one set of IMPORTS, as a worker sees them."""

    key: str
    """Hash of names and contents."""
    folder: Path | None

    @property
    def paths(self) -> list[str]:
        """What goes on the worker's sys.path: every archive, and the folder itself for plain modules."""
        if self.folder is None:
            return []
        archives = sorted(str(file) for file in self.folder.iterdir() if file.suffix in _CODE)
        return [*archives, str(self.folder)]


NO_IMPORTS = ImportSet("", None)


class ImportFolders:
    """The copies of import sets below one folder, and the hashes of the staged files that are known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._hashes: dict[tuple[str, int, int], str] = {}

    def clear(self) -> None:
        """Delete the copies of earlier runs."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def resolve(self, files: Sequence[Path]) -> ImportSet:
        """The import set of staged files as they are now, copied if it is new."""
        if not files:
            return NO_IMPORTS
        with self._lock:
            digest = hashlib.sha256()
            for file in files:
                digest.update(f"{file.name}\0{self._hash(file)}\n".encode())
            key = digest.hexdigest()
            target = self._folder / key[:32]
            if not target.exists():
                self._copy(files, target)
            return ImportSet(key, target)

    def _hash(self, file: Path) -> str:
        status = file.stat()
        known = (str(file), status.st_mtime_ns, status.st_size)
        if known not in self._hashes:
            self._hashes[known] = hashlib.sha256(file.read_bytes()).hexdigest()
        return self._hashes[known]

    def _copy(self, files: Sequence[Path], target: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=self._folder, prefix=".partial-"))
        for file in files:
            copy = partial / file.name
            shutil.copyfile(file, copy)
            copy.chmod(0o444)
        partial.rename(target)


def staged_imports(session: Session, imports: Sequence[str], context: QualifiedName) -> list[Path]:
    """The staged files that IMPORTS name; names are relative to the procedure's schema."""
    files = [_staged_file(session, location, context) for location in imports]
    names = [file.name for file in files]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CompilationError(f"IMPORTS hold several files named '{min(twice)}'; their names must differ.")
    return files


def _staged_file(session: Session, location: str, context: QualifiedName) -> Path:
    match = _IMPORT.match(location)
    if match is None:
        raise Unsupported(f"IMPORTS = ('{location}')", "Give '@stage/path/file'.")
    stage = qualify(match["stage"], context.database, context.schema)
    folder = stage_folder(session, stage)
    file = (folder / match["path"].lstrip("/")).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise WarehouseError(f"Remote file '{location}' was not found.", 91016, "22000")
    return file
