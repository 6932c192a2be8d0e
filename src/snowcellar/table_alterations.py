"""ALTER TABLE and ALTER VIEW in the forms that DuckDB has not, and the comments of columns.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-table and .../alter-table-column
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from fakesnow import info_schema
from sqlglot import exp

from snowcellar import relations
from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import QualifiedName, literal, quote
from snowcellar.session import Session

_NO_EFFECT = {"CHANGE_TRACKING", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"}
"""Properties that a table takes, and that nothing here depends on: streams track their tables themselves."""
_OF_KEYS_AND_CLUSTERS = ("DROP CLUSTERING KEY", "DROP PRIMARY KEY", "SUSPEND RECLUSTER", "RESUME RECLUSTER")


def take_column_comments(session: Session, tree: exp.Expr) -> list[str]:
    """Take the comments of columns out of a CREATE or ALTER TABLE; the statements that set them."""
    table = tree.find(exp.Table)
    name = relations.table_name(session, table) if table is not None else None
    if name is None:
        return []
    statements = []
    for column in tree.find_all(exp.ColumnDef):
        for constraint in list(column.args.get("constraints") or []):
            if isinstance(constraint.args.get("kind"), exp.CommentColumnConstraint):
                column.args["constraints"].remove(constraint)
                text = constraint.args["kind"].this.name
                statements.append(_comment_on_column(session, name, column.this, text))
    return statements


def run(session: Session, tree: exp.Alter) -> bool:
    """Run an ALTER that is not DuckDB's to run; whether it was one."""
    name = relations.table_name(session, tree.this) if isinstance(tree.this, exp.Table) else None
    actions = tree.args.get("actions") or []
    if name is None or not actions:
        return False
    statements = [list(_statements(session, tree, name, action)) for action in actions]
    if not all(statements):
        return False
    with session.connection.statement(session):
        for statement in (each for several in statements for each in several):
            _execute(session, statement)
    return True


def _execute(session: Session, statement: str) -> None:
    try:
        session.duck.execute(statement)
    except duckdb.ConstraintException as error:
        column = statement.rsplit(" ALTER COLUMN ", 1)[-1].split(" SET ")[0].strip('"')
        raise CompilationError(
            f"Column '{column}' contains null values. Not null constraint cannot be added.", 1463, "22000"
        ) from error


def _statements(session: Session, tree: exp.Alter, name: QualifiedName, action: exp.Expr) -> Iterator[str]:
    kind = str(tree.args.get("kind") or "TABLE").upper()
    place = quote(name.name) if name in session.temporary else name.quoted
    if isinstance(action, exp.AlterColumn) and action.args.get("allow_null") is False:
        yield f"ALTER TABLE {place} ALTER COLUMN {_column(action.this)} SET NOT NULL"
    elif isinstance(action, exp.AlterColumn) and action.args.get("comment") is not None:
        yield _comment_on_column(session, name, action.this, action.args["comment"].name)
    elif isinstance(action, exp.Drop) and len(columns := action.args.get("tables") or []) > 1:
        exists = "IF EXISTS " if action.args.get("exists") else ""
        for column in columns:
            yield f"ALTER TABLE {place} DROP COLUMN {exists}{_column(column)}"
    elif isinstance(action, exp.AlterSet | exp.Set):
        yield from _properties(kind, name, action)


def _properties(kind: str, name: QualifiedName, action: exp.Expr) -> Iterator[str]:
    unset = bool(action.args.get("unset"))
    if not action.expressions or action.args.get("tag"):
        raise Unsupported(f"ALTER {kind} ... {action.sql(dialect='snowflake')}"[:120])
    for part in action.expressions:
        for each in part.expressions if isinstance(part, exp.Properties) else [part]:
            if isinstance(each, exp.SchemaCommentProperty) or (unset and each.name.upper() == "COMMENT"):
                text = "" if unset else each.this.name
                if kind == "VIEW":
                    yield f"COMMENT ON VIEW {name.quoted} IS {literal(text)}"
                else:
                    place = (part.replace("'", "''") for part in (name.database, name.schema, name.name))
                    database, schema, table = place
                    yield info_schema.insert_table_comment_sql(
                        database, schema, table, text.replace("'", "''")
                    )
            elif each.name.upper() in _NO_EFFECT:
                yield "SELECT 1"
            else:
                raise Unsupported(f"ALTER {kind} ... {action.sql(dialect='snowflake')}"[:120])


def has_no_effect(tree: exp.Alter) -> bool:
    """Whether an ALTER TABLE is about keys, which are not kept, or clusters, which there are none of."""
    actions = tree.args.get("actions") or []
    texts = [action.sql(dialect="snowflake").upper() for action in actions]
    return bool(texts) and all(
        text in _OF_KEYS_AND_CLUSTERS or text.startswith("DROP CONSTRAINT ") for text in texts
    )


def _column(column: exp.Expr) -> str:
    identifier = column.this if isinstance(column, exp.Column | exp.Table) else column
    return quote(relations.fold_identifier(identifier))


def _comment_on_column(session: Session, name: QualifiedName, column: exp.Expr, text: str) -> str:
    place = quote(name.name) if name in session.temporary else name.quoted
    return f"COMMENT ON COLUMN {place}.{_column(column)} IS {literal(text)}"
