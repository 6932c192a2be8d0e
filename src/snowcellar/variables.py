"""The value of a session variable in the place of its $NAME."""

from __future__ import annotations

import re
from collections.abc import Mapping

from snowcellar.errors import CompilationError

# Not of METADATA$ACTION or $$, and not the column $1.
_REFERENCE = re.compile(r"(?<![\w$])\$(?P<name>[A-Za-z_]\w*)")


def inline(variables: Mapping[str, str], text: str) -> str:
    """The text with each reference replaced by the SQL literal of its value."""

    def value(match: re.Match[str]) -> str:
        name = match["name"].upper()
        if name not in variables:
            raise CompilationError(f"Session variable '${name}' does not exist")
        return variables[name]

    return _REFERENCE.sub(value, text)
