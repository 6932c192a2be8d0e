"""Statements that nobody thought of: those of the tests beside this file, cut, mixed and bent at random."""

from __future__ import annotations

import ast
import functools
import random
import re
from pathlib import Path
from typing import Any

_SQL = re.compile(
    r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|SHOW|DESC|DESCRIBE|TRUNCATE|COPY|PUT|LIST|"
    r"REMOVE|GRANT|REVOKE|USE|SET|UNSET|COMMENT|EXECUTE|BEGIN|COMMIT|ROLLBACK|UNDROP|EXPLAIN)\s",
    re.IGNORECASE,
)
# What takes its time on purpose, runs programs, or shuts this very client out.
_LEFT_OUT = re.compile(
    r"WAIT|GENERATOR|PROCEDURE|\bCALL\b|PASSWORD|DISABLED|DROP\s+USER|STATEMENT_TIMEOUT", re.IGNORECASE
)
_WORD = re.compile(r"\s+|[A-Za-z_$][\w$]*|\d+(?:\.\d+)?|'(?:[^']|'')*'|\"[^\"]*\"|::|=>|.", re.DOTALL)
_ODD = [
    *"()[]{}',;:?$@*%\\.-+/|&^~#`\"\0\n",
    "::",
    "=>",
    ":=",
    "->",
    "--",
    "/*",
    "*/",
    "//",
    "$$",
    "''",
    '""',
    "'",
    "?",
    ":1",
    ":x",
    "$1",
    "$x",
    "@~",
    "@%T",
    "NULL",
    "0",
    "-1",
    "1e400",
    "99999999999999999999999999999999999999999",
    "0x",
    "'\\'",
    "'é\u202e🍷'",
    "\ud7ff",
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY ALL",
    "ORDER BY",
    "LIMIT -1",
    "QUALIFY",
    "LATERAL",
    "FLATTEN(",
    "TABLE(",
    "IDENTIFIER(",
    "AT(OFFSET => -60)",
    "OVER (",
    "PIVOT(",
    "MATCH_RECOGNIZE(",
    "CONNECT BY",
    "SAMPLE (10)",
    "WITHIN GROUP (",
    "FOR UPDATE",
    "::VARIANT",
    "::GEOGRAPHY",
    "::NUMBER(99,99)",
    "INTERVAL '1 x'",
    "DEFAULT",
    "ILIKE ANY",
    "METADATA$ACTION",
    "_fs_global",
    "information_schema",
    "main.",
    "temp.",
    "duckdb_tables()",
    "read_csv('/etc/passwd')",
]


@functools.cache
def corpus() -> tuple[str, ...]:
    """Every text in the tests of this folder that begins as a statement does."""
    found = set()
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value):
                found.add(node.value)
    return tuple(sorted(text for text in found if len(text) < 1000 and not _LEFT_OUT.search(text)))


class Fuzzer:
    """Requests from a seed: the same seed gives the same ones while the tests say the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(self) -> dict[str, Any]:
        """The body of a query request."""
        body: dict[str, Any] = {"sqlText": self.statement()}
        if self._random.random() < 0.15:
            body["describeOnly"] = True
        if self._random.random() < 0.15:
            body["bindings"] = {
                self._random.choice(["1", "2", "x"]): self._binding()
                for _ in range(self._random.randint(1, 3))
            }
        return body

    def statement(self) -> str:
        """A statement of the corpus with some of its words changed, or words without any order."""
        if self._random.random() < 0.1:
            return " ".join(self._piece() for _ in range(self._random.randint(1, 15)))
        words = self._words()
        for _ in range(self._random.choice([0, 1, 1, 1, 2, 3, 6])):
            place = self._random.randrange(len(words))
            match self._random.randrange(6):
                case 0:
                    del words[place]
                case 1:
                    words.insert(place, f" {self._piece()} ")
                case 2:
                    words[place] = self._piece()
                case 3:
                    del words[place : place + self._random.randint(1, 10)]
                case 4:
                    words[place:] = self._part()
                case _:
                    words[place:place] = self._part()
            words = words or ["x"]
        statement = "".join(words)
        return "SELECT 1" if _LEFT_OUT.search(statement) else statement

    def _words(self) -> list[str]:
        return _WORD.findall(self._random.choice(corpus()))

    def _part(self) -> list[str]:
        words = self._words()
        return words[self._random.randrange(len(words)) :]

    def _piece(self) -> str:
        return (
            self._random.choice(_ODD) if self._random.random() < 0.6 else self._random.choice(self._words())
        )

    def _binding(self) -> Any:
        kind = self._random.choice(
            [
                "TEXT",
                "FIXED",
                "REAL",
                "BOOLEAN",
                "DATE",
                "TIME",
                "TIMESTAMP_NTZ",
                "TIMESTAMP_LTZ",
                "TIMESTAMP_TZ",
                "BINARY",
                "VARIANT",
                "x",
                None,
            ]
        )
        value: Any = self._random.choice(
            ["1", "x", "", None, "-1e5", "0" * 40, ["1", "x"], [], "true", 5, {}]
        )
        return {"type": kind, "value": value} if self._random.random() < 0.95 else value
