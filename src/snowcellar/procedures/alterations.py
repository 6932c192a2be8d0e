"""The comments of procedures and functions: COMMENT ON, and ALTER ... SET and UNSET COMMENT.

Source: https://docs.snowflake.com/en/sql-reference/sql/comment, .../alter-procedure, .../alter-function
What else ALTER does of them is refused: CREATE OR REPLACE does it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fakesnow import statement_type

from snowcellar.errors import Unsupported, WarehouseError
from snowcellar.names import NAME
from snowcellar.procedures import statements
from snowcellar.procedures.grammar import unquote
from snowcellar.result import Result
from snowcellar.session import Session

_KIND: Final = r"(?P<kind>PROCEDURE|FUNCTION)\s+"
_SIGNATURE: Final = rf"(?P<name>{NAME})\s*\((?P<types>[^()]*(?:\([^()]*\)[^()]*)*)\)\s+"
_EXISTS: Final = r"(?P<exists>IF\s+EXISTS\s+)?"
_TEXT: Final = r"(?P<text>'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$)"
_COMMENT = re.compile(
    rf"COMMENT\s+{_EXISTS}ON\s+{_KIND}{_SIGNATURE}IS\s+{_TEXT}\Z", re.IGNORECASE | re.DOTALL
)
_ALTER = re.compile(
    rf"ALTER\s+{_KIND}{_EXISTS}{_SIGNATURE}"
    rf"(?:SET\s+COMMENT\s*=\s*{_TEXT}|(?P<unset>UNSET\s+COMMENT)|(?P<other>\w+).*)\Z",
    re.IGNORECASE | re.DOTALL,
)


def comment(session: Session, match: re.Match[str]) -> Result:
    """Give a procedure or function another comment, or none."""
    session.commit_before_ddl()
    said = match.groupdict()
    kind = match["kind"].upper()
    if said.get("other"):
        raise Unsupported(f"ALTER {kind} ... {said['other'].upper()}", "Use CREATE OR REPLACE.")
    lasting, temporary = (
        (session.warehouse.procedures, session.temporary_procedures)
        if kind == "PROCEDURE"
        else (session.warehouse.functions, session.temporary_functions)
    )
    try:
        found = statements.find(session, match, lasting, temporary)
    except WarehouseError:
        if not match["exists"]:
            raise
        return Result.status("Statement executed successfully.", statement_type.DDL)
    changed = replace(found, comment=unquote(match["text"]) if match["text"] else "")
    if found in temporary.overloads(found.name):
        temporary.add(changed)
    else:
        with session.warehouse.cursor() as duck:
            lasting.save(duck, session.warehouse.meta(found.name.database), changed)
    return Result.status("Statement executed successfully.", statement_type.DDL)


STATEMENTS = [(_COMMENT, comment), (_ALTER, comment)]
