"""What the warehouse loads for access control: its statements and the tables of the catalogue."""

from __future__ import annotations

from snowcellar.grants import (
    account_rules,
    database_roles,
    grant_statements,
    managed_access,
    object_rules,
    role_statements,
    show_grants,
    store,
)

STATEMENTS = [
    *role_statements.STATEMENTS,
    *database_roles.STATEMENTS,
    *grant_statements.STATEMENTS,
    *show_grants.STATEMENTS,
    *managed_access.STATEMENTS,
]
RULES = {**account_rules.RULES, **object_rules.RULES}
GLOBAL_DDL = store.GLOBAL_DDL
