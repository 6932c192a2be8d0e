"""What we replace of fakesnow's inside, each with its reason.

A test (tests/warehouse/test_upstream.py) tells when fakesnow no longer needs a replacement.
"""

from __future__ import annotations

from fakesnow import info_schema

from snowcellar.streams.registry import HIDDEN_COLUMNS

_HIDDEN = ", ".join(f"'{name}'" for name in HIDDEN_COLUMNS)

GLOBAL_VIEWS = info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW.replace(
    "create view if not exists", "create or replace view"
).replace(
    "where schema_name != '_fs_information_schema'",
    f"where schema_name != '_fs_information_schema' and columns.column_name not in ({_HIDDEN})",
)
"""INFORMATION_SCHEMA.COLUMNS, and DESCRIBE TABLE through it, without the columns that track changes."""


def apply() -> None:
    """Install the replacements that are code rather than SQL."""
