"""The shapes that rules have: who may run a feature's statement, and what it does to the catalogue.

A rule takes the session, the statement's match and what runs it. A feature lists its rules by handler, in
RULES; a handler without one is refused (features.run).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from fakesnow import statement_type

from snowcellar.grants import creation
from snowcellar.grants.key import Key, key_of
from snowcellar.grants.kinds import OWNERSHIP
from snowcellar.grants.rights import rights_of
from snowcellar.result import Result

if TYPE_CHECKING:
    from snowcellar.session import Session

Run = Callable[[], Result]
Rule = Callable[["Session", re.Match[str], Run], Result]
Name = Callable[["Session", re.Match[str]], Key]
"""What a statement is about."""

_COPY_GRANTS = re.compile(r"\bCOPY\s+GRANTS\b", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$|\"(?:[^\"]|\"\")*\"", re.DOTALL)
GONE = "Drop statement executed successfully (object already dropped or not authorized)."


def free(session: Session, match: re.Match[str], run: Run) -> Result:
    """Nothing is needed, or the statement sees to it itself."""
    return run()


def in_schema(kind: str) -> Name:
    """The object of a kind that the group `name` names."""
    return lambda session, match: key_of(kind, session.qualify(match["name"]))


def creates(name: Name) -> Rule:
    """CREATE ON what it lies in; ownership of what it replaces or alters."""

    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        key = name(session, match)
        how = (match["replace"] or "").upper()
        if "ALTER" in how and session.warehouse.grants.exists(key):
            rights_of(session).require(OWNERSHIP, key)
            return run()
        copies = _COPY_GRANTS.search(_LITERAL.sub("", match.string)) is not None
        with creation.creating(session, key, replace="REPLACE" in how, copy_grants=copies):
            return run()

    return rule


def drops(name: Name) -> Rule:
    """Ownership; with IF EXISTS, what may not be seen is not there."""

    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        key = name(session, match)
        if not session.warehouse.grants.exists(key):
            return run()
        if match["exists"] and not rights_of(session).sees(key):
            session.commit_before_ddl()
            return Result.status(GONE, statement_type.DDL)
        with creation.dropping(session, key):
            return run()

    return rule


def needs(name: Name, *privileges: str) -> Rule:
    """One of the privileges on the object, if it is there."""

    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        key = name(session, match)
        if session.warehouse.grants.exists(key):
            rights_of(session).require_any(privileges, key)
        return run()

    return rule


def shows(name: Name) -> Rule:
    """Any privilege on the object, if it is there: what DESCRIBE needs."""

    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        key = name(session, match)
        if session.warehouse.grants.exists(key):
            rights_of(session).require_sight(key)
        return run()

    return rule
