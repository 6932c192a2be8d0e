"""The door: who a login request speaks for, and the session that it gets.

Source: https://docs.snowflake.com/en/user-guide/admin-user-management, .../oauth-ext-overview
The password that is made at every start is the local user's alone: users of CREATE USER have keys, tokens or
a password of their own.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from snowcellar.errors import Unsupported
from snowcellar.grants.key import role_key
from snowcellar.grants.login import enter_place, may_take
from snowcellar.grants.rights import available_roles
from snowcellar.names import fold, split
from snowcellar.users import key_pair, oauth, passwords, refusals
from snowcellar.users.refusals import TokenRefused
from snowcellar.users.registry import LOCAL_USER
from snowcellar.users.user import User

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

PUBLIC: Final = "PUBLIC"
"""The role of a user without a default role."""


@dataclass(frozen=True)
class Admission:
    """A user whose credential was right, and the token that limits its roles, if one does."""

    user: User
    token: oauth.Admitted | None = None


def open_session(warehouse: Warehouse, data: Mapping[str, Any], context: Mapping[str, str]) -> Session:
    """A session for the user that a login request proves to be, in the context that it asks for.

    data: what the request holds; context: the parameters of its address.
    """
    admission = _admit(warehouse, data)
    if admission.user.disabled:
        raise refusals.disabled()
    user = admission.user
    role = _role(admission, context.get("roleName"))
    database, schema = _namespace(user, context)
    session = warehouse.open_session(user=user.name, role=role)
    try:
        _require_granted(session, context.get("roleName"))
        session.secondary_roles = _secondary_roles(user)
        if (token := admission.token) is not None:
            session.token_roles = frozenset(filter(token.permits, available_roles(session)))
        enter_place(session, database, schema)
        _set_up(session, user, data, context)
    except BaseException:
        warehouse.close_session(session)
        raise
    return session


def _require_granted(session: Session, requested: str | None) -> None:
    """LoginRefused for a role that is not the user's."""
    if may_take(session, session.role):
        return
    if not requested:
        raise refusals.default_role_not_granted(session.role)
    if not session.warehouse.grants.exists(role_key(session.role)):
        raise refusals.unknown_role(session.role)
    raise refusals.role_not_granted(session.role)


def _secondary_roles(user: User) -> tuple[str, ...]:
    """All roles, unless the user was set up without; none for the local user, so that USE ROLE is felt."""
    default = () if user.name == LOCAL_USER else ("ALL",)
    return tuple(user.properties.get("DEFAULT_SECONDARY_ROLES", default))


def _set_up(session: Session, user: User, data: Mapping[str, Any], context: Mapping[str, str]) -> None:
    named = context.get("warehouse") or user.properties.get("DEFAULT_WAREHOUSE")
    session.virtual_warehouse = fold(named) if named else None
    for name, value in (data.get("SESSION_PARAMETERS") or {}).items():
        session.set_parameter(name, value)


def _admit(warehouse: Warehouse, data: Mapping[str, Any]) -> Admission:
    authenticator = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()
    # A token is ASCII; whatever else came is then a token that is wrong.
    token = str(data.get("TOKEN") or "").strip().encode("ascii", "replace").decode()
    try:
        match authenticator:
            case "SNOWFLAKE":
                name, password = str(data.get("LOGIN_NAME") or ""), str(data.get("PASSWORD") or "")
                return Admission(_with_password(warehouse, name or LOCAL_USER, password))
            case "SNOWFLAKE_JWT":
                return Admission(_with_key(warehouse, token, str(data.get("LOGIN_NAME") or "")))
            case "OAUTH":
                admitted = oauth.admitted_by(
                    token, warehouse.integrations, warehouse.users, _addresses(warehouse)
                )
                return Admission(admitted.user, admitted)
    except TokenRefused as refused:
        version = data.get("CLIENT_APP_VERSION")
        raise warehouse.failed_logins.refusal(
            refused, str(data.get("CLIENT_APP_ID") or "OTHER"), str(version) if version else None
        ) from refused
    raise Unsupported(
        f"authenticator {authenticator}", "Use a password, a key pair (SNOWFLAKE_JWT) or a token (OAUTH)."
    )


def _with_password(warehouse: Warehouse, login_name: str, password: str) -> User:
    user = warehouse.users.with_login_name(login_name)
    if user is None:
        raise refusals.wrong_password()
    given, made = password.encode(errors="replace"), warehouse.password.encode()
    local = user.name == LOCAL_USER and hmac.compare_digest(given, made)
    if not local and (user.password is None or not passwords.matches(password, user.password)):
        raise refusals.wrong_password()
    return user


def _with_key(warehouse: Warehouse, token: str, login_name: str) -> User:
    user = key_pair.user_of(token, warehouse.account, warehouse.users)
    if login_name and login_name.upper() != user.login_name:
        raise TokenRefused("JWT_TOKEN_INVALID", user.name)
    return user


def _addresses(warehouse: Warehouse) -> set[str]:
    """What a token may be meant for without a list of audiences: the address of this account."""
    known = {f"https://{warehouse.account}.snowflakecomputing.com"}
    if warehouse.address is not None:
        known.add("http://{}:{}".format(*warehouse.address))
    return known


def _role(admission: Admission, requested: str | None) -> str:
    role = fold(requested) if requested else admission.user.default_role or PUBLIC
    if admission.token is not None and not admission.token.permits(role):
        raise refusals.role_not_in_token(role)
    return role


def _namespace(user: User, context: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The database and schema of the connection; the user's own where it names none."""
    database, schema = (context.get(key) or None for key in ("databaseName", "schemaName"))
    if database is None and (default := user.properties.get("DEFAULT_NAMESPACE")):
        parts = split(default)
        return parts[0], fold(schema) if schema else (parts[1] if len(parts) > 1 else None)
    return fold(database) if database else None, fold(schema) if schema else None
