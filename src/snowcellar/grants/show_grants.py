"""SHOW GRANTS and SHOW FUTURE GRANTS.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-grants
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from snowcellar import show
from snowcellar.errors import ObjectNotFound
from snowcellar.grants import targets
from snowcellar.grants.key import ACCOUNT, Key, role_key
from snowcellar.grants.kinds import KINDS, OWNERSHIP, USAGE
from snowcellar.grants.rights import not_found, rights_of
from snowcellar.grants.role_statements import account_name, find_role, sees_role
from snowcellar.grants.store import Grant
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_FLAGS = re.IGNORECASE | re.DOTALL
_LIMIT = r"(?P<rest>(?:\s+LIMIT\s+\d+)?)\Z"
_OWN = re.compile(rf"SHOW\s+GRANTS{_LIMIT}", _FLAGS)
_TO_ROLE = re.compile(rf"SHOW\s+GRANTS\s+TO\s+ROLE\s+(?P<name>{NAME}){_LIMIT}", _FLAGS)
_TO_USER = re.compile(rf"SHOW\s+GRANTS\s+TO\s+USER\s+(?P<name>{NAME}){_LIMIT}", _FLAGS)
_OF_ROLE = re.compile(rf"SHOW\s+GRANTS\s+OF\s+ROLE\s+(?P<name>{NAME}){_LIMIT}", _FLAGS)
_ON = re.compile(rf"SHOW\s+GRANTS\s+ON\s+(?P<target>.+?){_LIMIT}", _FLAGS)
_FUTURE_IN = re.compile(
    rf"SHOW\s+FUTURE\s+GRANTS\s+IN\s+(?P<place>SCHEMA|DATABASE)\s+(?P<name>{NAME}){_LIMIT}", _FLAGS
)
_FUTURE_TO = re.compile(rf"SHOW\s+FUTURE\s+GRANTS\s+TO\s+ROLE\s+(?P<name>{NAME}){_LIMIT}", _FLAGS)

Columns = list[tuple[str, pa.DataType]]


def _columns(*names: str) -> Columns:
    return [("created_on", pa.timestamp("us", "UTC")), *((name, pa.string()) for name in names)]


_PRIVILEGES = _columns(
    *("privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by")
)
_MEMBERS = _columns("role", "granted_to", "grantee_name", "granted_by")
_FUTURE = _columns("privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")


def to_role(session: Session, match: re.Match[str]) -> Result:
    """SHOW GRANTS TO ROLE: what a role has been granted, and what it owns."""
    role = _visible_role(session, match["name"])
    found = (
        grant
        for grant in session.warehouse.grants.all_grants()
        if (grant.grantee_kind, grant.grantee) == ("ROLE", role) and not grant.future_kind
    )
    return _show_privileges(session, match["rest"], found)


def on_object(session: Session, match: re.Match[str]) -> Result:
    """SHOW GRANTS ON an object, or ON ACCOUNT."""
    target = targets.read(session, match["target"])
    (key,) = target.keys or (target.place,)
    if key != ACCOUNT and not rights_of(session).sees(key):
        raise not_found(key)
    found = [each for each in session.warehouse.grants.grants_on(key) if not _is_membership(each)]
    return _show_privileges(session, match["rest"], found)


def to_user(session: Session, match: re.Match[str]) -> Result:
    """SHOW GRANTS TO USER, or to the session's own."""
    user = account_name(match["name"]) if "name" in match.groupdict() else session.user
    rights = rights_of(session)
    if user != session.user and not rights.sees(Key("USER", name=user)):
        raise ObjectNotFound("User", user)
    catalogue = session.warehouse.grants
    rows = [
        [_created(session, role, user), role, "USER", user, ""]
        for role in sorted(catalogue.roles_of(user) - {"PUBLIC"})
    ]
    return show.answer(session, match["rest"], _MEMBERS, rows)


def of_role(session: Session, match: re.Match[str]) -> Result:
    """SHOW GRANTS OF ROLE: who has it."""
    role = _visible_role(session, match["name"])
    rows = [
        [grant.created_on, role, grant.grantee_kind, grant.grantee, grant.granted_by]
        for grant in session.warehouse.grants.grants_on(role_key(role))
        if _is_membership(grant)
    ]
    return show.answer(session, match["rest"], _MEMBERS, rows)


def future_in(session: Session, match: re.Match[str]) -> Result:
    """SHOW FUTURE GRANTS IN SCHEMA | DATABASE."""
    place = targets.named(session, KINDS[match["place"].upper()], match["name"])
    if not session.warehouse.grants.exists(place) or not rights_of(session).sees(place):
        raise not_found(place)
    return _show_future(session, match["rest"], session.warehouse.grants.future_grants(place))


def future_to(session: Session, match: re.Match[str]) -> Result:
    """SHOW FUTURE GRANTS TO ROLE."""
    role = _visible_role(session, match["name"])
    found = [
        each for each in session.warehouse.grants.all_grants() if each.future_kind and each.grantee == role
    ]
    return _show_future(session, match["rest"], found)


def _visible_role(session: Session, text: str) -> str:
    role = find_role(session, text)
    if not sees_role(session, role):
        raise ObjectNotFound("Role", role)
    return role


def _is_membership(grant: Grant) -> bool:
    return grant.key.kind == "ROLE" and grant.privilege == USAGE


def _created(session: Session, role: str, user: str) -> object:
    grants = session.warehouse.grants.grants_on(role_key(role))
    return next((each.created_on for each in grants if each.grantee == user), None)


def _show_privileges(session: Session, rest: str, grants: Iterable[Grant]) -> Result:
    rows = [
        [
            grant.created_on,
            grant.privilege,
            grant.key.kind.replace(" ", "_"),
            str(grant.key) or grant.key.short,
            grant.grantee_kind,
            grant.grantee,
            str(grant.grant_option or grant.privilege == OWNERSHIP).lower(),
            grant.granted_by,
        ]
        for grant in sorted(grants, key=lambda each: (each.key, each.privilege, each.grantee))
    ]
    return show.answer(session, rest, _PRIVILEGES, rows)


def _show_future(session: Session, rest: str, grants: Iterable[Grant]) -> Result:
    rows = [
        [
            grant.created_on,
            grant.privilege,
            grant.future_kind.replace(" ", "_"),
            f"{grant.key}.<{grant.future_kind}>",
            "ROLE",
            grant.grantee,
            str(grant.grant_option).lower(),
        ]
        for grant in sorted(grants, key=lambda each: (each.key, each.future_kind, each.privilege))
    ]
    return show.answer(session, rest, _FUTURE, rows)


STATEMENTS = [
    (_FUTURE_IN, future_in),
    (_FUTURE_TO, future_to),
    (_TO_ROLE, to_role),
    (_TO_USER, to_user),
    (_OF_ROLE, of_role),
    (_ON, on_object),
    (_OWN, to_user),
]
