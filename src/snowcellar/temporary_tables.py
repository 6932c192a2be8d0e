"""Temporary tables and views by their full names.

DuckDB keeps those of a connection in a database of their own, where they have no other name than the last
part of theirs. Deviation: so two of one name, in two schemas, are one.
"""

from __future__ import annotations

from sqlglot import exp

from snowcellar.relations import table_name
from snowcellar.session import Session


def last_part(session: Session, node: exp.Expr) -> exp.Expr:
    """The name of a temporary table or view by its last part."""
    if not isinstance(node, exp.Table) or not node.args.get("db"):
        return node
    if _is_being_made(node) or table_name(session, node) in session.temporary:
        node.set("db", None)
        node.set("catalog", None)
    return node


def use_last_parts(session: Session, tree: exp.Expr) -> None:
    """The same for every table of a tree; DESCRIBE looks where DuckDB has them."""
    for table in list(tree.find_all(exp.Table)):
        if isinstance(tree, exp.Describe) and table_name(session, table) in session.temporary:
            table.set("db", exp.to_identifier("main", quoted=True))
            table.set("catalog", exp.to_identifier("temp", quoted=True))
        else:
            last_part(session, table)


def _is_being_made(table: exp.Table) -> bool:
    holder = table.parent if isinstance(table.parent, exp.Schema) else table
    made = holder.parent
    if not isinstance(made, exp.Create) or holder.arg_key != "this":
        return False
    properties = made.args.get("properties")
    return (
        made.kind in ("TABLE", "VIEW")
        and properties is not None
        and (properties.find(exp.TemporaryProperty) is not None)
    )
