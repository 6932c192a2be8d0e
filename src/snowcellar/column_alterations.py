"""ALTER TABLE ... MODIFY COLUMN of several columns at once: one after another.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot.tokenizer_core import TokenType

from snowcellar.grants import rules
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_SEVERAL = re.compile(
    rf"ALTER\s+TABLE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+(?:ALTER|MODIFY)\s+(?P<rest>\(?.+,.+)\Z",
    re.IGNORECASE | re.DOTALL,
)
_COLUMN = re.compile(r"\s*COLUMN\s+", re.IGNORECASE)


def alter_columns(session: Session, match: re.Match[str]) -> Result:
    """Each of them by a statement of its own; a single one is the engine's."""
    parts = _split(match["rest"].strip())
    if len(parts) == 1:
        from snowcellar import engine
        from snowcellar.statement import Statement

        return engine.run(session, Statement(match.string), None)
    result = Result.status("Statement executed successfully.")
    for part in parts:
        result = session.execute(
            f"ALTER TABLE {match['exists'] or ''}{match['name']} ALTER COLUMN {_COLUMN.sub('', part)}"
        )
    return result


def _split(text: str) -> list[str]:
    """At the commas outside parentheses and texts; parentheses around the whole are taken away."""
    tokens = sqlglot.tokenize(text, read="snowflake")
    if tokens[0].token_type == TokenType.L_PAREN and tokens[-1].token_type == TokenType.R_PAREN:
        return _split(text[tokens[0].end + 1 : tokens[-1].start])
    parts, begin, depth = [], 0, 0
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.COMMA and depth == 0:
            parts.append(text[begin : token.start].strip())
            begin = token.end + 1
    return [*parts, text[begin:].strip()]


STATEMENTS = [(_SEVERAL, alter_columns)]
# What it is made of is checked one by one.
RULES = {alter_columns: rules.free}
