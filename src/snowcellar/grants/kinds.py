"""The kinds of objects that can be granted on, and the privileges that each has.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

from dataclasses import dataclass

from snowcellar.errors import CompilationError

OWNERSHIP, USAGE, SELECT, MANAGE_GRANTS = "OWNERSHIP", "USAGE", "SELECT", "MANAGE GRANTS"

ACCOUNT_LEVEL, DATABASE_LEVEL, SCHEMA_LEVEL = 0, 1, 2
"""How many names stand before an object's own."""


@dataclass(frozen=True)
class Kind:
    """One kind of object; `privileges` without OWNERSHIP, which every kind has."""

    name: str
    plural: str
    level: int
    privileges: frozenset[str]


_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "EVOLVE SCHEMA")
_CREATED_IN_SCHEMA = (
    *("ALERT", "CORTEX SEARCH SERVICE", "DYNAMIC TABLE", "EVENT TABLE", "EXTERNAL TABLE", "FILE FORMAT"),
    *("FUNCTION", "GIT REPOSITORY", "ICEBERG TABLE", "IMAGE REPOSITORY", "MASKING POLICY"),
    *("MATERIALIZED VIEW", "MODEL", "NETWORK RULE", "NOTEBOOK", "PACKAGES POLICY", "PASSWORD POLICY", "PIPE"),
    *("PROCEDURE", "ROW ACCESS POLICY", "SECRET", "SEQUENCE", "SERVICE", "SESSION POLICY", "SNAPSHOT"),
    *("STAGE", "STREAM", "STREAMLIT", "TABLE", "TAG", "TASK", "TEMPORARY TABLE", "VIEW"),
)
GLOBAL = (
    *("APPLY MASKING POLICY", "APPLY ROW ACCESS POLICY", "APPLY TAG", "ATTACH POLICY", "AUDIT"),
    *("CREATE DATABASE", "CREATE INTEGRATION", "CREATE NETWORK POLICY", "CREATE ROLE", "CREATE SHARE"),
    *("CREATE USER", "CREATE WAREHOUSE", "EXECUTE ALERT", "EXECUTE MANAGED ALERT", "EXECUTE MANAGED TASK"),
    *("EXECUTE TASK", "IMPORT SHARE", MANAGE_GRANTS, "MANAGE WAREHOUSES", "MONITOR", "MONITOR EXECUTION"),
    *("MONITOR SECURITY", "MONITOR USAGE", "OVERRIDE SHARE RESTRICTIONS", "RESOLVE ALL"),
)


def _kind(name: str, level: int, *privileges: str, plural: str = "") -> Kind:
    return Kind(name, plural or f"{name}S", level, frozenset(privileges))


_ALL = (
    _kind("ACCOUNT", ACCOUNT_LEVEL, *GLOBAL),
    _kind("ROLE", ACCOUNT_LEVEL, USAGE),
    _kind("USER", ACCOUNT_LEVEL, "MONITOR"),
    _kind("WAREHOUSE", ACCOUNT_LEVEL, USAGE, "OPERATE", "MODIFY", "MONITOR", "APPLYBUDGET"),
    _kind("INTEGRATION", ACCOUNT_LEVEL, USAGE, "USE_ANY_ROLE"),
    _kind(
        *("DATABASE", ACCOUNT_LEVEL, USAGE, "MODIFY", "MONITOR", "REFERENCE_USAGE"),
        *("CREATE SCHEMA", "CREATE DATABASE ROLE", "IMPORTED PRIVILEGES", "APPLYBUDGET"),
    ),
    _kind(
        *("SCHEMA", DATABASE_LEVEL, USAGE, "MODIFY", "MONITOR", "ADD SEARCH OPTIMIZATION", "APPLYBUDGET"),
        *(f"CREATE {each}" for each in _CREATED_IN_SCHEMA),
    ),
    _kind("TABLE", SCHEMA_LEVEL, *_TABLE, "REBUILD", "APPLYBUDGET"),
    _kind("VIEW", SCHEMA_LEVEL, SELECT, "REFERENCES"),
    _kind("STREAM", SCHEMA_LEVEL, SELECT),
    _kind("STAGE", SCHEMA_LEVEL, USAGE, "READ", "WRITE"),
    _kind("FILE FORMAT", SCHEMA_LEVEL, USAGE),
    _kind("SEQUENCE", SCHEMA_LEVEL, USAGE),
    _kind("PROCEDURE", SCHEMA_LEVEL, USAGE),
    _kind("FUNCTION", SCHEMA_LEVEL, USAGE),
    _kind("TASK", SCHEMA_LEVEL, "MONITOR", "OPERATE", "APPLYBUDGET"),
    _kind("ALERT", SCHEMA_LEVEL, "MONITOR", "OPERATE"),
    _kind("STREAMLIT", SCHEMA_LEVEL, USAGE),
    _kind("TAG", SCHEMA_LEVEL, "APPLY", "READ"),
    _kind("MASKING POLICY", SCHEMA_LEVEL, "APPLY", plural="MASKING POLICIES"),
    _kind("ROW ACCESS POLICY", SCHEMA_LEVEL, "APPLY", plural="ROW ACCESS POLICIES"),
    _kind("SECRET", SCHEMA_LEVEL, USAGE, "READ"),
)
KINDS = {kind.name: kind for kind in _ALL}
PLURALS = {kind.plural: kind for kind in _ALL}
WORDS_OF_KINDS = sorted([*KINDS, *PLURALS], key=lambda name: -len(name))

RELATIONS = ("TABLE", "VIEW", "STREAM")
"""What stands after FROM."""

HAS_ARGUMENTS = ("PROCEDURE", "FUNCTION")
"""Whose names go with the types of their arguments."""


def check_privilege(kind: Kind, privilege: str) -> None:
    """Refuse a privilege that a kind of object does not have."""
    if privilege != OWNERSHIP and privilege not in kind.privileges:
        raise CompilationError(f"Invalid object type '{kind.name}' for privilege '{privilege}'.", 3012)
