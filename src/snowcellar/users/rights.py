"""Who may make, change and see users and security integrations."""

from __future__ import annotations

from typing import Final

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.users.user import User

_USER_ADMINISTRATORS: Final = frozenset({"USERADMIN", "SECURITYADMIN", "ACCOUNTADMIN"})
_ACCOUNT_ADMINISTRATORS: Final = frozenset({"ACCOUNTADMIN"})
OWN: Final = frozenset({"DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE", "DEFAULT_SECONDARY_ROLES"})
"""What a user may set of its own."""


class InsufficientPrivileges(WarehouseError):
    """The role may not do this."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"SQL access control error:\nInsufficient privileges to operate on {kind} '{name}'.",
            3001,
            "42501",
        )


def require_create_user(session: Session) -> None:
    """CREATE USER on the account, which USERADMIN has."""
    if not _has(session, _USER_ADMINISTRATORS):
        raise InsufficientPrivileges("account", session.warehouse.account.upper())


def require_owner(session: Session, user: User) -> None:
    """OWNERSHIP of a user."""
    if not may_see(session, user):
        raise InsufficientPrivileges("user", user.name)


def may_see(session: Session, user: User) -> bool:
    """Whether the role sees all of a user: its keys, its login name, its defaults."""
    return _has(session, _USER_ADMINISTRATORS | {user.owner})


def require_integrations(session: Session) -> None:
    """CREATE INTEGRATION on the account, or the right to change one; ACCOUNTADMIN has both."""
    if not _has(session, _ACCOUNT_ADMINISTRATORS):
        raise InsufficientPrivileges("account", session.warehouse.account.upper())


def _has(session: Session, roles: frozenset[str]) -> bool:
    return session.role in roles
