"""The catalogue of grants: in memory for every statement, in the account's file for good."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from snowcellar.grants import store
from snowcellar.grants.key import ACCOUNT, Key, role_key
from snowcellar.grants.kinds import GLOBAL, MANAGE_GRANTS, OWNERSHIP, RELATIONS, USAGE
from snowcellar.grants.store import Change, Grant, Setting
from snowcellar.users.registry import LOCAL_USER

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

ACCOUNTADMIN, SECURITYADMIN, SYSADMIN, USERADMIN, PUBLIC = (
    *("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC"),
)
MANAGED: Final = "MANAGED ACCESS"
COMMENT: Final = "COMMENT"
READS: Final = "READS"

_SYSTEM_ROLES = {
    ACCOUNTADMIN: "Account administrator can manage all aspects of the account.",
    SECURITYADMIN: "Security administrator can manage security aspects of the account.",
    SYSADMIN: "System administrator can create and manage databases and warehouses.",
    USERADMIN: "User administrator can create and manage users and roles",
    PUBLIC: "Public role is automatically available to every user in the account.",
}
_SYSTEM_MEMBERS = (
    (SYSADMIN, ACCOUNTADMIN),
    (SECURITYADMIN, ACCOUNTADMIN),
    (USERADMIN, SECURITYADMIN),
)
_SYSTEM_PRIVILEGES = {
    USERADMIN: ("CREATE ROLE", "CREATE USER"),
    SECURITYADMIN: (MANAGE_GRANTS,),
    SYSADMIN: ("CREATE DATABASE", "CREATE WAREHOUSE"),
}


class Catalogue:
    """Roles, owners, grants and future grants of an account.

    `lock` is held from the look at a grant to the change that follows from it; reading takes no lock, for
    the dictionaries of an object are replaced and never changed. `version` grows with every change.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self._warehouse = warehouse
        self._grants: dict[Key, dict[tuple[str, ...], Grant]] = {}
        """By object; future grants by the database or schema that they are in."""
        self._settings: dict[tuple[Key, str], str] = {}
        self._relations: dict[tuple[str, str, str], Key] = {}
        """Tables, views and streams by upper-case name: to DuckDB, case is nothing."""
        self._closures: dict[str, frozenset[str]] = {}
        self.remembered: dict[object, Any] = {}
        """What was worked out from this version of the catalogue, and holds until the next."""
        self.being_made: set[Key] = set()
        """The objects whose CREATE runs."""
        self._add(_built_in())

    def load(self) -> None:
        """Read what was kept."""
        grants, settings = store.load(self._warehouse)
        with self.lock:
            self._add(grants)
            self._settings |= {(each.key, each.setting): each.content for each in settings}

    def apply(self, change: Change) -> None:
        """Keep a change, on disk and then in memory."""
        with self.lock:
            # What is granted anew, with another option or by another role, takes the place of what there is.
            known = [each for each in change.granted if each.identity in self._grants.get(each.key, {})]
            gone = {each.identity: each for each in (*change.revoked, *known)}
            change = replace(change, revoked=list(gone.values()))
            store.save(self._warehouse, change)
            for key in change.dropped:
                self._forget(key)
            for grant in change.revoked:
                on = {i: each for i, each in self._grants.get(grant.key, {}).items() if i != grant.identity}
                self._grants[grant.key] = on
            for unset in change.unset:
                self._settings.pop(unset, None)
            self._add(change.granted)
            self._settings |= {(each.key, each.setting): each.content for each in change.settings}

    def _add(self, grants: Iterable[Grant]) -> None:
        for grant in grants:
            self._grants[grant.key] = {**self._grants.get(grant.key, {}), grant.identity: grant}
            if grant.key.kind in RELATIONS:
                self._relations[_case_less(grant.key)] = grant.key
        self._closures, self.remembered = {}, {}
        self.version += 1

    def _forget(self, gone: Key) -> None:
        for key in [key for key in self._grants if _lies_in(key, gone)]:
            del self._grants[key]
            if self._relations.get(_case_less(key)) == key:
                del self._relations[_case_less(key)]
        for setting in [setting for setting in self._settings if _lies_in(setting[0], gone)]:
            del self._settings[setting]
        if gone.kind in ("ROLE", "USER"):
            holder = (gone.kind, gone.name)
            for key, on in list(self._grants.items()):
                if any((each.grantee_kind, each.grantee) == holder for each in on.values()):
                    kept = {i: each for i, each in on.items() if (each.grantee_kind, each.grantee) != holder}
                    self._grants[key] = kept

    # Objects

    def exists(self, key: Key) -> bool:
        """Whether an object is known: every object has an owner."""
        return self.owner(key) is not None

    def owner(self, key: Key) -> str | None:
        """The role that owns an object."""
        for grant in self._grants.get(key, {}).values():
            if grant.privilege == OWNERSHIP and not grant.future_kind:
                return grant.grantee
        return None

    def created_on(self, key: Key) -> datetime | None:
        """When an object was made, or given to the role that owns it."""
        for grant in self._grants.get(key, {}).values():
            if grant.privilege == OWNERSHIP and not grant.future_kind:
                return grant.created_on
        return None

    def relation(self, database: str, schema: str, name: str) -> Key | None:
        """The table, view or stream of a name."""
        wanted = Key("TABLE", database, schema, name)
        found = self.beside(wanted)
        return found if found and replace(found, kind="TABLE") == wanted else None

    def beside(self, key: Key) -> Key | None:
        """What is where an object shall be, under a name that to DuckDB is the same."""
        if key.kind in RELATIONS:
            return self._relations.get(_case_less(key))
        if key.kind not in ("SCHEMA", "SEQUENCE"):
            return None
        return next((each for each in self.objects(key.kind) if _case_less(each) == _case_less(key)), None)

    def objects(self, kind: str | None = None) -> list[Key]:
        """Every known object, in order of name."""
        return sorted(
            key for key in list(self._grants) if (kind is None or key.kind == kind) and self.exists(key)
        )

    def grants_on(self, key: Key) -> list[Grant]:
        """The grants on an object, without those for the future."""
        return [grant for grant in self._grants.get(key, {}).values() if not grant.future_kind]

    def future_grants(self, container: Key, kind: str | None = None) -> list[Grant]:
        """What is granted on the objects to come of a database or schema."""
        return [
            grant
            for grant in self._grants.get(container, {}).values()
            if grant.future_kind and kind in (None, grant.future_kind)
        ]

    def all_grants(self) -> Iterator[Grant]:
        """Every grant there is."""
        for on in list(self._grants.values()):
            yield from on.values()

    def setting(self, key: Key, setting: str) -> str | None:
        """A fact about an object."""
        return self._settings.get((key, setting))

    def settings_of(self, key: Key) -> list[Setting]:
        """All facts about an object."""
        return [Setting(key, name, content) for (on, name), content in self._settings.items() if on == key]

    def set(self, key: Key, setting: str, content: str | None) -> None:
        """Keep a fact about an object, or forget it."""
        if content is None:
            self.apply(Change(unset=[(key, setting)]))
        else:
            self.apply(Change(settings=[Setting(key, setting, content)]))

    # Roles

    def roles_of(self, user: str) -> frozenset[str]:
        """The roles granted to a user, and PUBLIC; the one with the server's password is ACCOUNTADMIN too."""
        granted = {
            grant.key.name
            for grant in self.all_grants()
            if grant.grantee_kind == "USER" and grant.grantee == user and grant.privilege == USAGE
        }
        if user == LOCAL_USER:
            granted.add(ACCOUNTADMIN)
        return frozenset({PUBLIC, *granted})

    def take_roles_from(self, user: str) -> None:
        """Revoke every role of a user."""
        held = ("USER", user)
        self.apply(
            Change(revoked=[each for each in self.all_grants() if (each.grantee_kind, each.grantee) == held])
        )

    def inherited(self, role: str) -> frozenset[str]:
        """A role and all roles that it holds, directly or through others; PUBLIC among them."""
        found = self._closures.get(role)
        if found is None:
            held: dict[str, set[str]] = {}
            for grant in self.all_grants():
                if grant.key.kind == "ROLE" and grant.grantee_kind == "ROLE" and grant.privilege == USAGE:
                    held.setdefault(grant.grantee, set()).add(grant.key.name)
            reached, waiting = {PUBLIC}, [role] if self.exists(role_key(role)) else []
            while waiting:
                if (current := waiting.pop()) not in reached:
                    reached.add(current)
                    waiting.extend(held.get(current, ()))
            found = self._closures[role] = frozenset(reached)
        return found


def _case_less(key: Key) -> tuple[str, str, str]:
    return key.database.upper(), key.schema.upper(), key.name.upper()


def _lies_in(key: Key, outer: Key) -> bool:
    if outer.kind == "DATABASE":
        return key.database == outer.database
    if outer.kind == "SCHEMA":
        return (key.database, key.schema) == (outer.database, outer.schema)
    return key == outer


def _built_in() -> list[Grant]:
    """What every account has from the start; not kept on disk."""
    grants = [Grant(role_key(role), OWNERSHIP, "", "") for role in _SYSTEM_ROLES]
    grants += [Grant(role_key(role), USAGE, holder, "") for role, holder in _SYSTEM_MEMBERS]
    grants.append(Grant(ACCOUNT, OWNERSHIP, "", ""))
    given = {privilege for privileges in _SYSTEM_PRIVILEGES.values() for privilege in privileges}
    rest = tuple(privilege for privilege in GLOBAL if privilege not in given)
    for role, privileges in {**_SYSTEM_PRIVILEGES, ACCOUNTADMIN: rest}.items():
        grants += [Grant(ACCOUNT, privilege, role, "", grant_option=True) for privilege in privileges]
    return grants


def comment_of_system_role(role: str) -> str | None:
    """What a built-in role is for; None for any other role."""
    return _SYSTEM_ROLES.get(role)
