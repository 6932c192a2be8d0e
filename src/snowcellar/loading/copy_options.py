"""The options of COPY INTO a table; what is not done is refused by name.

Source: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from snowcellar import binds
from snowcellar.errors import CompilationError, Unsupported
from snowcellar.session import Params

_SKIP_FILE = re.compile(r"SKIP_FILE(?:_(?P<number>\d+)(?P<percent>%)?)?\Z")
_NO_EFFECT = {"LOAD_UNCERTAIN_FILES", "SIZE_LIMIT", "RETURN_FAILED_ONLY", "TRUNCATECOLUMNS", "ENFORCE_LENGTH"}
"""Of these only FALSE, or ENFORCE_LENGTH = TRUE, is what happens here."""


@dataclass
class CopyOptions:
    """What a COPY INTO says after its FROM."""

    files: list[str] = field(default_factory=list)
    pattern: str | None = None
    file_format: list[exp.Expr] = field(default_factory=list)
    on_error: str = "ABORT_STATEMENT"
    force: bool = False
    purge: bool = False
    match: str = "NONE"

    def skips_file(self, parsed: int, errors: int) -> bool:
        """Whether nothing of a file with errors is loaded."""
        skip = _SKIP_FILE.match(self.on_error)
        if skip is None:
            return False
        if skip["number"] is None:
            return errors > 0
        number = int(skip["number"])
        return errors * 100 > number * parsed if skip["percent"] else errors >= number


def read(tree: exp.Copy, params: Params) -> CopyOptions:
    """The options of a statement."""
    options = CopyOptions()
    for parameter in tree.args.get("params") or []:
        name, value = parameter.name.upper(), parameter.args.get("expression")
        if name == "FILE_FORMAT":
            options.file_format = parameter.expressions or [
                exp.Property(this=exp.Var(this="FORMAT_NAME"), value=value)
            ]
        elif name == "FILES":
            options.files = [each.name for each in value.find_all(exp.Literal)]
        elif name == "PATTERN":
            options.pattern = value.name
        elif name == "ON_ERROR":
            options.on_error = _on_error(str(_value(value, params)).upper())
        elif name in ("FORCE", "PURGE"):
            setattr(options, name.lower(), _value(value, params) is True)
        elif name == "MATCH_BY_COLUMN_NAME":
            options.match = str(_value(value, params)).upper()
        elif name not in _NO_EFFECT or _value(value, params) is not (name == "ENFORCE_LENGTH"):
            raise Unsupported(f"COPY INTO ... {parameter.sql(dialect='snowflake')}")
    if options.match not in ("NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE"):
        raise CompilationError(
            f"Invalid value '{options.match}' for parameter MATCH_BY_COLUMN_NAME", 1008, "22023"
        )
    return options


def _on_error(value: str) -> str:
    if value not in ("CONTINUE", "ABORT_STATEMENT") and not _SKIP_FILE.match(value):
        raise CompilationError(f"invalid value [{value}] for parameter 'ON_ERROR'", 1006, "22023")
    return value


def _value(value: exp.Expr | None, params: Params) -> Any:
    if isinstance(value, exp.Boolean):
        return bool(value.this)
    if isinstance(value, exp.Placeholder):
        return (binds.values([value.name], params) or {})[value.name]
    return value.name if value is not None else None
