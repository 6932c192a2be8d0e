"""Login with AUTHENTICATOR = SNOWFLAKE_JWT: a token that the client has signed with the user's private key.

Source: https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting,
https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
"""

from __future__ import annotations

import time
from typing import Any, Final

import jwt

from snowcellar.users import public_keys, tokens
from snowcellar.users.refusals import TokenRefused
from snowcellar.users.registry import Users
from snowcellar.users.user import User

LATEST_SECONDS: Final = 60
"""A token is taken this long after it was made, and this long before: clocks differ."""
LONGEST_SECONDS: Final = 3600
"""A token that says it lives longer lives as long as this."""


def user_of(token: str, account: str, users: Users) -> User:
    """The user that a token speaks for; TokenRefused says what is wrong with it."""
    claims = _claims(token)
    issuer_account, name, fingerprint = _issuer(claims)
    if issuer_account != account.upper():
        raise TokenRefused("JWT_TOKEN_ACCOUNT_MISMATCH", name)
    user = users.with_login_name(name)
    if user is None:
        raise TokenRefused("JWT_TOKEN_INVALID_USER_IN_ISSUER", name)
    if str(claims.get("sub", "")).upper() != f"{issuer_account}.{name}":
        raise TokenRefused("JWT_TOKEN_INVALID", name)
    keys = [key for key in user.public_keys if public_keys.fingerprint(key) == fingerprint]
    if not keys:
        raise TokenRefused("JWT_TOKEN_INVALID_PUBLIC_KEY_FINGERPRINT_MISMATCH", name)
    if not tokens.is_signed(token, keys[0]):
        raise TokenRefused("JWT_TOKEN_INVALID_SIGNATURE", name)
    _verify_times(claims, name)
    return user


def _claims(token: str) -> dict[str, Any]:
    try:
        algorithm, claims = tokens.algorithm(token), tokens.claims(token)
    except jwt.PyJWTError as error:
        raise TokenRefused("JWT_TOKEN_INVALID") from error
    if algorithm not in tokens.ALGORITHMS:
        raise TokenRefused("JWT_TOKEN_INVALID_ALGORITHM")
    return claims


def _issuer(claims: dict[str, Any]) -> tuple[str, str, str]:
    """ACCOUNT.USER.SHA256:fingerprint; a login name may hold points, a fingerprint none."""
    account, _, rest = str(claims.get("iss", "")).partition(".")
    name, _, fingerprint = rest.rpartition(".")
    if not account or not name or not fingerprint.startswith("SHA256:"):
        raise TokenRefused("JWT_TOKEN_INVALID")
    return account.upper(), name.upper(), fingerprint


def _verify_times(claims: dict[str, Any], name: str) -> None:
    issued, expires, now = claims.get("iat"), claims.get("exp"), time.time()
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        raise TokenRefused("JWT_TOKEN_MISSING_ISSUE_OR_EXPIRATION_TIME", name)
    if min(expires, issued + LONGEST_SECONDS) <= now:
        raise TokenRefused("JWT_TOKEN_INVALID_EXPIRATION_TIME", name)
    if abs(now - issued) > LATEST_SECONDS:
        raise TokenRefused("JWT_TOKEN_INVALID_ISSUE_TIME", name)
