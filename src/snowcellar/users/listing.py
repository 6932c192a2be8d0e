"""SHOW USERS and DESCRIBE USER.

Source: https://docs.snowflake.com/en/sql-reference/sql/show-users, .../desc-user
A role that owns a user, or administers users, sees all of it; others see that it is there.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from snowcellar import show
from snowcellar.grants.key import Key
from snowcellar.names import NAME, fold
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.users import public_keys, rights
from snowcellar.users.user import KEYS, User

_SHOW = re.compile(r"SHOW\s+(?:TERSE\s+)?USERS\b(?P<rest>.*)\Z", re.IGNORECASE | re.DOTALL)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+USER\s+(?P<name>{NAME})\Z", re.IGNORECASE)

_SHOWN: Final = (
    *("name", "created_on", "login_name", "display_name", "first_name", "last_name", "email", "comment"),
    *("disabled", "default_warehouse", "default_namespace", "default_role", "default_secondary_roles"),
    *("owner", "has_password", "has_rsa_public_key", "type"),
)
_SEEN_BY_ALL: Final = ("name", "created_on", "owner")
_DESCRIBED: Final = (
    ("NAME", "Name"),
    ("COMMENT", "user comment associated to an object in the dictionary"),
    ("DISPLAY_NAME", "Display name of the associated object"),
    ("TYPE", "Type of the user"),
    ("LOGIN_NAME", "Login name of the user"),
    ("FIRST_NAME", "First name of the user"),
    ("MIDDLE_NAME", "Middle name of the user"),
    ("LAST_NAME", "Last name of the user"),
    ("EMAIL", "Email address of the user"),
    ("PASSWORD", "Password of the user"),
    ("DISABLED", "Whether the user is disabled"),
    ("DEFAULT_WAREHOUSE", "Default warehouse for this user"),
    ("DEFAULT_NAMESPACE", "Default database namespace prefix for this user"),
    ("DEFAULT_ROLE", "Primary principal of user session will be set to this role"),
    ("DEFAULT_SECONDARY_ROLES", "The secondary roles will be set to all roles provided here"),
    *(
        (f"{key}{suffix}", f"{words} of the user's RSA public key{' 2' if key.endswith('2') else ''}")
        for key in KEYS
        for suffix, words in (
            ("", "Text"),
            ("_FP", "Fingerprint"),
            ("_LAST_SET_TIME", "Time of the last set"),
        )
    ),
    ("PASSWORD_LAST_SET_TIME", "The timestamp on which the last non-null password was set for the user"),
    ("HAS_KEYPAIR", "Whether the user has a public key"),
)


def show_users(session: Session, match: re.Match[str]) -> Result:
    """SHOW USERS with LIKE, STARTS WITH and LIMIT."""
    columns = [(name, pa.timestamp("us", "UTC") if name == "created_on" else pa.string()) for name in _SHOWN]
    rows = [_row(session, user) for user in session.warehouse.users.all.values()]
    return show.answer(session, match["rest"], columns, rows)


def _row(session: Session, user: User) -> list[Any]:
    set_ = user.properties
    values = {
        **{name: set_.get(name.upper()) for name in _SHOWN},
        "name": user.name,
        "created_on": datetime.fromisoformat(user.created_on),
        "login_name": user.login_name,
        "display_name": set_.get("DISPLAY_NAME", user.name),
        "disabled": _word(user.disabled),
        "default_secondary_roles": _list(user),
        "owner": session.warehouse.grants.owner(Key("USER", name=user.name)),
        "has_password": _word(user.password is not None),
        "has_rsa_public_key": _word(bool(user.public_keys)),
        "type": user.type,
    }
    seen = rights.may_see(session, user)
    return [values[name] if seen or name in _SEEN_BY_ALL else None for name in _SHOWN]


def describe_user(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE USER: a row a property. One's own user may be described by any role."""
    user = session.warehouse.users.find(fold(match["name"]))
    if user.name != session.user:
        rights.require_owner(session, user)
    values = _described(user)
    rows = [[name, values.get(name, "null"), "null", words] for name, words in _DESCRIBED]
    return Result.rows(
        [(name, pa.string()) for name in ("property", "value", "default", "description")], rows
    )


def _described(user: User) -> dict[str, str]:
    values = {name: str(value) for name, value in user.properties.items()}
    values |= {"NAME": user.name, "LOGIN_NAME": user.login_name, "DISABLED": _word(user.disabled)}
    values["DISPLAY_NAME"] = values.get("DISPLAY_NAME", user.name)
    if user.password is not None:
        values["PASSWORD"] = "*" * 8
    if "DEFAULT_SECONDARY_ROLES" in user.properties:
        values["DEFAULT_SECONDARY_ROLES"] = _list(user) or ""
    for key in KEYS:
        if user.properties.get(key):
            values[f"{key}_FP"] = public_keys.fingerprint(user.properties[key])
    for name, moment in user.set_on.items():
        values[f"{name}_LAST_SET_TIME"] = moment
    values["HAS_KEYPAIR"] = _word(bool(user.public_keys))
    return values


def _list(user: User) -> str | None:
    roles = user.properties.get("DEFAULT_SECONDARY_ROLES")
    return None if roles is None else json.dumps(roles)


def _word(value: bool) -> str:
    return "true" if value else "false"


STATEMENTS = [(_SHOW, show_users), (_DESCRIBE, describe_user)]
