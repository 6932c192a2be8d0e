"""docs/operations.md against the pipeline: every alert has its run book. Its blocks are run by tests/docs."""

import re
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection

from caves_snowpark import names

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = {section.partition("\n")[0]: section for section in PAGE.split("\n## ")[1:]}


@pytest.mark.parametrize("alert", [name.partition("ALERT_")[2] for name in names.ALERTS])
def test_an_alert_has_a_run_book_and_a_line_that_says_what_it_costs(alert: str) -> None:
    assert f"| [{alert}](#{alert.lower()}) |" in PAGE
    for part in ("**It means", "**Look here:**", "**Do this:**", "**It clears**"):
        assert part in SECTIONS[alert], part


def test_what_the_page_says_of_thresholds_is_what_deploy_sets(session: SnowflakeConnection) -> None:
    told = dict(re.findall(r"`([A-Z_]+)` (?:times )?\((\d+)\)", " ".join(PAGE.split())))
    with session.cursor() as cursor:
        cursor.execute(f"SELECT SETTING, THRESHOLD FROM {names.ALERT_SETTINGS}")
        assert {setting: int(value) for setting, value in cursor.fetchall()} == {
            setting: int(value) for setting, value in told.items()
        }
