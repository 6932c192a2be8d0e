"""Who may make, change and see users and security integrations."""

from __future__ import annotations

from typing import Final

from snowcellar.grants.key import ACCOUNT, Key
from snowcellar.grants.kinds import OWNERSHIP
from snowcellar.grants.rights import rights_of
from snowcellar.session import Session
from snowcellar.users.user import User

OWN: Final = frozenset({"DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE", "DEFAULT_SECONDARY_ROLES"})
"""What a user may set of its own."""


def require_create_user(session: Session) -> None:
    """CREATE USER on the account, which USERADMIN has."""
    rights_of(session).require_create("USER", ACCOUNT)


def require_owner(session: Session, user: User) -> None:
    """OWNERSHIP of a user."""
    rights_of(session).require(OWNERSHIP, Key("USER", name=user.name))


def may_see(session: Session, user: User) -> bool:
    """Whether the role sees all of a user: its keys, its login name, its defaults."""
    rights = rights_of(session)
    return rights.owns(Key("USER", name=user.name)) or rights.holds("CREATE USER", ACCOUNT)


def require_integrations(session: Session) -> None:
    """CREATE INTEGRATION on the account, which ACCOUNTADMIN has."""
    rights_of(session).require_create("INTEGRATION", ACCOUNT)
