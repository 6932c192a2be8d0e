"""Logins that are refused: Snowflake's codes and texts, and what an administrator is told of each.

Source: https://docs.snowflake.com/en/sql-reference/functions/system_get_login_failure_details
A client that tries to get in learns little; the text holds an id, and an administrator asks for what went
wrong with SYSTEM$GET_LOGIN_FAILURE_DETAILS.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from snowcellar.errors import WarehouseError

log = logging.getLogger(__name__)

_KEPT: Final = 1_000
_NUMBERS: Final[Mapping[str, int]] = {
    "JWT_TOKEN_INVALID": 390144,
    "JWT_TOKEN_INVALID_USER_IN_ISSUER": 394300,
    "JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME": 394301,
    "JWT_TOKEN_INVALID_ISSUE_TIME": 394302,
    "JWT_TOKEN_INVALID_EXPIRATION_TIME": 394303,
    "JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH": 394304,
    "JWT_TOKEN_INVALID_ALGORITHM": 394305,
    "JWT_TOKEN_INVALID_SIGNATURE": 394306,
    "JWT_TOKEN_ACCOUNT_MISMATCH": 394307,
}
_EXPIRED: Final = "EXTERNAL_OAUTH_ACCESS_TOKEN_EXPIRED"


class LoginRefused(WarehouseError):
    """Nobody is let in."""

    def __init__(self, message: str, errno: int, sqlstate: str = "08001") -> None:
        super().__init__(message, errno, sqlstate)


def wrong_password() -> LoginRefused:
    """Also for a user that does not exist: a stranger does not learn which names there are."""
    return LoginRefused("Incorrect username or password was specified.", 390100)


def disabled() -> LoginRefused:
    return LoginRefused("User access disabled. Contact your local system administrator.", 390101)


def unknown_role(role: str) -> LoginRefused:
    return LoginRefused(
        f"Role '{role}' specified in the connect string does not exist or not authorized. Contact your local "
        "system administrator, or attempt to login with another role, e.g. PUBLIC.",
        390189,
        "08004",
    )


def role_not_granted(role: str) -> LoginRefused:
    return LoginRefused(
        f"Role '{role}' specified in the connect string is not granted to this user. Contact your local "
        "system administrator, or attempt to login with another role, e.g. PUBLIC.",
        390186,
        "08004",
    )


def default_role_not_granted(role: str) -> LoginRefused:
    return LoginRefused(
        f"User's configured default role '{role}' is not granted to this user. Contact your local system "
        "administrator, or attempt to login using a CLI client with a connect string selecting another role, "
        "e.g. PUBLIC.",
        390187,
        "08004",
    )


def role_not_in_token(role: str) -> LoginRefused:
    return LoginRefused(
        "The role requested in the connection, or the default role if none was requested in the connection "
        f"('{role}'), is not listed in the Access Token or was filtered. Please specify another role, or "
        "contact your OAuth Authorization server administrator.",
        390317,
        "08004",
    )


class TokenRefused(Exception):
    """A token that lets nobody in; `code` is Snowflake's name for why."""

    def __init__(self, code: str, username: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.username = username


class FailedLogins:
    """What went wrong with the newest tokens that were refused."""

    def __init__(self) -> None:
        self._details: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def refusal(self, refused: TokenRefused, client: str, version: str | None) -> LoginRefused:
        """The answer to a client; the reason is kept under the id in its text."""
        failure = str(uuid.uuid4())
        details: dict[str, Any] = {
            "clientIP": "127.0.0.1",
            "clientType": client,
            "clientVersion": version,
            "username": refused.username,
            "errorCode": refused.code,
            "timestamp": int(time.time()),
        }
        with self._lock:
            self._details[failure] = details
            while len(self._details) > _KEPT:
                self._details.popitem(last=False)
        log.warning("login refused: %s, user %s [%s]", refused.code, refused.username, failure)
        if refused.code in _NUMBERS:
            return LoginRefused(f"JWT token is invalid. [{failure}]", 390144)
        if refused.code == _EXPIRED:
            return LoginRefused(f"OAuth access token expired. [{failure}]", 390318)
        return LoginRefused(f"Invalid OAuth access token. [{failure}]", 390303)

    def details(self, failure: str) -> str:
        """A failed login as JSON; OVERFLOW_FAILURE_EVENTS_ELIDED for one that nobody remembers."""
        with self._lock:
            found = self._details.get(failure.lower())
        return json.dumps(found or {"errorCode": "OVERFLOW_FAILURE_EVENTS_ELIDED"})
