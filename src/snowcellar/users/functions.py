"""SYSTEM$GET_LOGIN_FAILURE_DETAILS.

Source: https://docs.snowflake.com/en/sql-reference/functions/system_get_login_failure_details
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.session import Session
from snowcellar.users import rights


def login_failure_details(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """Why a login was refused, by the id in the refusal; for who administers the account."""
    rights.require_integrations(session)
    if len(arguments) != 1:
        raise CompilationError("SYSTEM$GET_LOGIN_FAILURE_DETAILS takes the id in the error's text.", 939)
    return exp.Literal.string(session.warehouse.failed_logins.details(arguments[0]))


SYSTEM_FUNCTIONS = {"SYSTEM$GET_LOGIN_FAILURE_DETAILS": login_failure_details}
