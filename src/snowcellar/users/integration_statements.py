"""CREATE, ALTER, DROP, SHOW and DESCRIBE of security integrations, of TYPE = EXTERNAL_OAUTH only.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-security-integration-oauth-external
EXTERNAL_OAUTH_JWS_KEYS_URL is refused: the local warehouse fetches nothing; give the public key itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from fakesnow import statement_type

from snowcellar import show
from snowcellar.errors import CompilationError, ObjectExists, ObjectNotFound, Unsupported
from snowcellar.grants.key import Key
from snowcellar.grants.rights import rights_of
from snowcellar.names import NAME, fold
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.users import properties, rights
from snowcellar.users.integration import DEFAULTS, LISTS, Integration

_FLAGS = re.IGNORECASE | re.DOTALL
_INTEGRATION = r"(?:SECURITY\s+)?INTEGRATION"
_CREATE = re.compile(
    r"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?SECURITY\s+INTEGRATION\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?"
    rf"(?P<name>{NAME})\s+(?P<clauses>.*)\Z",
    _FLAGS,
)
_ALTER = re.compile(
    rf"ALTER\s+{_INTEGRATION}\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+"
    r"(?P<action>SET|UNSET)\s+(?P<clauses>.+)\Z",
    _FLAGS,
)
_DROP = re.compile(rf"DROP\s+{_INTEGRATION}\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\Z", _FLAGS)
_SHOW = re.compile(r"SHOW\s+(?:(?P<kind>\w+)\s+)?INTEGRATIONS\b(?P<rest>.*)\Z", _FLAGS)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+{_INTEGRATION}\s+(?P<name>{NAME})\Z", _FLAGS)

READERS: Final[Mapping[str, properties.Reader]] = {
    "TYPE": properties.upper_text,
    **{name: properties.texts if name in LISTS else properties.text for name in DEFAULTS},
    "ENABLED": properties.flag,
    "EXTERNAL_OAUTH_TYPE": properties.upper_text,
    "EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE": properties.upper_text,
    "EXTERNAL_OAUTH_ANY_ROLE_MODE": properties.upper_text,
    "EXTERNAL_OAUTH_ALLOWED_ROLES_LIST": properties.names,
    "EXTERNAL_OAUTH_BLOCKED_ROLES_LIST": properties.names,
}
REFUSED: Final[Mapping[str, str]] = {
    "EXTERNAL_OAUTH_JWS_KEYS_URL": "Give EXTERNAL_OAUTH_RSA_PUBLIC_KEY: the local warehouse fetches nothing.",
    "NETWORK_POLICY": "",
}
_DONE: Final = "Statement executed successfully."


def create_integration(session: Session, match: re.Match[str]) -> Result:
    """CREATE [OR REPLACE] SECURITY INTEGRATION [IF NOT EXISTS]."""
    session.commit_before_ddl()
    rights.require_integrations(session)
    name, kept = fold(match["name"]), session.warehouse.integrations
    found = properties.read_set("INTEGRATION", READERS, REFUSED, match["clauses"])
    if (kind := found.pop("TYPE", None)) != "EXTERNAL_OAUTH":
        raise Unsupported(f"a security integration of TYPE = {kind}", "EXTERNAL_OAUTH is there.")
    with kept.lock:
        if name in kept.all and not match["replace"]:
            if match["exists"]:
                return _status(f"{name} already exists, statement succeeded.")
            raise ObjectExists(name)
        integration = Integration(name).with_properties(found)
        _require_free_issuer(session, integration)
        kept.save(integration)
    return _status(f"Integration {name} successfully created.")


def alter_integration(session: Session, match: re.Match[str]) -> Result:
    """ALTER [SECURITY] INTEGRATION [IF EXISTS] ... SET | UNSET."""
    session.commit_before_ddl()
    rights.require_integrations(session)
    name, kept = fold(match["name"]), session.warehouse.integrations
    with kept.lock:
        if name not in kept.all and match["exists"]:
            return _status(_DONE)
        changes: dict[str, Any]
        if match["action"].upper() == "SET":
            changes = properties.read_set("INTEGRATION", READERS, REFUSED, match["clauses"])
        else:
            changes = dict.fromkeys(properties.read_unset("INTEGRATION", READERS, REFUSED, match["clauses"]))
        if "TYPE" in changes:
            raise CompilationError("invalid property 'TYPE' for 'INTEGRATION'", 1425)
        changed = kept.find(name).with_properties(changes)
        _require_free_issuer(session, changed)
        kept.save(changed)
    return _status(_DONE)


def drop_integration(session: Session, match: re.Match[str]) -> Result:
    """DROP [SECURITY] INTEGRATION: its tokens are no longer taken."""
    session.commit_before_ddl()
    rights.require_integrations(session)
    name, kept = fold(match["name"]), session.warehouse.integrations
    with kept.lock:
        if name not in kept.all:
            if match["exists"]:
                return _status("Drop statement executed successfully (INTEGRATION already dropped).")
            raise ObjectNotFound("Integration", name)
        kept.remove(name)
    return _status(f"{name} successfully dropped.")


def show_integrations(session: Session, match: re.Match[str]) -> Result:
    """SHOW [kind] INTEGRATIONS: there are security integrations only."""
    columns = [(name, pa.string()) for name in ("name", "type", "category", "enabled", "comment")]
    rows = [
        [
            *(found.name, "EXTERNAL_OAUTH - " + found.text("EXTERNAL_OAUTH_TYPE"), "SECURITY"),
            *(_word(found.enabled), found.text("COMMENT"), datetime.fromisoformat(found.created_on)),
        ]
        for found in session.warehouse.integrations.all.values()
        if (match["kind"] or "SECURITY").upper() == "SECURITY"
        and rights_of(session).sees(Key("INTEGRATION", name=found.name))
    ]
    return show.answer(session, match["rest"], [*columns, ("created_on", pa.timestamp("us", "UTC"))], rows)


def describe_integration(session: Session, match: re.Match[str]) -> Result:
    """DESCRIBE INTEGRATION: a row a property."""
    rights.require_integrations(session)
    found = session.warehouse.integrations.find(fold(match["name"]))
    rows = [
        [name, _kind(default), _shown(found.value(name)), _shown(default)]
        for name, default in DEFAULTS.items()
    ]
    names = ("property", "property_type", "property_value", "property_default")
    return Result.rows([(name, pa.string()) for name in names], rows)


def _require_free_issuer(session: Session, integration: Integration) -> None:
    issuer = integration.text("EXTERNAL_OAUTH_ISSUER")
    other = session.warehouse.integrations.with_issuer(issuer)
    if other is not None and other.name != integration.name:
        raise CompilationError(f"An integration with the issuer '{issuer}' already exists.", 1008, "42710")


def _kind(default: Any) -> str:
    return {bool: "Boolean", list: "List"}.get(type(default), "String")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _word(value)
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _status(text: str) -> Result:
    return Result.status(text, statement_type.DDL)


STATEMENTS = [
    (_CREATE, create_integration),
    (_ALTER, alter_integration),
    (_DROP, drop_integration),
    (_SHOW, show_integrations),
    (_DESCRIBE, describe_integration),
]
