"""What we replace of fakesnow's inside, each with its reason.

A test (tests/warehouse/test_upstream.py) tells when fakesnow no longer needs a replacement.
"""

from __future__ import annotations

import re
from string import Template

import duckdb
from fakesnow import info_schema, transforms
from fakesnow.transforms import show as fakesnow_show
from fakesnow.transforms import transforms as fakesnow_transforms
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from snowcellar.streams.registry import HIDDEN_COLUMNS

_HIDDEN = ", ".join(f"'{name}'" for name in HIDDEN_COLUMNS)

_COLUMNS = info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW.replace(
    "create view if not exists", "create or replace view"
).replace(
    "where schema_name != '_fs_information_schema'",
    f"where schema_name != '_fs_information_schema' and columns.column_name not in ({_HIDDEN})",
)
"""INFORMATION_SCHEMA.COLUMNS, and DESCRIBE TABLE through it, without the columns that track changes."""

_COMMENT_OF_VIEW = """coalesce((
        select comment from duckdb_views() as v
        where v.database_name = table_catalog and v.schema_name = table_schema and v.view_name = table_name
    ), '') as comment"""

_SHOW_VIEWS = fakesnow_show.SQL_CREATE_VIEW_SHOW_VIEWS.replace(
    "create view if not exists", "create or replace view"
).replace("'' as comment", _COMMENT_OF_VIEW)
"""SHOW VIEWS, with the comments."""

_OF_TABLE = """coalesce((
        select e.comment from _fs_global._fs_information_schema._fs_tables_ext as e
        where e.ext_table_catalog = table_catalog and e.ext_table_schema = table_schema
            and e.ext_table_name = table_name
    ), '') as comment"""
_ROWS_OF_TABLE = """coalesce((
        select t.estimated_size from duckdb_tables() as t
        where t.database_name = table_catalog and t.schema_name = table_schema
            and t.table_name = tables.table_name
    ), 0) as rows"""

_SHOW_TABLES, _SHOW_OBJECTS = (
    view.replace("create view if not exists", "create or replace view")
    .replace("'' as comment", _OF_TABLE)
    .replace("0 as rows", _ROWS_OF_TABLE)
    for view in (fakesnow_show.SQL_CREATE_VIEW_SHOW_TABLES, fakesnow_show.SQL_CREATE_VIEW_SHOW_OBJECTS)
)
"""SHOW TABLES and SHOW OBJECTS, with the comments and how many rows there are, as DuckDB estimates."""

_SINCE_1970 = re.compile(r"to_timestamp\(0\)::timestamptz (as \"?CREATED\"?,)", re.IGNORECASE)
_AT_1970 = "to_timestamp(0)::timestamptz"


def _with_times(view: Template, kind: str, schema: str, name: str) -> Template:
    """A view of INFORMATION_SCHEMA that tells when things were made; when they were altered is not kept."""
    made = f"""(
        select max(g.created_on) from _fs_global._fs_information_schema.sc_grants as g
        where g.kind = '{kind}' and g.privilege = 'OWNERSHIP' and g.future_kind = ''
            and g.in_database = '${{catalog}}' and g.in_schema = {schema} and g.name = {name}
    )"""
    text = view.template.replace("create view if not exists", "create or replace view")
    return Template(_SINCE_1970.sub(rf"{made} \1", text).replace(_AT_1970, "null::timestamptz"))


GLOBAL_VIEWS = f"{_COLUMNS};{_SHOW_VIEWS};{_SHOW_TABLES};{_SHOW_OBJECTS}"

INFORMATION_SCHEMA_VIEWS = info_schema.SQL_CREATE_INFORMATION_SCHEMA_VIEWS_VIEW.template.replace(
    "null::VARCHAR as COMMENT", "comment as COMMENT"
)
"""INFORMATION_SCHEMA.VIEWS, with the comments."""

_TABLES = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW
_SCHEMATA = info_schema.SQL_CREATE_INFORMATION_SCHEMA_SCHEMATA_VIEW


def apply() -> None:
    """Install the replacements that are code rather than SQL."""
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_VIEWS_VIEW = _with_times(
        Template(INFORMATION_SCHEMA_VIEWS), "VIEW", "duckdb_views.schema_name", "duckdb_views.view_name"
    )
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = _with_times(
        _TABLES, "TABLE", "tables.schema_name", "tables.table_name"
    )
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_SCHEMATA_VIEW = _with_times(
        _SCHEMATA, "SCHEMA", "schemata.schema_name", "''"
    )
    fakesnow_transforms.SQL_DESCRIBE_TABLE = Template(
        fakesnow_transforms.SQL_DESCRIBE_TABLE.template.replace(
            "FROM _fs_information_schema.", "FROM _fs_global._fs_information_schema."
        ).replace('NULL::VARCHAR AS "comment"', 'COMMENT AS "comment"', 1)
    )
    DuckDB.Generator.RESERVED_KEYWORDS = {*DuckDB.Generator.RESERVED_KEYWORDS, *_keywords()}
    transforms.numeric_agg_implicit_cast = exact_numeric_aggregate  # type: ignore[assignment]


def _keywords() -> list[str]:
    """The words that DuckDB takes for no column's name without quotes: sqlglot does not know AT, or ASOF."""
    query = (
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    )
    with duckdb.connect() as duck:
        return [word for (word,) in duck.execute(query).fetchall()]


def exact_numeric_aggregate(node: exp.Expr) -> exp.Expr:
    """SUM, AVG ... in a select list are named by their text, and NUMBER stays NUMBER.

    fakesnow's numeric_agg_implicit_cast reads every argument as DOUBLE, so that VARCHAR can be summed;
    a sum of money then loses its cents.
    """
    listed = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
    if listed and isinstance(node, fakesnow_transforms._NUMERIC_ONLY_AGGS):
        name = fakesnow_transforms._numeric_agg_col_name(node, node.this)
        return exp.alias_(node, name, quoted=True) if name else node
    return node
