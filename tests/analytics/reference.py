"""The parts of docs/analytics.md that are taken from the SQL: views, columns and questions.

`python -m tests.analytics.reference` writes them anew; a test compares.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import sqlglot
from sqlglot import exp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "analytics.md"
_VIEW = re.compile(r"^CREATE OR REPLACE VIEW ANALYTICS\..+?;$", re.MULTILINE | re.DOTALL)


def views() -> dict[str, tuple[str, dict[str, str]]]:
    """Each view of ANALYTICS by name, in order: its comment, and its columns with theirs."""
    found = {}
    for path in sorted((ROOT / "deploy").glob("[0-9]*.sql")):
        for statement in _VIEW.findall(path.read_text(encoding="utf-8")):
            tree = sqlglot.parse_one(statement, read="snowflake")
            columns = {column.name: _comment(column) for column in tree.this.expressions}
            comment = tree.find(exp.SchemaCommentProperty)
            found[tree.this.this.sql()] = (comment.this.name if comment else "", columns)
    return found


def _comment(column: exp.Expr) -> str:
    comment = column.find(exp.CommentColumnConstraint)
    return comment.this.name if comment else ""


def views_section() -> str:
    """A heading, the comment and a table of columns for each view."""
    parts = []
    for name, (comment, columns) in views().items():
        rows = "\n".join(f"| `{column}` | {text} |" for column, text in columns.items())
        parts.append(
            f"### {name.partition('.')[2]}\n\n{comment}.\n\n| column | meaning |\n| --- | --- |\n{rows}"
        )
    return "\n\n".join(parts)


def questions_section() -> str:
    """A heading for each folder of analytics/ and a line for each question."""
    parts = []
    numbered = sorted((ROOT / "analytics").glob("*/*.sql"), key=lambda path: path.name)
    for folder, paths in groupby(numbered, key=lambda path: path.parent.name):
        lines = [_question(path) for path in paths]
        parts.append(f"### {folder.capitalize()}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _question(path: Path) -> str:
    title, why, grain = (line.removeprefix("-- ") for line in path.read_text("utf-8").splitlines()[:3])
    link = f"../{path.relative_to(ROOT)}"
    return f"- [{title}]({link})\n  {_sentence(why)} {_sentence(grain)}"


def _sentence(line: str) -> str:
    text = line.partition(": ")[2]
    return text[:1].upper() + text[1:]


def rendered(page: str) -> str:
    """The page with its generated parts as they should be."""
    for name, text in (("views", views_section()), ("questions", questions_section())):
        begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
