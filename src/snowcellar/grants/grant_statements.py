"""GRANT and REVOKE of privileges, on objects, on all and on future ones, on the account; GRANT OWNERSHIP.

Source: https://docs.snowflake.com/en/sql-reference/sql/grant-privilege, .../grant-ownership,
.../revoke-privilege
A REVOKE takes back what is named and leaves what its holder passed on with the grant option.
"""

from __future__ import annotations

import dataclasses
import re

from fakesnow import statement_type

from snowcellar.errors import AccessDenied, CompilationError, Unsupported, WarehouseError
from snowcellar.grants import targets
from snowcellar.grants.catalogue import MANAGED
from snowcellar.grants.key import ACCOUNT, Key
from snowcellar.grants.kinds import OWNERSHIP, SCHEMA_LEVEL, check_privilege
from snowcellar.grants.rights import Rights, rights_of
from snowcellar.grants.role_statements import find_role
from snowcellar.grants.store import Change, Grant
from snowcellar.grants.targets import Target
from snowcellar.names import PART, QualifiedName
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.tasks import graph

_FLAGS = re.IGNORECASE | re.DOTALL
_TO = rf"(?:ROLE\s+)?(?P<grantee>(?!USER\b|SHARE\b|DATABASE\b|APPLICATION\b){PART})"
_PRIVILEGES = r"(?P<privileges>(?!ROLE\b|DATABASE\s+ROLE\b|OWNERSHIP\b)[A-Z_]+(?:[\s,]+[A-Z_]+)*?)"
_OWNERSHIP = re.compile(
    rf"GRANT\s+OWNERSHIP\s+ON\s+(?P<target>.+?)\s+TO\s+{_TO}(?:\s+(?P<current>COPY|REVOKE)\s+CURRENT\s+GRANTS)?\Z",
    _FLAGS,
)
_GRANT = re.compile(
    rf"GRANT\s+{_PRIVILEGES}\s+ON\s+(?P<target>.+?)\s+TO\s+{_TO}(?P<option>\s+WITH\s+GRANT\s+OPTION)?\Z",
    _FLAGS,
)
_REVOKE = re.compile(
    r"REVOKE\s+(?P<option>GRANT\s+OPTION\s+FOR\s+)?(?P<privileges>[A-Z_]+(?:[\s,]+[A-Z_]+)*?)"
    rf"\s+ON\s+(?P<target>.+?)\s+FROM\s+{_TO}(?:\s+(?:RESTRICT|CASCADE))?\Z",
    _FLAGS,
)
_OTHER = re.compile(r"(?P<verb>GRANT|REVOKE)\s+(?!DATABASE\s+ROLE\s+SNOWFLAKE\b).+\Z", _FLAGS)
_DONE = "Statement executed successfully."


def grant(session: Session, match: re.Match[str]) -> Result:
    """GRANT privileges ON ... TO ROLE ... [WITH GRANT OPTION]."""
    session.commit_before_ddl()
    grantee = find_role(session, match["grantee"])
    target = targets.read(session, match["target"])
    rights, catalogue = rights_of(session), session.warehouse.grants
    with catalogue.lock:
        made = [
            dataclasses.replace(each, grantee=grantee, grant_option=bool(match["option"]))
            for each in _of_target(session, target, _privileges(match, target), rights)
        ]
        catalogue.apply(Change(granted=made))
    return _done(target)


def revoke(session: Session, match: re.Match[str]) -> Result:
    """REVOKE [GRANT OPTION FOR] privileges ON ... FROM ROLE ..."""
    session.commit_before_ddl()
    grantee = find_role(session, match["grantee"])
    target = targets.read(session, match["target"])
    rights, catalogue = rights_of(session), session.warehouse.grants
    privileges = _privileges(match, target)
    if OWNERSHIP in privileges and target.which != "FUTURE":
        raise CompilationError("OWNERSHIP cannot be revoked, only granted to another role.", 3015)
    with catalogue.lock:
        named = _of_target(session, target, privileges, rights)
        wanted = {dataclasses.replace(each, grantee=grantee).identity for each in named}
        found = [each for each in catalogue.all_grants() if each.identity in wanted]
        kept = [dataclasses.replace(each, grant_option=False) for each in found] if match["option"] else []
        catalogue.apply(Change(revoked=found, granted=kept))
    return _done(target)


def grant_ownership(session: Session, match: re.Match[str]) -> Result:
    """GRANT OWNERSHIP ON ... TO ROLE ... [COPY | REVOKE CURRENT GRANTS]."""
    session.commit_before_ddl()
    grantee = find_role(session, match["grantee"])
    target = targets.read(session, match["target"])
    rights, catalogue = rights_of(session), session.warehouse.grants
    current = (match["current"] or "").upper()
    if target.kind.name == "ACCOUNT":
        raise AccessDenied("account", ACCOUNT.short)
    with catalogue.lock:
        change = Change()
        if target.which == "FUTURE":
            _require_future_authority(rights, target)
            change.revoked = [
                each
                for each in catalogue.future_grants(target.place, target.kind.name)
                if each.privilege == OWNERSHIP
            ]
            new = Grant(target.place, OWNERSHIP, grantee, session.role, future_kind=target.kind.name)
            change.granted = [new]
        for key in target.keys:
            _require_authority(rights, OWNERSHIP, key)
            _transfer(session, key, grantee, current, change)
        catalogue.apply(change)
    return _done(target)


def _transfer(session: Session, key: Key, grantee: str, current: str, change: Change) -> None:
    """Give an object to another role, with the grants that others have on it or without them."""
    if key.kind == "TASK":
        registry = session.warehouse.tasks
        task = registry.find(QualifiedName(key.database, key.schema, key.name))
        graph.require_suspended(registry.tasks, task)
    on = session.warehouse.grants.grants_on(key)
    others = [each for each in on if each.privilege != OWNERSHIP and key.kind != "ROLE"]
    if others and not current:
        first = others[0]
        raise WarehouseError(
            f"SQL execution error:\nDependent grant of privilege '{first.privilege}' on securable '{key}' "
            f"to role '{first.grantee}' exists. It must be revoked first. More than one dependent "
            "grant may exist: use 'SHOW GRANTS' command to view them. To revoke all dependent grants while "
            "transferring object ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO "
            "<target_role> REVOKE CURRENT GRANTS'.",
            3036,
            "42501",
        )
    change.revoked += [each for each in on if each.privilege == OWNERSHIP]
    if current == "REVOKE":
        change.revoked += others
    change.granted.append(Grant(key, OWNERSHIP, grantee, grantee))


def refuse(session: Session, match: re.Match[str]) -> Result:
    """Grants of other forms: to users, shares, database roles and applications."""
    raise Unsupported(f"{match['verb'].upper()} in this form", "Grant to roles, and roles to users.")


def _privileges(match: re.Match[str], target: Target) -> list[str]:
    named = [" ".join(each.upper().split()) for each in match["privileges"].split(",")]
    if named in (["ALL"], ["ALL PRIVILEGES"]):
        return sorted(target.kind.privileges)
    for privilege in named:
        check_privilege(target.kind, privilege)
    return named


def _of_target(session: Session, target: Target, privileges: list[str], rights: Rights) -> list[Grant]:
    """The grants that a statement speaks of, to nobody yet."""
    if target.which == "FUTURE":
        _require_future_authority(rights, target)
        kind = target.kind.name
        return [Grant(target.place, each, "", session.role, future_kind=kind) for each in privileges]
    grants = []
    for key in target.keys:
        for privilege in privileges:
            _require_authority(rights, privilege, key)
            grants.append(Grant(key, privilege, "", session.role))
    return grants


def _require_authority(rights: Rights, privilege: str, key: Key) -> None:
    """The owner grants, or in a schema with managed access the schema's owner; or who manages grants."""
    if key == ACCOUNT:
        if not rights.may_grant(privilege, key):
            raise WarehouseError("Grant not executed: Insufficient privileges.", 3102, "42501")
        return
    if rights.manages_grants:
        return
    rights.enter(key)
    schema = key.parents[1] if len(key.parents) == SCHEMA_LEVEL else None
    managed = schema is not None and rights.catalogue.setting(schema, MANAGED) is not None
    owner_of = schema if managed and schema is not None else key
    if not (rights.owns(owner_of) or rights.may_grant(privilege, key)):
        raise rights.denied(key)


def _require_future_authority(rights: Rights, target: Target) -> None:
    place = target.place
    managed = place.kind == "SCHEMA" and rights.catalogue.setting(place, MANAGED) is not None
    if not (rights.manages_grants or (managed and rights.owns(place))):
        raise rights.denied(place)


def _done(target: Target) -> Result:
    counted = f" {len(target.keys)} objects affected." if target.which == "ALL" else ""
    return Result.status(_DONE + counted, statement_type.DDL)


STATEMENTS = [(_OWNERSHIP, grant_ownership), (_GRANT, grant), (_REVOKE, revoke), (_OTHER, refuse)]
