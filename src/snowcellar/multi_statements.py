"""Several statements in one request, if the client says how many: MULTI_STATEMENT_COUNT, 0 for any number.

Source: https://docs.snowflake.com/en/sql-reference/parameters#multi-statement-count
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import CompilationError
from snowcellar.session import Session

PARAMETER = "MULTI_STATEMENT_COUNT"
_NO_BLOCK = {"TRANSACTION", "WORK", "NAME"}


def wanted(session: Session, body: Mapping[str, Any]) -> int:
    """How many statements a request has; 0 for any number."""
    said = (body.get("parameters") or {}).get(PARAMETER, session.parameters.get(PARAMETER, 1))
    return int(said) if str(said).isdigit() else 1


def split(text: str) -> list[str]:
    """The statements of a text; a block of BEGIN ... END is one."""
    tokens = sqlglot.tokenize(text, read="snowflake")
    statements, begin, depth = [], None, 0
    for position, token in enumerate(tokens):
        word = token.text.upper()
        if begin is None:
            if token.token_type == TokenType.SEMICOLON:
                continue
            begin = token
            following = tokens[position + 1] if position + 1 < len(tokens) else None
            is_block = word == "BEGIN" and following is not None and following.text.upper() not in _NO_BLOCK
            depth = int(is_block and following is not None and following.token_type != TokenType.SEMICOLON)
        elif depth:
            depth += (word in ("BEGIN", "CASE")) - (word == "END")
        if token.token_type == TokenType.SEMICOLON and not depth:
            statements.append(text[begin.start : token.start].rstrip())
            begin = None
    if begin is not None:
        statements.append(text[begin.start :].rstrip())
    return statements


def run(session: Session, text: str, count: int) -> dict[str, Any]:
    """Run them one after another; the answer names their results, which the client asks for by id."""
    statements = split(text)
    if count and len(statements) != count:
        raise CompilationError(
            f"Actual statement count {len(statements)} did not match the desired statement count {count}.", 8
        )
    ids, types = [], []
    for statement in statements:
        result = session.execute(statement)
        ids.append(str(session.last_query_id))
        types.append(str(result.statement_type or 0x1000))
    return {
        "queryId": ids[0] if ids else session.last_query_id,
        "resultIds": ",".join(ids),
        "resultTypes": ",".join(types),
        "statementTypeId": 0xA000,
        "queryResultFormat": "json",
        "rowtype": [
            {
                "name": "multiple statement execution",
                "type": "text",
                "nullable": False,
                "length": 256,
                "byteLength": 256,
                "precision": None,
                "scale": None,
            }
        ],
        "rowset": [["Multiple statements executed successfully."]],
        "total": 1,
        "returned": 1,
        "parameters": [],
    }
