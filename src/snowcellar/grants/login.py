"""The role and the place that a new session starts in.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-overview#active-roles
"""

from __future__ import annotations

from snowcellar.grants.key import Key
from snowcellar.grants.kinds import USAGE
from snowcellar.grants.rights import available_roles, rights_of
from snowcellar.session import Session


def may_take(session: Session, role: str) -> bool:
    """Whether the session's user has a role, directly or through another."""
    return role in available_roles(session)


def enter_place(session: Session, database: str | None, schema: str | None) -> None:
    """Make a database and a schema current; what the role may not use is left out, as what is not there."""
    rights = rights_of(session)
    if database is not None and not rights.holds(USAGE, Key("DATABASE", database)):
        database = schema = None
    if database and schema and not rights.holds(USAGE, Key("SCHEMA", database, schema)):
        schema = None
    session.use(database, schema)
