"""WITH name AS PROCEDURE ... CALL name(arguments): a procedure for one call, with the rights of its caller.

Source: https://docs.snowflake.com/en/sql-reference/sql/call-with
"""

from __future__ import annotations

import dataclasses
import re

from snowcellar.errors import Unsupported
from snowcellar.names import NAME
from snowcellar.procedures import grammar, packages
from snowcellar.procedures.call import call_one_of
from snowcellar.procedures.definition import CALLER
from snowcellar.procedures.statements import definition_of
from snowcellar.result import Result
from snowcellar.session import Params, Session

_STATEMENT = re.compile(
    rf"WITH\s+(?P<made>{NAME})\s+AS\s+PROCEDURE\s*(?P<definition>\(.*(?:'|\$\$))\s*"
    rf"CALL\s+(?P<name>{NAME})\s*\((?P<arguments>.*)\)\Z",
    re.IGNORECASE | re.DOTALL,
)
_ANY = re.compile(r"WITH\s+(?P<name>\S+)\s+AS\s+PROCEDURE\b", re.IGNORECASE)


def call_anonymous(session: Session, match: re.Match[str], params: Params) -> Result:
    """Make the procedure known to nobody, and call it."""
    statement = _STATEMENT.match(match.string)
    if statement is None:
        raise Unsupported("WITH ... AS PROCEDURE with anything but CALL name(...) after it")
    return _call(session, statement, params)


def _call(session: Session, match: re.Match[str], params: Params) -> Result:
    clauses = grammar.parse(f"CREATE PROCEDURE {match['made']}{match['definition']}")
    if clauses.values.get("language") == "SQL":
        raise Unsupported("LANGUAGE SQL", "Procedures are Python here.")
    packages.check(clauses.values.get("packages", ()))
    procedure = dataclasses.replace(definition_of(session, clauses), execute_as=CALLER)
    name = session.qualify(match["name"])
    if procedure.name != name:
        raise Unsupported("WITH ... AS PROCEDURE with a CALL of another procedure")
    return call_one_of(session, name, [procedure], match["arguments"], params)


BOUND_STATEMENTS = [(_ANY, call_anonymous)]
