"""The alert rules: true to what is exported, each with a run book, and each told its story."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.monitoring import promql, stack
from tests.monitoring.stack import MONITORING, Object

STORIES: Final = Path(__file__).with_name("alerts.test.yml")
PROMTOOL: Final = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian and Ubuntu: apt-get install prometheus)"
)
each_rule = pytest.mark.parametrize("rule", stack.rules(), ids=lambda rule: str(rule["alert"]))


@each_rule
def test_a_rule_speaks_only_of_what_the_ingestor_exports(rule: Object) -> None:
    labels = promql.check(rule["expr"], promql.exported(), {"caves-ingest"})
    told = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", told)) <= labels


@each_rule
def test_a_rule_says_how_bad_how_long_and_what_to_do(rule: Object) -> None:
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.fullmatch(r"\d+[sm]", rule["for"])
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert len(rule["annotations"]["summary"]) <= 60
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    assert anchor in stack.anchors(stack.ROOT / page)


def test_the_page_has_no_chapter_for_an_alert_that_there_is_not() -> None:
    chapters = {anchor for anchor in stack.anchors(stack.PAGE) if re.fullmatch(r"ingestor[a-z]+", anchor)}
    assert chapters == {rule["alert"].lower() for rule in stack.rules()}


@each_rule
def test_a_rule_has_a_story_in_which_it_fires_and_one_in_which_it_does_not(rule: Object) -> None:
    moments = [
        moment
        for story in stack.read_yaml(STORIES)["tests"]
        for moment in story["alert_rule_test"]
        if moment["alertname"] == rule["alert"]
    ]
    assert {bool(moment["exp_alerts"]) for moment in moments} == {True, False}


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"),
        ("test", "rules", str(STORIES)),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_accepts_the_files_and_the_stories_come_true(arguments: tuple[str, ...]) -> None:
    done = _promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("== 0 or absent", "== 2 or absent"),
        ('owned_partitions{job="caves-ingest"}) == 0', 'owned_partitions{job="caves-ingest"}) == 6'),
        ("> 300", "> 600"),
        ("> 100000", "> 200000"),
        ("[10m])) > 2\n        for: 1m", "[10m])) > 9\n        for: 1m"),
        ("> 0\n        for: 10m", "> 3\n        for: 10m"),
        ("> 30\n        for: 10m", "> 50\n        for: 10m"),
        ("[10m])) > 2\n        for: 0m", "[10m])) > 0\n        for: 0m"),
        ('"NOT_IN_LOG"}[1h]', '"RETENTION"}[1h]'),
    ],
    ids=[rule["alert"] for rule in stack.rules()],
)
def test_a_story_tells_when_its_rule_is_changed(tmp_path: Path, before: str, after: str) -> None:
    rules = (MONITORING / "alerts.yml").read_text(encoding="utf-8")
    assert rules.count(before) == 1
    (tmp_path / "alerts.yml").write_text(rules.replace(before, after), encoding="utf-8")
    stories = STORIES.read_text(encoding="utf-8").replace("../../ingest/monitoring/", "")
    (tmp_path / STORIES.name).write_text(stories, encoding="utf-8")
    done = _promtool("test", "rules", str(tmp_path / STORIES.name))
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr


def _promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(PROMTOOL), *arguments], cwd=MONITORING, capture_output=True, text=True, check=False
    )
