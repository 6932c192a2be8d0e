"""A transform only describes rows: nothing in it sends a statement, and nothing makes a table."""

import ast
from pathlib import Path

import pytest

from caves_snowpark import fields, health, production, staging

# PITFALL 19, and what would ask the warehouse for columns in the middle of a transform.
EAGER = {
    "cache_result",
    "collect",
    "columns",
    "copy_into_table",
    "create_dataframe",
    "create_or_replace_view",
    "first",
    "save_as_table",
    "schema",
    "show",
    "sql",
    "to_local_iterator",
    "to_pandas",
    "write",
}
# Modules with a function of such a name, which is not a DataFrame's.
MODULES = {"F", "schemas"}


def eager_calls(source: str) -> list[str]:
    return [
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and node.attr in EAGER
        and not (isinstance(node.value, ast.Name) and node.value.id in MODULES)
    ]


@pytest.mark.parametrize("module", [fields, staging, production, health], ids=lambda module: module.__name__)
def test_a_transform_sends_no_statement(module: object) -> None:
    path = getattr(module, "__file__", None)
    assert path
    assert eager_calls(Path(path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["rows.collect()", "rows.cache_result()", "rows.select('A').columns"])
def test_an_eager_call_is_seen(source: str) -> None:
    assert eager_calls(source)
