"""EXECUTE IMMEDIATE FROM a staged file: its statements, one after another, as `snow stage execute` asks for.

Source: https://docs.snowflake.com/en/sql-reference/sql/execute-immediate-from
Deviation: no templates and no variables (USING): refused. Nor is EXECUTE IMMEDIATE of a text done.
"""

from __future__ import annotations

import re

from snowcellar import multi_statements, staged_files
from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.grants import rules
from snowcellar.grants.reads import Reads
from snowcellar.result import Result
from snowcellar.session import Session

_FROM = re.compile(
    r"EXECUTE\s+IMMEDIATE\s+FROM\s+'?(?P<location>@[^\s']+)'?(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL
)
_TEMPLATE = re.compile(r"\{\{|\{%")


def run(session: Session, match: re.Match[str]) -> Result:
    """The answer is that of the last statement; the first that fails ends it."""
    if match["rest"].strip():
        raise Unsupported(f"EXECUTE IMMEDIATE FROM ... {match['rest'].strip()[:40]}")
    location = match["location"]
    Reads(session).stage(location, "READ")
    files = [
        file
        for file, path in staged_files.files_at(session, location).items()
        if path == staged_files.path_of(location)
    ]
    if not files:
        raise WarehouseError(f"Remote file '{location}' was not found.", 91016, "22000")
    text = files[0].read_text(encoding="utf-8")
    if _TEMPLATE.search(text):
        raise Unsupported("a template in EXECUTE IMMEDIATE FROM", "Let the client fill it in.")
    result = Result.status("Statement executed successfully.")
    for statement in multi_statements.split(text):
        result = session.execute(statement)
    return result


STATEMENTS = [(_FROM, run)]
# Each statement of the file is checked for itself, and the stage is where it is read.
RULES = {run: rules.free}
