"""Snowflake's SQL where fakesnow's rewrites leave DuckDB to mean something else.

Each rewrite is named for the Snowflake feature and says the deviation that is left. They run on the whole
tree, after what the statement reads has been expanded and before fakesnow's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from snowcellar import (
    arithmetic,
    asof_joins,
    date_truncation,
    functions,
    letter_case,
    order_by_all,
    pivots,
    session_variables,
    snowpark_sql,
    temporary_tables,
    window_functions,
)
from snowcellar.errors import CompilationError, NotEnoughArguments, Unsupported
from snowcellar.functions import calls
from snowcellar.functions.time_formats import duckdb_format
from snowcellar.grants import context

if TYPE_CHECKING:
    from snowcellar.session import Session

Rewrite = Callable[["Session", exp.Expr], exp.Expr]


def apply(session: Session, tree: exp.Expr) -> exp.Expr:
    """The tree with every rewrite done."""
    asof_joins.expand(tree)
    pivots.expand(tree)
    tree = functions.expand(tree)
    for rewrite in REWRITES:
        tree = tree.transform(lambda node, rewrite=rewrite: _rewritten(session, rewrite, node), copy=False)
    return tree


def _rewritten(session: Session, rewrite: Rewrite, node: exp.Expr) -> exp.Expr:
    try:
        return rewrite(session, node)
    except IndexError as error:
        shown = node.sql(dialect="snowflake")[:120]
        raise NotEnoughArguments(shown) from error


def _open_transaction(session: Session) -> str | None:
    """Snowflake names a transaction by when it began, in nanoseconds."""
    transaction = session.connection.transaction
    if transaction is None or not transaction.explicit:
        return None
    return str(round(transaction.started.timestamp() * 1_000_000) * 1000)


_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "CURRENT_WAREHOUSE": lambda session: session.virtual_warehouse,
    "CURRENT_ROLE": lambda session: session.role,
    "CURRENT_USER": lambda session: session.user,
    "CURRENT_DATABASE": lambda session: session.database,
    "CURRENT_SCHEMA": lambda session: session.schema,
    "CURRENT_ACCOUNT": lambda session: session.warehouse.account.upper(),
    "CURRENT_ACCOUNT_NAME": lambda session: session.warehouse.account.upper(),
    "CURRENT_ORGANIZATION_NAME": lambda session: "SNOWCELLAR",
    "CURRENT_REGION": lambda session: "LOCAL",
    "CURRENT_SESSION": lambda session: str(session.number),
    "CURRENT_SECONDARY_ROLES": context.current_secondary_roles,
    "CURRENT_AVAILABLE_ROLES": context.current_available_roles,
    "CURRENT_TRANSACTION": _open_transaction,
    "LAST_QUERY_ID": lambda session: session.last_query_id,
}


def depends_on_session(tree: exp.Expr) -> bool:
    """Whether a tree calls a function that answers from the session."""
    names = {_context_name(node) for node in tree.find_all(exp.Func)}
    return not names.isdisjoint({*_CONTEXT, context.IS_ROLE_IN_SESSION, session_variables.GETVARIABLE})


def _context_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    return node.sql_name() if isinstance(node, exp.Func) else ""


def context_functions(session: Session, node: exp.Expr) -> exp.Expr:
    """CURRENT_WAREHOUSE() and its kin answer from the session."""
    name = _context_name(node)
    if name not in _CONTEXT:
        return node
    value = _CONTEXT[name](session)
    literal = exp.cast(exp.Null(), "TEXT") if value is None else exp.Literal.string(value)
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        return exp.alias_(literal, f"{name}()", quoted=True)
    return literal


# Semi-structured values. A VARIANT, OBJECT or ARRAY is a DuckDB JSON: text that keeps numbers as written.

_SNOWFLAKE_TYPE_OF_JSON = {
    "VARCHAR": "VARCHAR",
    "BIGINT": "INTEGER",
    "UBIGINT": "INTEGER",
    "HUGEINT": "INTEGER",
    "UHUGEINT": "INTEGER",
    "DOUBLE": "DECIMAL",
    "OBJECT": "OBJECT",
    "ARRAY": "ARRAY",
    "BOOLEAN": "BOOLEAN",
    "NULL": "NULL_VALUE",
}
_IS_TYPE = {
    "IS_OBJECT": ("OBJECT",),
    "IS_ARRAY": ("ARRAY",),
    "IS_VARCHAR": ("VARCHAR",),
    "IS_CHAR": ("VARCHAR",),
    "IS_BOOLEAN": ("BOOLEAN",),
    "IS_INTEGER": ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"),
    "IS_DECIMAL": ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE"),
    "IS_DOUBLE": ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE"),
    "IS_REAL": ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE"),
    "IS_NULL_VALUE": ("NULL",),
}


def type_of_variant(session: Session, node: exp.Expr) -> exp.Expr:
    """TYPEOF and IS_OBJECT, IS_INTEGER ... ask the value in a VARIANT.

    Deviation: a number with a point is a DECIMAL whatever its size; Snowflake says DOUBLE for large ones.
    """
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Typeof) and _is_text(node.expression):
        wanted = node.expression.name
        known = [duck for duck, name in _SNOWFLAKE_TYPE_OF_JSON.items() if name == wanted]
        return exp.paren(_json_type(node.this.this).isin(*known), copy=False) if known else node
    if isinstance(node, exp.Typeof):
        ifs = [
            exp.If(this=exp.Literal.string(duck), true=exp.Literal.string(name))
            for duck, name in _SNOWFLAKE_TYPE_OF_JSON.items()
        ]
        return exp.Case(this=_json_type(node.this), ifs=ifs)
    name = str(node.this).upper() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, exp.IsArray | exp.IsNullValue):
        name = node.sql_name()
    if name not in _IS_TYPE:
        return node
    value = node.this if isinstance(node, exp.IsArray | exp.IsNullValue) else node.expressions[0]
    return exp.paren(_json_type(value).isin(*_IS_TYPE[name]), copy=False)


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _json_type(value: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this="json_type", expressions=[value.copy()])


_AS_TEXT = (
    exp.Column, exp.Cast, exp.Dot, exp.CurrentTimestamp, exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc,
)  # fmt: skip
"""What may be a VARIANT, a time or a FLOAT, whose text is not DuckDB's."""


def value_as_text(session: Session, node: exp.Expr) -> exp.Expr:
    """A VARIANT as VARCHAR is its text, without quotes (SEMANTICS 31); a time has its milliseconds.

    VARCHAR(n) keeps n characters.
    """
    if isinstance(node, exp.ToChar) and not node.args.get("format") and isinstance(node.this, _AS_TEXT):
        node = exp.cast(node.this.copy(), "TEXT")
    if not isinstance(node, exp.Cast) or not isinstance(node.this, _AS_TEXT):
        return node
    if not node.to.is_type(exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT):
        return node
    text = calls.macro("text", node.this)
    if not node.to.expressions or isinstance(node, exp.TryCast):
        return text
    return exp.Left(this=text, expression=exp.Literal.number(node.to.expressions[0].name))


def try_parse_json(session: Session, node: exp.Expr) -> exp.Expr:
    """TRY_PARSE_JSON is NULL for text that is not JSON, empty text, and an object with a key twice.

    Source: https://docs.snowflake.com/en/sql-reference/functions/parse_json
    Deviation: a key twice is seen at the top level only.
    """
    if not (isinstance(node, exp.ParseJSON) and node.args.get("safe")):
        return node
    text = node.this
    keys = "json_keys(CASE WHEN json_valid({0}) THEN {0} END)".format(text.sql(dialect="duckdb"))
    repeated = sqlglot.parse_one(f"len({keys}) <> len(list_distinct({keys}))", read="duckdb")
    return exp.Case(
        ifs=[exp.If(this=repeated, true=exp.Null())],
        default=exp.TryCast(this=text.copy(), to=exp.DataType.build("JSON")),
    )


def time_as_text(session: Session, node: exp.Expr) -> exp.Expr:
    """TO_CHAR(time, 'YYYY-MM') and its kin; another format is refused.

    Source: https://docs.snowflake.com/en/sql-reference/functions/to_char
    """
    if not isinstance(node, exp.ToChar) or not node.args.get("format"):
        return node
    written = duckdb_format(node.args["format"], "TO_CHAR")
    return exp.Anonymous(this="strftime", expressions=[node.this.copy(), written])


_TRY_TO = {
    "TRY_TO_TIMESTAMP": "TIMESTAMP",
    "TRY_TO_TIMESTAMP_NTZ": "TIMESTAMP",
    "TRY_TO_TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "TRY_TO_TIMESTAMP_TZ": "TIMESTAMPTZ",
    "TRY_TO_DATE": "DATE",
    "TRY_TO_TIME": "TIME",
    "TRY_TO_BOOLEAN": "BOOLEAN",
    "TRY_TO_DOUBLE": "DOUBLE",
}


def try_to(session: Session, node: exp.Expr) -> exp.Expr:
    """TRY_TO_TIMESTAMP_NTZ(text) and its kin: the value, or NULL; a format argument is refused."""
    name = str(node.this).upper() if isinstance(node, exp.Anonymous) else ""
    if name not in _TRY_TO:
        return node
    assert isinstance(node, exp.Anonymous)
    if len(node.expressions) != 1:
        raise Unsupported(f"{name} with a format")
    return exp.TryCast(this=node.expressions[0], to=exp.DataType.build(_TRY_TO[name], dialect="duckdb"))


_TIMESTAMPS = {
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMPNTZ": "TIMESTAMP",
    "TIMESTAMPLTZ": "TIMESTAMPTZ",
    "TIMESTAMPTZ": "TIMESTAMPTZ",
}


def try_cast_timestamp(session: Session, node: exp.Expr) -> exp.Expr:
    """TRY_CAST(text AS TIMESTAMP) is NULL for a time that there is not, such as 30 February.

    fakesnow turns it into a cast that fails, as it does for CAST; a type by name passes it by.
    """
    if isinstance(node, exp.TryCast) and (name := _TIMESTAMPS.get(node.to.this.name)):
        node.set("to", exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=name))
    return node


def listed_texts(session: Session, node: exp.Expr) -> exp.Expr:
    """LISTAGG of nothing, or of NULLs, is an empty text; without a separator, one stands beside the other."""
    whole = node
    while isinstance(whole, exp.WithinGroup | exp.Window):
        whole = whole.this
    if not isinstance(whole, exp.GroupConcat) or isinstance(node.parent, exp.WithinGroup | exp.Window):
        return node
    if not whole.args.get("separator"):
        whole.set("separator", exp.Literal.string(""))
    return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])


def sample_of_blocks(session: Session, node: exp.Expr) -> exp.Expr:
    """SAMPLE BLOCK is SAMPLE SYSTEM."""
    if isinstance(node, exp.TableSample) and str(node.args.get("method") or "").upper() == "BLOCK":
        node.set("method", exp.var("SYSTEM"))
    return node


def positional_columns(session: Session, node: exp.Expr) -> exp.Expr:
    """$1, $2 over VALUES are its columns by position."""
    if not isinstance(node, exp.Parameter):
        return node
    if not node.name.isdigit():
        raise CompilationError(f"syntax error: unexpected '{node.sql(dialect='snowflake')}'.")
    return exp.column(exp.to_identifier(f"COLUMN{node.name}", quoted=True))


REWRITES: list[Rewrite] = [
    letter_case.told_apart,
    window_functions.over_window,
    arithmetic.division_by_zero,
    context_functions,
    session_variables.value_of_variable,
    context.is_role_in_session,
    type_of_variant,
    value_as_text,
    date_truncation.of_same_type,
    try_parse_json,
    arithmetic.product_of_numbers,
    arithmetic.quotient_as_number,
    arithmetic.median_between,
    arithmetic.count_of_true,
    time_as_text,
    try_to,
    try_cast_timestamp,
    positional_columns,
    temporary_tables.last_part,
    snowpark_sql.join_of_all,
    snowpark_sql.numbered_by_sequence,
    snowpark_sql.time_of_text,
    snowpark_sql.joined_columns_first,
    order_by_all.all_columns,
    listed_texts,
    sample_of_blocks,
]
