"""What CREATE VIEW says beside its query: comments on the view and its columns, and COPY GRANTS.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-view
DuckDB keeps the comments; INFORMATION_SCHEMA and SHOW VIEWS show them. COPY GRANTS is for the catalogue of
grants (grants.authorization).
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar import relations
from snowcellar.names import literal, quote
from snowcellar.session import Session

_TAKEN = (exp.SchemaCommentProperty, exp.CopyGrantsProperty)


def take(session: Session, tree: exp.Create) -> list[str]:
    """Take the comments out of a CREATE VIEW; the DuckDB statements to run when the view is there."""
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    view = relations.table_name(session, table)
    if view is None:
        return []
    comments = {f"VIEW {view.quoted}": text for text in _view_comment(tree)}
    if isinstance(tree.this, exp.Schema):
        for column in tree.this.expressions:
            name = quote(
                relations.fold_identifier(column if isinstance(column, exp.Identifier) else column.this)
            )
            for text in column.find_all(exp.CommentColumnConstraint):
                comments[f"COLUMN {view.quoted}.{name}"] = text.this.name
        tree.this.set("expressions", [_identifier(column) for column in tree.this.expressions])
    return [f"COMMENT ON {thing} IS {literal(text)}" for thing, text in comments.items()]


def comment_on_view(session: Session, tree: exp.Comment) -> str | None:
    """The DuckDB statement for COMMENT ON VIEW; None for a comment on anything else."""
    if str(tree.args.get("kind")).upper() != "VIEW":
        return None
    view = relations.table_name(session, tree.this)
    return f"COMMENT ON VIEW {view.quoted} IS {literal(tree.expression.name)}" if view else None


def _view_comment(tree: exp.Create) -> list[str]:
    properties = tree.args.get("properties")
    if properties is None:
        return []
    found = [each.this.name for each in properties.expressions if isinstance(each, exp.SchemaCommentProperty)]
    kept = [each for each in properties.expressions if not isinstance(each, _TAKEN)]
    tree.set("properties", exp.Properties(expressions=kept) if kept else None)
    return found


def _identifier(column: exp.Expr) -> exp.Expr:
    return column.this if isinstance(column, exp.ColumnDef) else column
