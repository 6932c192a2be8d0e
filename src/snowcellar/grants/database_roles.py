"""GRANT and REVOKE DATABASE ROLE SNOWFLAKE.x: the roles that Snowflake brings for its own functions.

One opens something here: ALERT_VIEWER, SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID to the owner of an alert.
What the others open, any role may use.
Source: https://docs.snowflake.com/en/sql-reference/functions/get_condition_query_uuid
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fakesnow import statement_type

from snowcellar.errors import AccessDenied, CompilationError
from snowcellar.grants.catalogue import ACCOUNTADMIN
from snowcellar.grants.key import Key
from snowcellar.grants.kinds import USAGE
from snowcellar.grants.rights import rights_of, rights_of_role
from snowcellar.grants.role_statements import find_role
from snowcellar.grants.store import Change, Grant
from snowcellar.names import PART, fold
from snowcellar.result import Result

if TYPE_CHECKING:
    from snowcellar.session import Session
    from snowcellar.warehouse import Warehouse

_GRANT = re.compile(
    rf"(?P<verb>GRANT|REVOKE)\s+DATABASE\s+ROLE\s+SNOWFLAKE\s*\.\s*(?P<name>{PART})\s+(?:TO|FROM)\s+"
    rf"ROLE\s+(?P<role>{PART})\Z",
    re.IGNORECASE,
)
ALERT_VIEWER: Final = Key("DATABASE ROLE", "SNOWFLAKE", name="ALERT_VIEWER")


def grant(session: Session, match: re.Match[str]) -> Result:
    """To a role, by whoever manages grants."""
    session.commit_before_ddl()
    key, rights = Key("DATABASE ROLE", "SNOWFLAKE", name=fold(match["name"])), rights_of(session)
    if not rights.manages_grants:
        raise AccessDenied("database role", str(key))
    given = [Grant(key, USAGE, find_role(session, match["role"]), session.role)]
    granting = match["verb"].upper() == "GRANT"
    session.warehouse.grants.apply(Change(granted=given) if granting else Change(revoked=given))
    return Result.status("Statement executed successfully.", statement_type.DDL)


def require_alert_viewer(warehouse: Warehouse, owner: str) -> None:
    """Refuse the alert of a role that may not ask for what its condition found."""
    rights = rights_of_role(warehouse.grants, owner)
    if ACCOUNTADMIN not in rights.active and not rights.holds(USAGE, ALERT_VIEWER):
        raise CompilationError("Unknown function SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID", 2140, "42601")


STATEMENTS = [(_GRANT, grant)]
