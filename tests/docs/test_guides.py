"""The guides against the user's own guide and against what `caves deploy` does."""

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final

from caves_cli import deploy
from caves_cli.connection import Target
from caves_snowpark import names
from ingest.events import EventStream
from ingest.settings import IngestSettings, ProducerSettings
from tests.docs.pages import ROOT, blocks, headings
from tests.docs.world import lines_of

THEIRS: Final = ROOT / "tests" / "fixtures" / "guide-deploiement.fr.md"
FRENCH: Final = ROOT / "docs" / "guide-deploiement.fr.md"
ENGLISH: Final = ROOT / "docs" / "guide.md"
GUIDES: Final = (FRENCH, ENGLISH)
COUNTED: Final = {
    "schemas|schémas": names.SCHEMAS,
    "streams": names.STREAMS,
    "procedures|procédures": names.PROCEDURES,
    "tasks": names.TASKS,
    "alerts|alertes": names.ALERTS,
}
NUMBERS: Final = {"four": 4, "five": 5, "six": 6, "eleven": 11, "quatre": 4, "cinq": 5, "onze": 11}


def asked(page: Path) -> list[str]:
    return [block.text for block in blocks(page) if block.language == "sql"]


def steps(page: Path) -> list[str]:
    """The numbered headings: number and first word, whatever signs stand around them."""
    found = [re.match(r"\W*(\d)\W+(\w+)", heading) for heading in headings(page, 3)]
    return [f"{step[1]} {step[2]}" for step in found if step]


def test_the_french_guide_asks_what_the_users_guide_asks_word_for_word_and_in_its_order() -> None:
    theirs = [text for text in asked(THEIRS) if not text.startswith("CREATE OR REPLACE VIEW")]
    assert len(theirs) == 9
    assert [text for text in asked(FRENCH) if text in theirs] == theirs


def test_the_french_guide_has_the_steps_of_the_users_guide_in_order() -> None:
    assert steps(THEIRS) == steps(FRENCH)
    assert len(steps(FRENCH)) == 6


def test_what_the_guide_types_by_hand_is_what_caves_deploy_runs() -> None:
    target = Target("prod", None, names.DEFAULT_DATABASE, names.DEFAULT_WAREHOUSE)
    admin = replace(target, name="admin")
    runs = [
        *(deploy.typed(step, admin) for step in deploy.bootstrap_steps(ROOT, admin)),
        *(deploy.typed(step, target) for step in deploy.steps(ROOT, target)),
    ]
    (typed,) = (lines_of(block.text) for block in blocks(ENGLISH) if "snow snowpark build" in block.text)
    assert [shlex.split(line) for line in typed[1:]] == [shlex.split(line) for line in runs]


def test_the_guides_count_right() -> None:
    for page in GUIDES:
        text = page.read_text(encoding="utf-8")
        for word, objects in COUNTED.items():
            (number,) = re.findall(rf"\b({'|'.join(NUMBERS)}) (?:{word})\b(?! tournent)", text)[:1]
            assert NUMBERS[number] == len(objects), word
    assert f"{len(list((ROOT / 'analytics').rglob('*.sql')))} questions" in ENGLISH.read_text(
        encoding="utf-8"
    )
    assert f"{len(list((ROOT / 'analytics').rglob('*.sql')))} autres\nquestions" in FRENCH.read_text(
        encoding="utf-8"
    )
    # DAILY_SALES and thirteen more.
    assert len(names.VIEWS) == 14


def test_the_bounds_of_a_batch_are_those_of_the_settings() -> None:
    settings = IngestSettings(bootstrap="", connection="")
    text = FRENCH.read_text(encoding="utf-8")
    assert f"{settings.batch_rows:,} événements au plus".replace(",", " ") in text
    assert f"{settings.batch_seconds:.0f} secondes au plus" in text


def test_the_figures_after_five_thousand_events_are_those_that_the_shop_sends() -> None:
    (command,) = {
        line for block in blocks(FRENCH) for line in lines_of(block.text) if line.startswith("caves produce")
    }
    events = int(shlex.split(command)[-1])
    shop = EventStream(ProducerSettings(bootstrap="", events=events))
    shop.take(events)
    sent = shop.truth()
    told = (
        f"{events} lignes dans RAW, {sent.order_events} et {sent.adjustments} dans STAGING, {sent.orders},"
        f" {sent.adjustments} et {len(sent.expected_stock)} dans PRODUCTION"
    )
    text = " ".join(FRENCH.read_text(encoding="utf-8").split())
    assert told in text
    assert f"REJECTED_EVENTS ({sent.rejected}) et DUPLICATE_EVENTS ({sent.duplicates})" in text
