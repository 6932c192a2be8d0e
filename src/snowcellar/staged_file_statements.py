"""REMOVE: delete files of a stage; LIST of a path below one. PUT, and LIST of a whole stage, are fakesnow's.

Source: https://docs.snowflake.com/en/sql-reference/sql/remove and /list
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pyarrow as pa

from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.staged_drops import on_drop, on_drop_schema
from snowcellar.staged_files import stage_folder

_REMOVE = re.compile(rf"(?:REMOVE|RM)\s+'?@(?P<stage>{NAME})(?:/(?P<path>[^\s']*))?'?\Z", re.IGNORECASE)
_LIST = re.compile(rf"(?:LIST|LS)\s+'?@(?P<stage>{NAME})/(?P<path>[^\s']+)'?\Z", re.IGNORECASE)


def remove(session: Session, match: re.Match[str]) -> Result:
    """Delete the files whose path starts with what is given."""
    name = session.qualify(match["stage"])
    rows = []
    for path, file in _files(session, match):
        file.unlink(missing_ok=True)
        rows.append([f"{name.name.lower()}/{path}", "removed"])
    return Result.rows([("name", pa.string()), ("result", pa.string())], rows)


def list_path(session: Session, match: re.Match[str]) -> Result:
    """The files whose path starts with what is given. fakesnow takes it for a part of the name."""
    name = session.qualify(match["stage"])
    rows = [
        [
            f"{name.name.lower()}/{path}",
            file.stat().st_size,
            hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(),
            formatdate(file.stat().st_mtime, usegmt=True),
        ]
        for path, file in _files(session, match)
    ]
    columns = [
        ("name", pa.string()),
        ("size", pa.int64()),
        ("md5", pa.string()),
        ("last_modified", pa.string()),
    ]
    return Result.rows(columns, rows)


def _files(session: Session, match: re.Match[str]) -> Iterator[tuple[str, Path]]:
    """By path below the stage."""
    folder, prefix = stage_folder(session, session.qualify(match["stage"])), match["path"] or ""
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        path = str(file.relative_to(folder))
        if path.startswith(prefix):
            yield path, file


__all__ = ["STATEMENTS", "on_drop", "on_drop_schema"]

STATEMENTS = [(_REMOVE, remove), (_LIST, list_path)]
