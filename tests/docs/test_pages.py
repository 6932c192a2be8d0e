"""What the pages name is there: links and anchors, run books, messages, and the reference."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from caves_snowpark import names
from dashboard import texts
from tests.docs import reference, sql, troubles
from tests.docs.pages import PAGES, ROOT, anchors, headings, links
from tests.monitoring import stack

# Where a link may lead beyond the project.
SITES: Final = {"docs.snowflake.com", "www.snowflake.com", "github.com"}
TROUBLESHOOTING: Final = ROOT / "docs" / "troubleshooting.md"
MESSAGES: Final = headings(TROUBLESHOOTING, 3)
# Names of other things that begin so: databases, users, roles and a dashboard.
NO_VARIABLES: Final = (
    "ALBERT_DB|ALBERT_DEV_DB|ALBERT_TEST_DB|TEST_DB|DASHBOARD|MAIL|DEV_WH|TEST_WH|DEV|TEST"
    "|ADMIN|INGEST|TRANSFORM|ANALYST|OPERATOR"
)
CODE: Final = ("src", "ingest", "procedures", "dashboard")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_to_a_page_and_a_heading_or_to_a_site_that_we_know(page: Path) -> None:
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https" or parts.hostname == "127.0.0.1", link
            assert parts.hostname in SITES | {"127.0.0.1"}, link
            continue
        target = (page.parent / parts.path).resolve() if parts.path else page
        assert target.exists(), link
        assert not parts.fragment or parts.fragment in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        if page in reached:
            continue
        reached.add(page)
        to_read += [
            target
            for link in links(page)
            if (target := (page.parent / urlsplit(link).path).resolve()).suffix == ".md" and target.is_file()
        ]
    assert set(PAGES) <= reached


@pytest.mark.parametrize("alert", [name.partition("ALERT_")[2] for name in names.ALERTS])
def test_an_alert_of_the_warehouse_has_a_run_book(alert: str) -> None:
    assert alert in headings(ROOT / "docs" / "operations.md", 2)


@pytest.mark.parametrize("alert", [rule["alert"] for rule in stack.rules() if "alert" in rule])
def test_an_alert_of_prometheus_has_a_run_book(alert: str) -> None:
    assert alert in headings(ROOT / "docs" / "monitoring.md", 3)


@cache
def sentences() -> str:
    """Every text that our code can say, its variable parts as `...`, on one line each."""
    found = []
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    found.append(
                        "".join(
                            str(part.value) if isinstance(part, ast.Constant) else "..."
                            for part in node.values
                        )
                    )
    # A heading has no backticks of its own: they are Markdown's.
    return "\n".join(" ".join(sentence.replace("`", "").split()) for sentence in found)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_heading_of_troubleshooting_is_a_message_of_ours_or_comes_when_it_is_provoked(message: str) -> None:
    assert message in {*troubles.TYPED, *troubles.ASKED} or message in sentences()


def test_every_message_that_is_provoked_has_its_heading() -> None:
    assert {*troubles.TYPED, *troubles.ASKED} <= set(MESSAGES)


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_says_what_the_code_says(name: str) -> None:
    """To mend it: python -m tests.docs.reference."""
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == reference.pages()[name]


def test_the_reference_has_every_column_of_every_table_and_view_explained() -> None:
    for kind in ("TABLE", "VIEW"):
        for relation in sql.relations(kind):
            assert relation.comment, relation.name
            assert relation.columns, relation.name
            assert all(column.comment for column in relation.columns), relation.name


def test_every_procedure_has_its_returned_keys() -> None:
    assert [f"{names.OPS}.{name}" for name in reference.RETURNS] == list(names.PROCEDURES)


def test_the_settings_have_every_variable_that_the_code_reads() -> None:
    said = (reference.FOLDER / "settings.md").read_text(encoding="utf-8")
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    files += [*(ROOT / "deploy").rglob("*.sql"), ROOT / "ingest" / "compose.yaml"]
    named = {
        name
        for path in files
        for name in re.findall(rf"\bCAVES_(?!(?:{NO_VARIABLES})\b)[A-Z_]+\b", path.read_text("utf-8"))
    }
    told = set(re.findall(rf"`(CAVES_(?!(?:{NO_VARIABLES})\b)[A-Z_]+)`", said))
    assert named == told


def test_what_the_readme_calls_the_parts_of_the_dashboard_is_what_they_say() -> None:
    shown = {english for _, english in texts.TEXTS.values()}
    named = re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    assert set(named) <= shown


def test_a_page_has_one_title() -> None:
    for page in PAGES:
        assert len(headings(page, 1)) == 1, page
