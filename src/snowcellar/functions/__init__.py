"""Functions that DuckDB lacks or means otherwise: each module adds the ones of a kind.

A module lists
    MACROS  DuckDB macros, made once in the schema `memory.main`, where every database reaches them
    CALLS   Snowflake's name -> what a call of it becomes, given its arguments
"""

from __future__ import annotations

import duckdb
from sqlglot import exp

from snowcellar import pivots
from snowcellar.functions import (
    arrays,
    calls,
    constructors,
    digests,
    flatten,
    numbers,
    objects,
    parsed_times,
    texts,
    times,
    urls,
    variants,
)

_WITH_MACROS = (arrays, objects, constructors, variants, texts, numbers, digests, urls, times, flatten)
MACROS = "".join(module.MACROS for module in _WITH_MACROS)
_CALLS = {
    **arrays.CALLS,
    **objects.CALLS,
    **variants.CALLS,
    **texts.CALLS,
    **numbers.CALLS,
    **digests.CALLS,
    **urls.CALLS,
    **constructors.CALLS,
    **parsed_times.CALLS,
    **times.CALLS,
}


def make_known(duck: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB, and all of its databases, call these functions."""
    digests.make_known(duck)
    duck.execute(MACROS + pivots.MACROS)


def parse(sql: str) -> list[exp.Expr | None]:
    """The statements of a text in Snowflake's dialect."""
    return calls.parse(sql, _CALLS)


def expand(tree: exp.Expr) -> exp.Expr:
    """The tree with every one of these functions in DuckDB's terms."""
    flatten.expand(tree)
    return calls.replace(tree, _CALLS, constructors.NODES)
