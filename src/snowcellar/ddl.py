"""What is special about DDL here: kinds that are refused by name, and keys, which Snowflake does not enforce.

Source: https://docs.snowflake.com/en/sql-reference/constraints-overview (SEMANTICS 30)
Deviation: keys are not kept, so that SHOW PRIMARY KEYS is empty.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar import letter_case
from snowcellar.errors import Unsupported
from snowcellar.relations import fold_identifier

KINDS = {"TABLE", "VIEW", "SEQUENCE", "STAGE", "FILE FORMAT", "SCHEMA", "COLUMN"}
_REFUSED_PROPERTIES = (
    exp.ExternalProperty,
    exp.DynamicProperty,
    exp.IcebergProperty,
    exp.MaterializedProperty,
)
_REFUSED_ACTIONS = (exp.SwapTable, exp.Command)
_KEYS = (exp.PrimaryKey, exp.UniqueColumnConstraint, exp.ForeignKey, exp.Reference)


def refuse_unsupported(tree: exp.Expr) -> None:
    """Raise for DDL that DuckDB would do otherwise than Snowflake, or not at all."""
    kind = str(tree.args.get("kind") or "TABLE").upper()
    name = f"{type(tree).__name__.upper()} {kind}"
    if kind not in KINDS:
        raise Unsupported(name)
    if isinstance(tree, exp.Create):
        if isinstance(tree.this, exp.Schema):
            columns = [each for each in tree.this.expressions if isinstance(each, exp.ColumnDef)]
            letter_case.refuse_same_columns(fold_identifier(column.this) for column in columns)
        for refused in tree.find_all(*_REFUSED_PROPERTIES):
            word = type(refused).__name__.removesuffix("Property").upper()
            raise Unsupported(f"CREATE {word} {kind}")
    if isinstance(tree, exp.Alter):
        for action in tree.args.get("actions") or []:
            if isinstance(action, _REFUSED_ACTIONS) or _drops_constraint(action):
                raise Unsupported(f"{name} ... {action.sql(dialect='snowflake')}"[:120])


def _drops_constraint(action: exp.Expr) -> bool:
    return isinstance(action, exp.Drop) and str(action.args.get("kind")).upper() != "COLUMN"


def declares_only_keys(tree: exp.Expr) -> bool:
    """ALTER TABLE ... ADD PRIMARY KEY and its kin: accepted, and nothing is done."""
    actions = tree.args.get("actions") if isinstance(tree, exp.Alter) else None
    return bool(actions) and all(
        isinstance(action, exp.AddConstraint) and all(_is_key(part) for part in action.expressions)
        for action in actions or []
    )


def drop_unenforced_keys(tree: exp.Expr) -> None:
    """Take the keys out of a CREATE TABLE; the columns of a primary key are NOT NULL."""
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        return
    parts = tree.this.expressions
    not_null = {name for part in parts if _is_key(part) for name in _primary_columns(part)}
    kept = [part for part in parts if not _is_key(part)]
    for column in kept:
        if isinstance(column, exp.ColumnDef):
            _drop_column_keys(column, primary=column.name.upper() in not_null)
    tree.this.set("expressions", kept)


def _is_key(part: exp.Expr) -> bool:
    if isinstance(part, exp.Constraint):
        return all(_is_key(inner) for inner in part.expressions)
    return isinstance(part, _KEYS)


def _primary_columns(part: exp.Expr) -> list[str]:
    return [column.name.upper() for key in part.find_all(exp.PrimaryKey) for column in key.expressions]


def _drop_column_keys(column: exp.ColumnDef, *, primary: bool) -> None:
    kept: list[exp.Expr] = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args.get("kind")
        primary = primary or isinstance(kind, exp.PrimaryKeyColumnConstraint)
        if not isinstance(kind, (exp.PrimaryKeyColumnConstraint, *_KEYS)):
            kept.append(constraint)
    if primary and not any(isinstance(part.args.get("kind"), exp.NotNullColumnConstraint) for part in kept):
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", kept)
