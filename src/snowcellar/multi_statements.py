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
    tokens: list[Any] = sqlglot.tokenize(text, read="snowflake")
    statements: list[str] = []
    begin: Any = None
    depth = 0
    for position, token in enumerate(tokens):
        ends = token.token_type == TokenType.SEMICOLON
        if begin is None:
            if not ends:
                begin, depth = token, int(_opens_block(tokens[position : position + 2]))
            continue
        word = token.text.upper()
        if depth:
            depth += (word in ("BEGIN", "CASE")) - (word == "END")
        if ends and not depth:
            statements.append(text[begin.start : token.start].rstrip())
            begin = None
    if begin is not None:
        statements.append(text[begin.start :].rstrip())
    return statements


def _opens_block(tokens: list[Any]) -> bool:
    """Whether these are the first tokens of a block, and not of a transaction."""
    return (
        len(tokens) == 2
        and tokens[0].text.upper() == "BEGIN"
        and tokens[1].token_type != TokenType.SEMICOLON
        and tokens[1].text.upper() not in _NO_BLOCK
    )


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
