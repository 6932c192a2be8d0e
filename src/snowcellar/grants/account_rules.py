"""Who may run the statements on databases, schemas, virtual warehouses and the session itself.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from snowcellar import (
    database_listing,
    databases,
    no_ops,
    session_statements,
    transaction_statements,
    virtual_warehouses,
)
from snowcellar.errors import ObjectCannotBeUsed
from snowcellar.grants import (
    creation,
    database_roles,
    grant_statements,
    managed_access,
    role_statements,
    rules,
    show_grants,
    targets,
)
from snowcellar.grants.key import Key
from snowcellar.grants.kinds import KINDS, OWNERSHIP, USAGE
from snowcellar.grants.rights import not_found, rights_of
from snowcellar.grants.role_statements import account_name
from snowcellar.grants.rules import Rule, Run
from snowcellar.grants.store import Change, Grant
from snowcellar.names import fold, split
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.users import integration_statements as integrations
from snowcellar.users import listing
from snowcellar.users import statements as users


def _account_object(kind: str) -> rules.Name:
    return lambda session, match: targets.named(session, KINDS[kind], match["name"])


_DATABASE, _SCHEMA, _WAREHOUSE = map(_account_object, ("DATABASE", "SCHEMA", "WAREHOUSE"))
_USER, _INTEGRATION = map(_account_object, ("USER", "INTEGRATION"))


def _create_database(session: Session, match: re.Match[str], run: Run) -> Result:
    """With its schema PUBLIC, which belongs to the same role."""
    key = _DATABASE(session, match)
    with (
        creation.creating(session, key, replace=bool(match["replace"])),
        creation.recording(session, Key("SCHEMA", key.database, "PUBLIC")),
    ):
        return run()


def _create_schema(session: Session, match: re.Match[str], run: Run) -> Result:
    """WITH MANAGED ACCESS is a property of the schema that is made, not of one that is there."""
    key = _SCHEMA(session, match)
    is_new = not session.warehouse.grants.exists(key)
    with creation.creating(session, key, replace=bool(match["replace"])):
        if is_new and match["managed"]:
            managed_access.set_managed(session, key, managed=True)
        return run()


def _drop_schema(session: Session, match: re.Match[str], run: Run) -> Result:
    """What the catalogue does not know is not there, whatever DuckDB has of that name."""
    key = _SCHEMA(session, match)
    if not match["exists"] and not session.warehouse.grants.exists(key):
        raise not_found(key)
    if not session.warehouse.grants.exists(key):
        session.commit_before_ddl()
        return Result.status(rules.GONE)
    return rules.drops(_SCHEMA)(session, match, run)


def _use(session: Session, match: re.Match[str], run: Run) -> Result:
    """USAGE on the database, and on a schema that is named."""
    parts = split(match["name"])
    is_schema = (match["kind"] or "").upper() == "SCHEMA" or len(parts) > 1
    database = parts[0] if len(parts) > 1 or not is_schema else session.database or ""
    rights = rights_of(session)
    keys = [Key("DATABASE", database), *([Key("SCHEMA", database, parts[-1])] if is_schema else [])]
    if len(parts) <= 2 and not all(rights.holds(USAGE, key) for key in keys):
        raise ObjectCannotBeUsed(".".join(parts))
    result = run()
    if not is_schema and not rights.holds(USAGE, Key("SCHEMA", database, "PUBLIC")):
        session.use(database, None)
    return result


def _use_warehouse(session: Session, match: re.Match[str], run: Run) -> Result:
    key = Key("WAREHOUSE", name=fold(match["name"]))
    if session.warehouse.grants.exists(key) and not rights_of(session).holds(USAGE, key):
        raise ObjectCannotBeUsed(key.name)
    return run()


def _alter_warehouse(session: Session, match: re.Match[str], run: Run) -> Result:
    """MODIFY for its properties, OPERATE for its state."""
    privilege = "MODIFY" if match["action"].upper().startswith("SET") else "OPERATE"
    return rules.needs(_WAREHOUSE, privilege)(session, match, run)


def _alter_user(session: Session, match: re.Match[str], run: Run) -> Result:
    """The handler looks at the ownership: some of its own anybody sets. A new name takes grants along."""
    catalogue, old = session.warehouse.grants, Key("USER", name=account_name(match["name"] or session.user))
    result = run()
    if match["action"].upper().startswith("RENAME") and catalogue.exists(old):
        new = Key("USER", name=account_name(match["clauses"]))
        roles = [each for each in catalogue.all_grants() if _is_to_user(each, old.name)]
        creation.renamed(session, old, new)
        catalogue.apply(Change(granted=[replace(each, grantee=new.name) for each in roles]))
    return result


def _is_to_user(grant: Grant, user: str) -> bool:
    return (grant.grantee_kind, grant.grantee) == ("USER", user)


def _retention(session: Session, match: re.Match[str], run: Run) -> Result:
    """Ownership of what is set; that it is there."""
    key = targets.named(session, KINDS[match["kind"].upper()], match["name"])
    if not (match["exists"] and not session.warehouse.grants.exists(key)):
        rights_of(session).require_any((OWNERSHIP, "MODIFY"), key)
    return run()


_FREE: tuple[Callable[..., Any], ...] = (
    *(transaction_statements.begin, transaction_statements.commit, transaction_statements.rollback),
    *(session_statements.alter_session_set, session_statements.alter_session_unset),
    *(session_statements.show_parameters, no_ops.accept, virtual_warehouses.show_warehouses),
    *(listing.show_users, listing.describe_user, users.refuse),
    *(integrations.show_integrations, integrations.describe_integration),
    # These look at the grants themselves.
    *(handler for _, handler in database_listing.STATEMENTS),
    *(handler for _, handler in role_statements.STATEMENTS),
    *(handler for _, handler in database_roles.STATEMENTS),
    *(handler for _, handler in grant_statements.STATEMENTS),
    *(handler for _, handler in show_grants.STATEMENTS),
    *(handler for _, handler in managed_access.STATEMENTS),
)
RULES: dict[Callable[..., Any], Rule] = {
    **dict.fromkeys(_FREE, rules.free),
    no_ops.accept_retention: _retention,
    users.create_user: rules.creates(_USER),
    users.alter_user: _alter_user,
    users.drop_user: rules.drops(_USER),
    integrations.create_integration: rules.creates(_INTEGRATION),
    integrations.alter_integration: rules.needs(_INTEGRATION, OWNERSHIP),
    integrations.drop_integration: rules.drops(_INTEGRATION),
    databases.create_database: _create_database,
    databases.drop_database: rules.drops(_DATABASE),
    databases.create_schema: _create_schema,
    databases.drop_schema: _drop_schema,
    databases.use: _use,
    session_statements.use_warehouse: _use_warehouse,
    virtual_warehouses.create_warehouse: rules.creates(_WAREHOUSE),
    virtual_warehouses.alter_warehouse: _alter_warehouse,
    virtual_warehouses.drop_warehouse: rules.drops(_WAREHOUSE),
}
