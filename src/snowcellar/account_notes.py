"""What fakesnow notes of a table in the account's own file: its comment and the lengths of its texts.

A transaction of DuckDB writes to one file, so that within one, as of CREATE TABLE AS, the notes wait.
"""

from __future__ import annotations

from fakesnow import info_schema
from sqlglot import exp

from snowcellar.session import Session


def take(session: Session, transformed: exp.Expr) -> list[str]:
    """Take the notes from a statement that fakesnow has translated; the DuckDB statements that write them."""
    notes = []
    table, comment = transformed.args.pop("table_comment", None) or (None, None)
    if table is not None:
        catalog, schema, name = (part.replace("'", "''") for part in _place(session, table))
        text = (comment or "").replace("'", "''")
        notes.append(info_schema.insert_table_comment_sql(catalog, schema, name, text))
    lengths = transformed.args.pop("text_lengths", None)
    if lengths and (table := transformed.find(exp.Table)) is not None:
        notes.append(info_schema.insert_text_lengths_sql(*_place(session, table), lengths))
    return notes


def _place(session: Session, table: exp.Table) -> tuple[str, str, str]:
    return table.catalog or str(session.database), table.db or str(session.schema), table.name
