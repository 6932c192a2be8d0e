"""Replaces the calls of a tree by what they mean in DuckDB, the inner ones first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import TokenType

from snowcellar.errors import NotEnoughArguments

Arguments = Sequence[exp.Expr]
Call = Callable[[Arguments], exp.Expr]
"""From the arguments of a call to what it becomes."""

Change = Callable[[exp.Expr], exp.Expr]
"""From a node to what it becomes, or to itself."""

_AS_WRITTEN = "SNOWCELLAR$"


def macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of one of our macros."""
    return exp.Dot.build(
        [
            exp.to_identifier("memory"),
            exp.to_identifier("main"),
            exp.Anonymous(this=f"sc_{name}", expressions=[argument.copy() for argument in arguments]),
        ]
    )


def by_macro(name: str) -> Call:
    """A function that a macro of the same arguments stands for."""
    return lambda arguments: macro(name, *arguments)


def function(name: str) -> Call:
    """A function that DuckDB has under another name."""
    return lambda arguments: exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


def as_json(call: exp.Expr) -> exp.Expr:
    """A DuckDB list or struct as the ARRAY or OBJECT that it stands for."""
    return exp.Anonymous(this="to_json", expressions=[call])


def listed(*arguments: exp.Expr) -> exp.Expr:
    """Arguments as one DuckDB list of JSON values."""
    return exp.Anonymous(this="list_value", expressions=[as_json(argument.copy()) for argument in arguments])


def parse(sql: str, known: Collection[str]) -> list[exp.Expr | None]:
    """The statements of a text, with the calls of known functions as they are written.

    The parser has a model of many of them that keeps only what other dialects have too.
    """
    dialect = Dialect.get_or_raise("snowflake")
    tokens = dialect.tokenize(sql)
    for token, following in itertools.pairwise(tokens):
        if following.token_type == TokenType.L_PAREN and token.text.upper() in known:
            token.token_type = TokenType.VAR
            token.text = f"{_AS_WRITTEN}{token.text}"
    return dialect.parser().parse(tokens, sql)


def replace(tree: exp.Expr, known: Mapping[str, Call], nodes: Mapping[type[exp.Expr], Change]) -> exp.Expr:
    """The tree with the calls of known functions and the nodes of known types replaced."""
    for node in reversed(list(tree.find_all(exp.Anonymous, *nodes))):
        if isinstance(node, exp.Anonymous):
            become = known.get(str(node.this).upper().removeprefix(_AS_WRITTEN))
            new = _become(node, become) if become else node
        else:
            new = nodes[type(node)](node) if type(node) in nodes else node
        if node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return tree


def _become(node: exp.Anonymous, become: Call) -> exp.Expr:
    try:
        return become(node.expressions)
    except (IndexError, ValueError) as error:
        shown = node.sql(dialect="snowflake").replace(_AS_WRITTEN, "")[:120]
        raise NotEnoughArguments(shown) from error
