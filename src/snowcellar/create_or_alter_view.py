"""CREATE OR ALTER VIEW: the view of that definition, with the grants that were on it.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-view
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from snowcellar.errors import CompilationError
from snowcellar.grants import rules
from snowcellar.result import Result
from snowcellar.session import Session

_CREATE_OR_ALTER = re.compile(
    r"CREATE\s+OR\s+ALTER\s+(?P<view>(?:SECURE\s+)?VIEW\s.+)\Z", re.IGNORECASE | re.DOTALL
)


def create_or_alter_view(session: Session, match: re.Match[str]) -> Result:
    """Made anew, for a view has nothing to keep but its grants."""
    tree = sqlglot.parse_one(f"CREATE OR REPLACE {match['view']}", read="snowflake")
    if not isinstance(tree, exp.Create) or not isinstance(tree.expression, exp.Query):
        raise CompilationError("syntax error: CREATE OR ALTER VIEW needs a query.")
    properties = tree.args.get("properties") or exp.Properties(expressions=[])
    properties.append("expressions", exp.CopyGrantsProperty())
    tree.set("properties", properties)
    return session.execute(tree.sql(dialect="snowflake"))


STATEMENTS = [(_CREATE_OR_ALTER, create_or_alter_view)]
# The statement that it becomes is checked.
RULES = {create_or_alter_view: rules.free}
