"""CURRENT_AVAILABLE_ROLES(), CURRENT_SECONDARY_ROLES() and IS_ROLE_IN_SESSION('role').

Source: https://docs.snowflake.com/en/sql-reference/functions/current_available_roles,
.../current_secondary_roles, .../is_role_in_session
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.grants.rights import available_roles, rights_of

if TYPE_CHECKING:
    from snowcellar.session import Session

IS_ROLE_IN_SESSION = "IS_ROLE_IN_SESSION"


def current_available_roles(session: Session) -> str:
    """The roles that the user may take, as a JSON list."""
    return json.dumps(sorted(available_roles(session)))


def current_secondary_roles(session: Session) -> str:
    """The secondary roles, as a JSON object: what is active, and what was asked for."""
    granted = session.warehouse.grants.roles_of(session.user)
    active = granted if session.secondary_roles == ("ALL",) else session.secondary_roles
    names = sorted(set(active) - {session.role})
    return json.dumps({"roles": ",".join(names), "value": ",".join(session.secondary_roles)})


def is_role_in_session(session: Session, node: exp.Expr) -> exp.Expr:
    """IS_ROLE_IN_SESSION('role') with a literal: whether the session's active roles hold it."""
    if not (isinstance(node, exp.Anonymous) and str(node.this).upper() == IS_ROLE_IN_SESSION):
        return node
    argument = node.expressions[0] if len(node.expressions) == 1 else None
    if not isinstance(argument, exp.Literal) or not argument.is_string:
        raise CompilationError("argument of IS_ROLE_IN_SESSION needs to be a constant string")
    answer = exp.true() if argument.name in rights_of(session).active else exp.false()
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        return exp.alias_(answer, node.sql(dialect="snowflake"), quoted=True)
    return answer
