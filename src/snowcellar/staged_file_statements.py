"""REMOVE: delete files of a stage. PUT and LIST are fakesnow's.

Source: https://docs.snowflake.com/en/sql-reference/sql/remove
"""

from __future__ import annotations

import re

import pyarrow as pa

from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.staged_files import stage_folder

_REMOVE = re.compile(rf"(?:REMOVE|RM)\s+'?@(?P<stage>{NAME})(?:/(?P<path>[^\s']*))?'?\Z", re.IGNORECASE)


def remove(session: Session, match: re.Match[str]) -> Result:
    """Delete the files whose path starts with what is given."""
    name = session.qualify(match["stage"])
    folder, prefix = stage_folder(session, name), match["path"] or ""
    rows = []
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        path = str(file.relative_to(folder))
        if path.startswith(prefix):
            file.unlink(missing_ok=True)
            rows.append([f"{name.name.lower()}/{path}", "removed"])
    return Result.rows([("name", pa.string()), ("result", pa.string())], rows)


STATEMENTS = [(_REMOVE, remove)]
