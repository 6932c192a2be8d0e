"""LIST, REMOVE and GET of staged files. PUT, and LIST of a whole stage, are fakesnow's.

Source: https://docs.snowflake.com/en/sql-reference/sql/list, /remove and /get
"""

from __future__ import annotations

import hashlib
import re
from email.utils import formatdate
from pathlib import Path

import pyarrow as pa

from snowcellar import staged_files
from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_LOCATION = rf"'?(?P<location>@(?P<stage>{NAME})(?:/(?P<path>[^\s']*))?)'?"
_PATTERN = r"(?:\s+PATTERN\s*=\s*'(?P<pattern>(?:[^']|'')*)')?"
_REMOVE = re.compile(rf"(?:REMOVE|RM)\s+{_LOCATION}{_PATTERN}\s*\Z", re.IGNORECASE)
_LIST = re.compile(rf"(?:LIST|LS)\s+{_LOCATION}{_PATTERN}\s*\Z", re.IGNORECASE)
_GET = re.compile(
    rf"GET\s+{_LOCATION}\s+(?:'file://(?P<quoted>[^']*)'|file://(?P<folder>\S*))"
    rf"(?:\s+PARALLEL\s*=\s*\d+)?{_PATTERN}(?:\s+PARALLEL\s*=\s*\d+)?\s*\Z",
    re.IGNORECASE,
)
_ELSE = re.compile(r"(?P<what>GET|REMOVE|RM|LIST|LS)\s+(?!'?@%)", re.IGNORECASE)


def remove(session: Session, match: re.Match[str]) -> Result:
    """Delete the files whose path starts with what is given."""
    name = session.qualify(match["stage"])
    rows = []
    for file, path in _files(session, match).items():
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
        for file, path in _files(session, match).items()
    ]
    columns = [
        ("name", pa.string()),
        ("size", pa.int64()),
        ("md5", pa.string()),
        ("last_modified", pa.string()),
    ]
    return Result.rows(columns, rows)


def get(session: Session, match: re.Match[str]) -> Result:
    """What the client needs to fetch the files: the server hands them out (file_downloads)."""
    name = session.qualify(match["stage"])
    files = _files(session, match)
    if not files:
        raise WarehouseError(f"Remote file '{match['location']}' was not found.", 91016, "22000")
    upload = {
        "command": "DOWNLOAD",
        "stage_name": str(name),
        "files": {path: str(file) for file, path in files.items()},
        "localLocation": match["quoted"] if match["folder"] is None else match["folder"],
    }
    return Result(pa.table({}), upload=upload)


def refuse(session: Session, match: re.Match[str]) -> Result:
    """Another form of these statements."""
    raise Unsupported(match.string[:80], "Write @stage[/path] [PATTERN = '...'].")


def _files(session: Session, match: re.Match[str]) -> dict[Path, str]:
    """With their paths below the stage. A pattern is for the whole path."""
    pattern = match["pattern"].replace("''", "'") if match["pattern"] is not None else None
    return staged_files.listed(session, match["location"], pattern)


STATEMENTS = [(_REMOVE, remove), (_LIST, list_path), (_GET, get), (_ELSE, refuse)]
