"""What a stream's row looks like: the source's columns, then three of METADATA$ (SEMANTICS 5)."""

from __future__ import annotations

from collections.abc import Sequence

ACTION = "METADATA$ACTION"
IS_UPDATE = "METADATA$ISUPDATE"
ROW_ID = "METADATA$ROW_ID"


def show(names: Sequence[str], identity: str, rows: str, action: str, is_update: bool) -> str:
    """A DuckDB query for rows of a stream.

    names: the source's columns, quoted. identity: an expression that tells its rows apart for ever.
    """
    return (
        f'SELECT {", ".join(names)}, \'{action}\' AS "{ACTION}", {str(is_update).upper()} AS "{IS_UPDATE}", '
        f'substr(sha1({identity}), 1, 40) AS "{ROW_ID}" FROM {rows}'
    )
