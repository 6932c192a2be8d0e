"""Both languages say the same, and say all of it."""

import re
from pathlib import Path

import pytest

import dashboard
from dashboard.texts import LANGUAGES, TEXTS, speaker

SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in Path(dashboard.__file__).parent.rglob("*.py")
    if path.name != "texts.py"
)


def test_every_text_is_there_in_every_language() -> None:
    assert all(len(texts) == len(LANGUAGES) and all(texts) for texts in TEXTS.values())


def test_both_languages_fill_in_the_same_values() -> None:
    for key, texts in TEXTS.items():
        wanted = [sorted(re.findall(r"{(\w+)}", text)) for text in texts]
        assert wanted[0] == wanted[1], key


def test_every_text_is_used() -> None:
    """By its whole key, or by the part before the last dot when the rest is a value."""
    unused = [
        key for key in TEXTS if f'"{key}"' not in SOURCES and not _used_with_a_value(key) and "." in key
    ]
    assert unused == []


def _used_with_a_value(key: str) -> bool:
    first = key.partition(".")[0]
    return f'"{first}.{{' in SOURCES or f'"{key.rpartition(".")[0]}.{{' in SOURCES or first == "help"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_is_not_there_is_a_fault(language: str) -> None:
    with pytest.raises(KeyError):
        speaker(language)("no such text")
