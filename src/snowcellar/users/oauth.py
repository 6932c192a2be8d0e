"""Login with AUTHENTICATOR = OAUTH: the access token of an OAuth server that a security integration trusts.

Source: https://docs.snowflake.com/en/user-guide/oauth-ext-custom, .../oauth-ext-overview (scopes)
Assumed: a scope that is one string is split at EXTERNAL_OAUTH_SCOPE_DELIMITER and at blanks; secondary roles
too are only those that the token is good for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import jwt

from snowcellar.names import fold
from snowcellar.users import refusals, tokens
from snowcellar.users.integration import Integration
from snowcellar.users.refusals import TokenRefused
from snowcellar.users.registry import Integrations, Users
from snowcellar.users.user import User

ALWAYS_BLOCKED: Final = frozenset({"ACCOUNTADMIN", "ORGADMIN", "GLOBALORGADMIN", "SECURITYADMIN"})
"""Roles that no token from outside is good for, as an account has it unless it was told otherwise."""
_ROLE: Final = "session:role:"
_ANY_ROLE: Final = "session:role-any"
_CLOCKS_DIFFER_SECONDS: Final = 60


@dataclass(frozen=True)
class Admitted:
    """Whom a token speaks for, and which roles it is good for; None where it is good for any."""

    user: User
    roles: frozenset[str] | None
    integration: Integration

    def permits(self, role: str) -> bool:
        """Whether the token is good for a role, and the integration lets it pass."""
        allowed = self.integration.texts("EXTERNAL_OAUTH_ALLOWED_ROLES_LIST")
        blocked = ALWAYS_BLOCKED | set(self.integration.texts("EXTERNAL_OAUTH_BLOCKED_ROLES_LIST"))
        listed = self.roles is None or role in self.roles
        return listed and role not in blocked and (not allowed or role in allowed)


def admitted_by(token: str, integrations: Integrations, users: Users, audiences: Iterable[str]) -> Admitted:
    """Whom a token speaks for; TokenRefused says what is wrong with it.

    audiences: this account's own addresses, which a token may always be meant for.
    """
    claims = _claims(token)
    if not claims.get("iss"):
        raise TokenRefused("EXTERNAL_OAUTH_MISSING_ISSUER")
    integration = integrations.with_issuer(str(claims["iss"]))
    if integration is None:
        raise TokenRefused("EXTERNAL_OAUTH_ACCESS_TOKEN_ISSUER_NOT_FOUND")
    if not integration.enabled:
        raise TokenRefused("EXTERNAL_OAUTH_ACCESS_TOKEN_ISSUER_NOT_ENABLED")
    _verify_signature(token, integration)
    _verify_times(claims)
    _verify_audience(claims, {*audiences, *integration.texts("EXTERNAL_OAUTH_AUDIENCE_LIST")})
    user = _user(claims, integration, users)
    return Admitted(user, _roles(claims, integration), integration)


def _claims(token: str) -> dict[str, Any]:
    try:
        algorithm, claims = tokens.algorithm(token), tokens.claims(token)
    except jwt.PyJWTError as error:
        raise TokenRefused("EXTERNAL_OAUTH_JWS_INVALID_FORMAT") from error
    if algorithm not in tokens.ALGORITHMS:
        raise TokenRefused("EXTERNAL_OAUTH_INVALID_SIGNATURE")
    return claims


def _verify_signature(token: str, integration: Integration) -> None:
    if not integration.keys:
        raise TokenRefused("EXTERNAL_OAUTH_JWS_CANT_RETRIEVE_PUBLIC_KEY")
    if not any(tokens.is_signed(token, key) for key in integration.keys):
        raise TokenRefused("EXTERNAL_OAUTH_INVALID_SIGNATURE")


def _verify_times(claims: dict[str, Any]) -> None:
    now = time.time()
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise TokenRefused("EXTERNAL_OAUTH_ACCESS_TOKEN_EXPIRED")
    begins = [claims[name] for name in ("iat", "nbf") if isinstance(claims.get(name), int | float)]
    if any(begin > now + _CLOCKS_DIFFER_SECONDS for begin in begins):
        raise TokenRefused("EXTERNAL_OAUTH_ACCESS_TOKEN_NOT_YET_VALID")


def _verify_audience(claims: dict[str, Any], known: set[str]) -> None:
    meant = claims.get("aud")
    if not meant:
        raise TokenRefused("EXTERNAL_OAUTH_MISSING_AUDIENCE")
    if not known & {str(audience) for audience in ([meant] if isinstance(meant, str) else meant)}:
        raise TokenRefused("EXTERNAL_OAUTH_AUDIENCE_VALIDATION_FAILED")


def _user(claims: dict[str, Any], integration: Integration, users: Users) -> User:
    named = [
        str(claims[claim])
        for claim in integration.texts("EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM")
        if claims.get(claim)
    ]
    if not named:
        raise TokenRefused("EXTERNAL_OAUTH_USER_CLAIM_MISSING")
    by_email = integration.text("EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE") == "EMAIL_ADDRESS"
    user = users.with_email(named[0]) if by_email else users.with_login_name(named[0])
    if user is None:
        raise refusals.wrong_password()
    return user


def _roles(claims: dict[str, Any], integration: Integration) -> frozenset[str] | None:
    said = claims.get(integration.text("EXTERNAL_OAUTH_SCOPE_MAPPING_ATTRIBUTE"), [])
    if isinstance(said, str):
        said = said.replace(integration.text("EXTERNAL_OAUTH_SCOPE_DELIMITER"), " ").split()
    scopes = [str(scope) for scope in said]
    if integration.text("EXTERNAL_OAUTH_ANY_ROLE_MODE") == "ENABLE" and any(
        scope.lower() == _ANY_ROLE for scope in scopes
    ):
        return None
    return frozenset(fold(scope[len(_ROLE) :]) for scope in scopes if scope.lower().startswith(_ROLE))
