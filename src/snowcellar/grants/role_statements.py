"""CREATE, ALTER, DROP, SHOW and USE ROLE, GRANT and REVOKE ROLE, USE SECONDARY ROLES.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-role, .../grant-role, .../use-role,
.../use-secondary-roles
"""

from __future__ import annotations

import re

import pyarrow as pa
from fakesnow import statement_type

from snowcellar import show
from snowcellar.errors import (
    AccessDenied,
    CompilationError,
    ObjectCannotBeUsed,
    ObjectExists,
    ObjectNotFound,
    RoleNotGranted,
    Unsupported,
)
from snowcellar.grants import creation
from snowcellar.grants.catalogue import COMMENT, PUBLIC, comment_of_system_role
from snowcellar.grants.key import Key, role_key
from snowcellar.grants.kinds import OWNERSHIP, USAGE
from snowcellar.grants.rights import Rights, available_roles, rights_of
from snowcellar.grants.store import Change, Grant
from snowcellar.names import PART, fold
from snowcellar.result import Result
from snowcellar.session import Session

_FLAGS = re.IGNORECASE | re.DOTALL
_NAME = rf"(?:IDENTIFIER\s*\(\s*'[^']+'\s*\)|{PART})"
_COMMENT = r"\s+COMMENT\s*=\s*'(?P<comment>(?:[^']|'')*)'"
_CREATE = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?ROLE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})(?:{_COMMENT})?\Z",
    _FLAGS,
)
_ALTER = re.compile(
    rf"ALTER\s+ROLE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{_NAME})\s+"
    rf"(?:SET{_COMMENT}|(?P<unset>UNSET\s+COMMENT)|(?P<other>.+))\Z",
    _FLAGS,
)
_DROP = re.compile(rf"DROP\s+ROLE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{_NAME})\Z", _FLAGS)
_GRANT = re.compile(
    rf"(?P<verb>GRANT|REVOKE)\s+ROLE\s+(?P<roles>{_NAME}(?:\s*,\s*{_NAME})*)\s+(?:TO|FROM)\s+"
    rf"(?P<kind>ROLE|USER)\s+(?P<grantee>{_NAME})\Z",
    _FLAGS,
)
_USE = re.compile(rf"USE\s+ROLE\s+(?P<name>{_NAME})\Z", _FLAGS)
_USE_SECONDARY = re.compile(
    rf"USE\s+SECONDARY\s+ROLES\s+(?P<roles>{PART}(?:\s*,\s*{PART})*)\Z", re.IGNORECASE
)
_SHOW = re.compile(r"SHOW\s+(?:TERSE\s+)?ROLES\b(?P<rest>.*)\Z", _FLAGS)
_UNWRAPPED = re.compile(r"\AIDENTIFIER\s*\(\s*'([^']+)'\s*\)\Z", re.IGNORECASE)

_SHOWN: list[tuple[str, pa.DataType]] = [
    ("created_on", pa.timestamp("us", "UTC")),
    *((name, pa.string()) for name in ("name", "is_default", "is_current", "is_inherited")),
    *((name, pa.int64()) for name in ("assigned_to_users", "granted_to_roles", "granted_roles")),
    ("owner", pa.string()),
    ("comment", pa.string()),
]
_DONE = "Statement executed successfully."


def account_name(text: str) -> str:
    """The folded name of a role, user or warehouse, IDENTIFIER('...') unwrapped."""
    call = _UNWRAPPED.match(text.strip())
    return fold(call[1] if call else text.strip())


def find_role(session: Session, text: str) -> str:
    """The role that a statement names."""
    name = account_name(text)
    if not session.warehouse.grants.exists(role_key(name)):
        raise ObjectNotFound("Role", name)
    return name


def sees_role(session: Session, role: str) -> bool:
    """Whether SHOW lists a role: it is held, owned or granted on, or grants are managed."""
    rights = rights_of(session)
    return role in rights.active or rights.sees(role_key(role)) or role in available_roles(session)


def create_role(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE] ROLE [IF NOT EXISTS]."""
    session.commit_before_ddl()
    name, catalogue = account_name(match["name"]), session.warehouse.grants
    key = role_key(name)
    if catalogue.exists(key) and not match["replace"]:
        rights_of(session).require_create("ROLE", key.container)
        if match["exists"]:
            return _status(f"{name} already exists, statement succeeded.")
        raise ObjectExists(name)
    if catalogue.exists(key):
        _drop(session, name)
    with creation.creating(session, key):
        if match["comment"]:
            catalogue.set(key, COMMENT, match["comment"].replace("''", "'"))
    return _status(f"Role {name} successfully created.")


def alter_role(session: Session, match: re.Match[str]) -> Result:
    """ALTER ROLE ... SET or UNSET COMMENT."""
    session.commit_before_ddl()
    if match["exists"] and not session.warehouse.grants.exists(role_key(account_name(match["name"]))):
        return _status(_DONE)
    key = role_key(find_role(session, match["name"]))
    if match["other"]:
        raise Unsupported(f"ALTER ROLE ... {' '.join(match['other'].split()[:2])}")
    rights_of(session).require(OWNERSHIP, key, key.name)
    comment = match["comment"].replace("''", "'") if match["comment"] is not None else None
    session.warehouse.grants.set(key, COMMENT, comment)
    return _status(_DONE)


def drop_role(session: Session, match: re.Match[str]) -> Result:
    """DROP ROLE: what it owned goes to the role that drops it."""
    session.commit_before_ddl()
    name = account_name(match["name"])
    if not session.warehouse.grants.exists(role_key(name)) or not sees_role(session, name):
        if match["exists"]:
            return _status("Drop statement executed successfully (object already dropped or not authorized).")
        raise ObjectNotFound("Role", name)
    _drop(session, name)
    return _status(f"{name} successfully dropped.")


def _drop(session: Session, name: str) -> None:
    catalogue, key = session.warehouse.grants, role_key(name)
    if comment_of_system_role(name) is not None:
        raise AccessDenied("role", name)
    with creation.dropping(session, key), catalogue.lock:
        owned = [
            grant
            for grant in catalogue.all_grants()
            if (grant.privilege, grant.grantee) == (OWNERSHIP, name) and not grant.future_kind
        ]
        heirs = [Grant(grant.key, OWNERSHIP, session.role, session.role) for grant in owned]
        catalogue.apply(Change(revoked=owned, granted=heirs))


def grant_role(session: Session, match: re.Match[str]) -> Result:
    """GRANT ROLE ... TO ROLE | USER, and REVOKE ROLE ... FROM."""
    session.commit_before_ddl()
    catalogue, rights = session.warehouse.grants, rights_of(session)
    kind = match["kind"].upper()
    grantee = account_name(match["grantee"])
    if kind == "ROLE":
        find_role(session, match["grantee"])
    else:
        session.warehouse.users.find(grantee)
    roles = [find_role(session, name) for name in re.findall(_NAME, match["roles"], _FLAGS)]
    granting = match["verb"].upper() == "GRANT"
    with catalogue.lock:
        for role in roles:
            _require_authority(rights, role)
            if granting and kind == "ROLE" and role_key(grantee).name in _with_itself(rights, role):
                raise CompilationError(
                    f"Role '{role}' cannot be granted to role '{grantee}': the grant would make a cycle.",
                    3006,
                    "42601",
                )
        members = [Grant(role_key(role), USAGE, grantee, session.role, grantee_kind=kind) for role in roles]
        catalogue.apply(Change(granted=members) if granting else Change(revoked=members))
    return _status(_DONE)


def _require_authority(rights: Rights, role: str) -> None:
    key = role_key(role)
    if role == PUBLIC or not (rights.manages_grants or rights.owns(key)):
        raise AccessDenied("role", role)


def _with_itself(rights: Rights, role: str) -> frozenset[str]:
    return (rights.catalogue.inherited(role) - {PUBLIC}) | {role}


def use_role(session: Session, match: re.Match[str]) -> Result:
    """USE ROLE: one that the user has, directly or through another."""
    name = account_name(match["name"])
    if not session.warehouse.grants.exists(role_key(name)):
        raise ObjectCannotBeUsed(name)
    if name not in available_roles(session):
        raise RoleNotGranted(name)
    session.role = name
    return Result.status(_DONE)


def use_secondary_roles(session: Session, match: re.Match[str]) -> Result:
    """USE SECONDARY ROLES ALL | NONE | names."""
    names = tuple(fold(part) for part in re.findall(PART, match["roles"]))
    if names in (("ALL",), ("NONE",)):
        session.secondary_roles = names if names == ("ALL",) else ()
        return Result.status(_DONE)
    for name in names:
        if name not in available_roles(session):
            raise RoleNotGranted(name)
    session.secondary_roles = names
    return Result.status(_DONE)


def show_roles(session: Session, match: re.Match[str]) -> Result:
    """SHOW ROLES with LIKE, STARTS WITH and LIMIT: those that the session may see."""
    rows = [_row(session, key) for key in session.warehouse.grants.objects("ROLE")]
    return show.answer(
        session, match["rest"], _SHOWN, [row for row in rows if sees_role(session, str(row[1]))]
    )


def _row(session: Session, key: Key) -> list[object]:
    catalogue = session.warehouse.grants
    members = [grant for grant in catalogue.grants_on(key) if grant.privilege == USAGE]
    owner = next(grant for grant in catalogue.grants_on(key) if grant.privilege == OWNERSHIP)
    held = [
        grant for grant in catalogue.all_grants() if grant.key.kind == "ROLE" and grant.privilege == USAGE
    ]
    direct = catalogue.roles_of(session.user)
    return [
        owner.created_on,
        key.name,
        "N",
        "Y" if key.name == session.role else "N",
        "Y" if key.name in available_roles(session) - direct else "N",
        sum(grant.grantee_kind == "USER" for grant in members),
        sum(grant.grantee_kind == "ROLE" for grant in members),
        sum((grant.grantee_kind, grant.grantee) == ("ROLE", key.name) for grant in held),
        owner.grantee,
        catalogue.setting(key, COMMENT) or comment_of_system_role(key.name) or "",
    ]


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [
    (_CREATE, create_role),
    (_ALTER, alter_role),
    (_DROP, drop_role),
    (_GRANT, grant_role),
    (_USE, use_role),
    (_USE_SECONDARY, use_secondary_roles),
    (_SHOW, show_roles),
]
