"""What a session's roles may do, and the error that says that they may not.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-overview#enforcement-model-with-primary-role-and-secondary-roles
Who may see nothing of an object is told that it does not exist; who sees it, that privileges are missing.
Assumed: what a statement uses of a database or schema needs USAGE on it (or ownership), not just any
privilege.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowcellar.errors import AccessDenied, CompilationError, ObjectNotFound
from snowcellar.grants.key import ACCOUNT, Key
from snowcellar.grants.kinds import MANAGE_GRANTS, OWNERSHIP, RELATIONS, USAGE

if TYPE_CHECKING:
    from snowcellar.grants.catalogue import Catalogue
    from snowcellar.session import Session


class Rights:
    """The rights of a set of roles, those inherited included.

    primary: what a CREATE is authorised by. active: the secondary roles' too.
    """

    def __init__(self, catalogue: Catalogue, primary: frozenset[str], active: frozenset[str]) -> None:
        self.catalogue = catalogue
        self.primary = primary
        self.active = active

    def holds(self, privilege: str, key: Key) -> bool:
        """Whether a privilege on an object, or its ownership, is among these roles'."""
        return self._holds(privilege, key, self.active)

    def may_create(self, privilege: str, key: Key) -> bool:
        """The same, by the primary role and those that it inherits."""
        return self._holds(privilege, key, self.primary)

    def _holds(self, privilege: str, key: Key, roles: frozenset[str]) -> bool:
        return any(
            grant.privilege in (privilege, OWNERSHIP) and grant.grantee in roles
            for grant in self.catalogue.grants_on(key)
            if grant.grantee_kind == "ROLE"
        )

    def may_grant(self, privilege: str, key: Key) -> bool:
        """Whether a privilege is held with the option to pass it on."""
        return any(
            grant.privilege == privilege and grant.grant_option and grant.grantee in self.active
            for grant in self.catalogue.grants_on(key)
            if grant.grantee_kind == "ROLE"
        )

    @property
    def manages_grants(self) -> bool:
        """Whether these roles see every object, and grant on it as if they owned it."""
        return self.holds(MANAGE_GRANTS, ACCOUNT)

    def owns(self, key: Key) -> bool:
        return self.catalogue.owner(key) in self.active

    def sees(self, key: Key) -> bool:
        """Whether any privilege on an object is held, and a way to it; users are seen by all."""
        if self.manages_grants or key.kind == "USER":
            return True
        return all(self.has_any(parent) for parent in key.parents) and self.has_any(key)

    def has_any(self, key: Key) -> bool:
        """Whether there is any grant on an object for these roles."""
        return any(
            grant.grantee in self.active
            for grant in self.catalogue.grants_on(key)
            if grant.grantee_kind == "ROLE"
        )

    def require(self, privilege: str, key: Key, shown: str | None = None) -> None:
        """Refuse what these roles may not do; shown: the name as the statement has it."""
        self.require_any((privilege,), key, shown)

    def require_any(self, privileges: tuple[str, ...], key: Key, shown: str | None = None) -> None:
        """Refuse who holds none of the privileges."""
        self.enter(key, shown)
        if not any(self.holds(privilege, key) for privilege in privileges):
            raise self.denied(key, shown)

    def require_sight(self, key: Key, shown: str | None = None) -> None:
        """Refuse who has no privilege at all on an object: what DESCRIBE needs."""
        if self.manages_grants and self.catalogue.exists(key):
            return
        self.enter(key, shown)
        if not self.has_any(key):
            raise not_found(key, shown)

    def require_create(self, kind: str, container: Key) -> None:
        """Refuse the creation of an object of a kind in a schema, database or account."""
        for place in (*container.parents, container):
            # One privilege on the schema does not open it.
            if place.kind != "ACCOUNT" and not self.may_create(USAGE, place):
                raise self.denied(place)
        if not self.may_create(f"CREATE {kind}", container):
            raise self.denied(container)

    def enter(self, key: Key, shown: str | None = None) -> None:
        """Refuse who may not use the database and the schema of an object."""
        for parent in key.parents:
            if not self.holds(USAGE, parent):
                if self.manages_grants or self.has_any(parent):
                    raise AccessDenied(parent.kind, parent.short)
                raise not_found(key, shown)

    def denied(self, key: Key, shown: str | None = None) -> CompilationError | AccessDenied:
        """The error for who lacks a privilege."""
        exists = self.catalogue.exists(key) or key.kind == "ACCOUNT"
        if exists and (key.kind == "ACCOUNT" or self.sees(key)):
            return AccessDenied(key.kind, key.short)
        return not_found(key, shown)


def not_found(key: Key, shown: str | None = None) -> CompilationError:
    """The error for what is not there, or may not be seen."""
    if key.kind in RELATIONS:
        return CompilationError(f"Object '{shown or key}' does not exist or not authorized.", 2003, "42S02")
    return ObjectNotFound(key.kind.capitalize(), shown or str(key))


def rights_of(session: Session) -> Rights:
    """The rights of a session's roles now."""
    catalogue = session.warehouse.grants
    key = (
        *(session.user, session.role, session.secondary_roles, session.executes_as_role, session.token_roles),
    )
    found = catalogue.remembered.get(key)
    if found is None:
        primary = catalogue.inherited(session.role)
        active = primary.union(*(catalogue.inherited(role) for role in _secondary(session)))
        found = catalogue.remembered[key] = Rights(catalogue, primary, active)
    return found


def rights_of_role(catalogue: Catalogue, role: str | None) -> Rights:
    """The rights of one role: an owner's, for a view, a procedure or a task."""
    roles = catalogue.inherited(role or "")
    return Rights(catalogue, roles, roles)


def available_roles(session: Session) -> frozenset[str]:
    """The roles that USE ROLE may take, inherited ones included."""
    catalogue = session.warehouse.grants
    granted = frozenset({session.role}) if session.executes_as_role else catalogue.roles_of(session.user)
    return _of_token(session, frozenset().union(*(catalogue.inherited(role) for role in granted)))


def _of_token(session: Session, roles: frozenset[str]) -> frozenset[str]:
    """Those of some roles that the session's OAuth token is good for."""
    return roles if session.token_roles is None else roles & session.token_roles


def _secondary(session: Session) -> frozenset[str]:
    """The secondary roles: looked up for every statement, as grants to the user come and go."""
    if session.executes_as_role or not session.secondary_roles:
        return frozenset()
    granted = session.warehouse.grants.roles_of(session.user)
    if session.secondary_roles == ("ALL",):
        return _of_token(session, granted)
    return available_roles(session) & frozenset(session.secondary_roles)
