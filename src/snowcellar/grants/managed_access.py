"""ALTER SCHEMA ... ENABLE | DISABLE MANAGED ACCESS: who grants on what lies in a schema.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-schema
"""

from __future__ import annotations

import re

from fakesnow import statement_type

from snowcellar.grants import targets
from snowcellar.grants.catalogue import MANAGED
from snowcellar.grants.key import Key
from snowcellar.grants.kinds import KINDS, OWNERSHIP
from snowcellar.grants.rights import not_found, rights_of
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_ALTER = re.compile(
    rf"ALTER\s+SCHEMA\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+(?P<how>ENABLE|DISABLE)\s+MANAGED\s+ACCESS\Z",
    re.IGNORECASE,
)


def alter_schema(session: Session, match: re.Match[str]) -> Result:
    """Take the right to grant from the objects' owners, or give it back."""
    session.commit_before_ddl()
    key = targets.named(session, KINDS["SCHEMA"], match["name"])
    if session.warehouse.grants.exists(key):
        rights_of(session).require(OWNERSHIP, key)
        set_managed(session, key, managed=match["how"].upper() == "ENABLE")
    elif not match["exists"]:
        raise not_found(key)
    return Result.status("Statement executed successfully.", statement_type.DDL)


def set_managed(session: Session, key: Key, *, managed: bool) -> None:
    """Let a schema's owner alone grant on what lies in it, or each object's owner."""
    session.warehouse.grants.set(key, MANAGED, "TRUE" if managed else None)


STATEMENTS = [(_ALTER, alter_schema)]
