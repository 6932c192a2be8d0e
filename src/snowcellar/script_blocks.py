"""BEGIN ... END of plain statements, as the bodies of tasks are written.

Source: https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
Deviations: no variables, branches, loops, cursors, results of statements, RETURN or exception handlers.
"""

from __future__ import annotations

import re

import pyarrow as pa

from snowcellar.errors import WarehouseError
from snowcellar.grants import rules
from snowcellar.result import Result
from snowcellar.script_grammar import BLOCK, parts
from snowcellar.session import Session


def run(session: Session, match: re.Match[str]) -> Result:
    """Each statement by itself; the first that fails ends the block."""
    for part in parts(match.string):
        try:
            session.execute(part.text)
        except WarehouseError as error:
            raise WarehouseError(
                f"Uncaught exception of type 'STATEMENT_ERROR' on line {part.line} at position "
                f"{part.position} : {error.message}",
                error.errno,
                error.sqlstate,
            ) from error
    return Result.scalar("anonymous block", None, pa.string())


STATEMENTS = [(BLOCK, run)]
# Each of its statements is checked for itself.
RULES = {run: rules.free}
