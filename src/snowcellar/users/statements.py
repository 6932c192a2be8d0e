"""CREATE, ALTER and DROP USER.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-user, .../alter-user, .../drop-user
Session parameters and policies of a user, tags, and programmatic access tokens are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fakesnow import statement_type

from snowcellar.errors import ObjectExists, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.names import NAME, fold
from snowcellar.result import Result
from snowcellar.session import DEFAULT_PARAMETERS, Session
from snowcellar.users import properties, rights
from snowcellar.users.registry import LOCAL_USER
from snowcellar.users.user import TYPES, User

_FLAGS = re.IGNORECASE | re.DOTALL
_CREATE = re.compile(
    rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?USER\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?P<clauses>(?:\s.*)?)\Z",
    _FLAGS,
)
_ALTER = re.compile(
    rf"ALTER\s+USER\s+(?P<exists>IF\s+EXISTS\s+)?(?:(?!(?:SET|UNSET)\s)(?P<name>{NAME})\s+)?"
    rf"(?P<action>SET|UNSET|RENAME\s+TO)\s+(?P<clauses>.+)\Z",
    _FLAGS,
)
_DROP = re.compile(rf"DROP\s+USER\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_OTHER = re.compile(rf"ALTER\s+USER\s+(?:IF\s+EXISTS\s+)?{NAME}\s+(?P<action>\w+(?:\s+\w+)*).*\Z", _FLAGS)

READERS: Final[Mapping[str, properties.Reader]] = {
    "PASSWORD": properties.text,
    "LOGIN_NAME": properties.upper_text,
    **dict.fromkeys(
        ("DISPLAY_NAME", "FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "EMAIL", "COMMENT"), properties.text
    ),
    "DISABLED": properties.flag,
    "DEFAULT_WAREHOUSE": properties.identifier,
    "DEFAULT_NAMESPACE": properties.identifier,
    "DEFAULT_ROLE": properties.identifier,
    "DEFAULT_SECONDARY_ROLES": properties.names,
    "RSA_PUBLIC_KEY": properties.text,
    "RSA_PUBLIC_KEY_2": properties.text,
    "TYPE": properties.choice(*TYPES),
}
"""How each property is written."""

REFUSED: Final[Mapping[str, str]] = {
    "MUST_CHANGE_PASSWORD": "Nobody is asked for a new password here; leave it out.",
    **dict.fromkeys(
        ("DAYS_TO_EXPIRY", "MINS_TO_UNLOCK", "MINS_TO_BYPASS_MFA", "NETWORK_POLICY", "WORKLOAD_IDENTITY"), ""
    ),
    **dict.fromkeys(DEFAULT_PARAMETERS, "Set the parameter in the session (ALTER SESSION)."),
}
_DONE: Final = "Statement executed successfully."


def create_user(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE] USER [IF NOT EXISTS]."""
    session.commit_before_ddl()
    rights.require_create_user(session)
    name, users = fold(match["name"]), session.warehouse.users
    found = properties.read_set("USER", READERS, REFUSED, match["clauses"])
    with users.lock:
        if name in users.all and not match["replace"]:
            if match["exists"]:
                return _status(f"{name} already exists, statement succeeded.")
            raise ObjectExists(name)
        if name in users.all:
            _refuse_local_user(name, "CREATE OR REPLACE")
            rights.require_owner(session, users.all[name])
        user = User(name, owner=session.role).with_properties(found)
        _require_free_login_name(session, user)
        # Another user of that name has neither the roles nor the sessions of the one it replaces.
        session.warehouse.grants.take_roles_from(name)
        users.save(user)
    session.warehouse.end_sessions(name, but=session)
    return _status(f"User {name} successfully created.")


def alter_user(session: Session, match: re.Match[str]) -> Result:
    """ALTER USER [IF EXISTS] [name] SET | UNSET | RENAME TO; without a name, the user that asks."""
    session.commit_before_ddl()
    name, users = fold(match["name"]) if match["name"] else session.user, session.warehouse.users
    with users.lock:
        if name not in users.all and match["exists"]:
            return _status(_DONE)
        user = users.find(name)
        if match["action"].upper() == "SET":
            changes = properties.read_set("USER", READERS, REFUSED, match["clauses"])
        elif match["action"].upper() == "UNSET":
            changes = dict.fromkeys(properties.read_unset("USER", READERS, REFUSED, match["clauses"]))
        else:
            return _rename(session, user, fold(match["clauses"].strip()))
        if not (name == session.user and set(changes) <= rights.OWN):
            rights.require_owner(session, user)
        changed = user.with_properties(changes)
        _require_free_login_name(session, changed)
        users.save(changed)
    if changed.disabled:
        session.warehouse.end_sessions(name, but=session)
    return _status(_DONE)


def drop_user(session: Session, match: re.Match[str]) -> Result:
    """DROP USER: its sessions end with it."""
    session.commit_before_ddl()
    name, users = fold(match["name"]), session.warehouse.users
    with users.lock:
        if name not in users.all:
            if match["exists"]:
                return _status("Drop statement executed successfully (USER already dropped).")
            raise ObjectNotFound("User", name)
        _refuse_local_user(name, "DROP")
        rights.require_owner(session, users.all[name])
        users.remove(name)
    session.warehouse.end_sessions(name, but=session)
    return _status(f"{name} successfully dropped.")


def refuse(session: Session, match: re.Match[str]) -> Result:
    """What else there is of ALTER USER."""
    raise Unsupported(f"ALTER USER ... {' '.join(match['action'].upper().split()[:4])}")


def _rename(session: Session, user: User, name: str) -> Result:
    _refuse_local_user(user.name, "RENAME")
    rights.require_owner(session, user)
    if name in session.warehouse.users.all:
        raise ObjectExists(name)
    # The login name stays what it was, as in Snowflake.
    kept = {**user.properties, "LOGIN_NAME": user.login_name}
    session.warehouse.users.save(replace(user, name=name, properties=kept), instead_of=user.name)
    return _status(_DONE)


def _require_free_login_name(session: Session, user: User) -> None:
    other = session.warehouse.users.with_login_name(user.login_name)
    if other is not None and other.name != user.name:
        raise WarehouseError(
            f"SQL execution error:\nUser with login name '{user.login_name}' already exists.", 3666, "42710"
        )


def _refuse_local_user(name: str, verb: str) -> None:
    if name == LOCAL_USER:
        raise Unsupported(
            f"{verb} of user {LOCAL_USER}", "It is who logs in with the password of the connection file."
        )


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [(_CREATE, create_user), (_ALTER, alter_user), (_DROP, drop_user), (_OTHER, refuse)]
