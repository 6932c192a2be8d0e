"""CREATE TABLE name (columns) AS SELECT: the query's columns get the names and types of the definition.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-table#create-table-as-select-also-referred-to-as-ctas
Deviation: of what a column's definition may say beside its type, only NOT NULL.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import quote
from snowcellar.relations import fold_identifier

_SEMI_STRUCTURED = (exp.DType.VARIANT, exp.DType.OBJECT, exp.DType.ARRAY)
_SOURCE = "SNOWCELLAR$SOURCE"


def take_definition(tree: exp.Create, found: list[str]) -> list[str]:
    """Move the definition of the columns into the query; those that must not be NULL.

    found: the names of the query's columns.
    """
    if not isinstance(tree.this, exp.Schema):
        return []
    defined = tree.this.expressions
    if len(defined) != len(found):
        raise CompilationError("Invalid column definition list", 2026, "42601")
    source = exp.to_identifier(_SOURCE, quoted=True)
    positions = [exp.to_identifier(f"C{position}", quoted=True) for position in range(len(defined))]
    select = exp.select(
        *(
            exp.alias_(_typed(column, exp.Column(this=position.copy(), table=source.copy())), _name(column))
            for column, position in zip(defined, positions, strict=True)
        )
    )
    alias = exp.TableAlias(this=source, columns=positions)
    tree.set("expression", select.from_(exp.Subquery(this=tree.expression.copy(), alias=alias)))
    tree.set("this", tree.this.this)
    return [quote(_name(column).name) for column in defined if _is_required(column)]


def _name(column: exp.Expr) -> exp.Identifier:
    identifier = column.this if isinstance(column, exp.ColumnDef) else column
    if not isinstance(identifier, exp.Identifier):
        raise CompilationError(f"syntax error: unexpected '{column.sql(dialect='snowflake')}'.")
    return exp.to_identifier(fold_identifier(identifier), quoted=True)


def _typed(column: exp.Expr, value: exp.Expr) -> exp.Expr:
    kind = column.args.get("kind") if isinstance(column, exp.ColumnDef) else None
    if kind is None:
        return value
    if isinstance(kind, exp.DataType) and kind.this in _SEMI_STRUCTURED:
        return exp.func("TO_VARIANT", value, dialect="snowflake")
    return exp.Cast(this=value, to=kind.copy())


def _is_required(column: exp.Expr) -> bool:
    required = False
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.NotNullColumnConstraint):
            required = not kind.args.get("allow_null")
        elif not isinstance(kind, exp.CommentColumnConstraint):
            raise Unsupported(f"CREATE TABLE ... AS SELECT with {constraint.sql(dialect='snowflake')}"[:120])
    return required
