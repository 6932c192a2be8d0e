"""Functions that DuckDB lacks or means otherwise: each module adds the ones of a kind.

A module lists
    MACROS  DuckDB macros, made once in the schema `memory.main`, where every database reaches them
    CALLS   Snowflake's name -> what a call of it becomes, given its arguments
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.functions import (
    arrays,
    calls,
    constructors,
    flatten,
    objects,
    parsed_times,
    texts,
    times,
    variants,
)

MACROS = "".join(module.MACROS for module in (arrays, objects, constructors, variants, texts, times, flatten))
_CALLS = {
    **arrays.CALLS,
    **objects.CALLS,
    **variants.CALLS,
    **texts.CALLS,
    **constructors.CALLS,
    **parsed_times.CALLS,
    **times.CALLS,
}


def parse(sql: str) -> list[exp.Expr | None]:
    """The statements of a text in Snowflake's dialect."""
    return calls.parse(sql, _CALLS)


def expand(tree: exp.Expr) -> exp.Expr:
    """The tree with every one of these functions in DuckDB's terms."""
    flatten.expand(tree)
    return calls.replace(tree, _CALLS, constructors.NODES)
