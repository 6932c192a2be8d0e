"""Secrets in statements: found, and left out of what is kept or written of a statement.

Snowflake leaves them out of QUERY_HISTORY too. A value counts as one by the name before it (PASSWORD = '...',
mistyped or not), or because it is a private key, which somebody may have taken for the public one.
"""

from __future__ import annotations

import re
from typing import Final

from snowcellar.errors import CompilationError, WarehouseError
from snowcellar.users import public_keys

SHOWN: Final = "'*****'"
_TELLING_CHARACTERS: Final = 6
"""So much of a secret is too much."""
_SETTING: Final = re.compile(
    r"\b(?P<name>\w*PAS\w*W\w*D|\w*PWD|SECRET_STRING|\w*CLIENT_SECRET|AWS_SECRET_KEY|AWS_TOKEN|AZURE_SAS_TOKEN|MASTER_KEY"
    r"|ACCESS_TOKEN|PRIVATE_KEY|(?P<key>\w*RSA_PUBLIC_KEY(?:_2)?))(?P<equals>\s*=\s*)"
    r"(?P<value>'(?:[^'\\]|''|\\.)*(?:'|\Z)|\$\$.*?(?:\$\$|\Z)|(?![?:%])[^\s,;)]+)",
    re.IGNORECASE | re.DOTALL,
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)


def redacted(sql: str) -> str:
    """The statement with ***** for its secrets."""
    if not _may_hold_one(sql):
        return sql
    return _PRIVATE_KEY.sub("*****", _SETTING.sub(_replacement, sql))


def redacted_error(error: WarehouseError, sql: str) -> WarehouseError:
    """What is said of a statement that failed: not the excerpts of it that hold a part of a secret."""
    if any(_shows(error.message, secret) for secret in _secrets(sql)):
        return CompilationError("syntax error; the statement is not shown, for it holds a secret.")
    return error


def _may_hold_one(sql: str) -> bool:
    # Nearly every statement passes here, and some are megabytes long.
    folded = sql.upper()
    return any(word in folded for word in ("PAS", "PWD", "SECRET", "TOKEN", "KEY"))


def _secrets(sql: str) -> list[str]:
    if not _may_hold_one(sql):
        return []
    values = [match["value"].strip("'$") for match in _SETTING.finditer(sql) if _is_secret(match)]
    return [value for value in (*values, *_PRIVATE_KEY.findall(sql)) if value]


def _shows(message: str, secret: str) -> bool:
    length = min(len(secret), _TELLING_CHARACTERS)
    pieces = (secret[start : start + length] for start in range(len(secret) - length + 1))
    return any(piece in message for piece in pieces)


def _replacement(match: re.Match[str]) -> str:
    return f"{match['name']}{match['equals']}{SHOWN}" if _is_secret(match) else match[0]


def _is_secret(match: re.Match[str]) -> bool:
    if not match["key"]:
        return True
    try:
        public_keys.read(match["value"].strip("'$"))
    except WarehouseError:
        return True
    return False
