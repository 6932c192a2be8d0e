"""docs/performance.md and its pictures say what the results say."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import machine, page, plot
from bench.__main__ import BENCHES
from bench.harness import OURS, Bound, Comparison, Target

COMPARISON = Comparison(
    "work",
    "s",
    {OURS: [2.0, 3.0, 4.0], "other": [4.0, 6.0, 10.0]},
    (Bound(2.5), Target("other", 0.5, at_least=False)),
    {"bytes_an_event": 380},
).as_json()


def result(name: str) -> dict[str, object]:
    return {
        "bench": name,
        "runs": 3,
        "scale": 0.1,
        "machine": machine.facts(),
        "memory_mib": {OURS: {"warehouse": 1234, "worker": 50}, "other": {"bench": 7}},
        "comparisons": [COMPARISON],
    }


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    return tmp_path


def test_the_page_is_written_from_the_results_that_are_kept() -> None:
    """To mend it: python -m bench.page."""
    for path, content in page.files().items():
        assert path.read_text(encoding="utf-8") == content, path


def test_every_bench_has_its_place_on_the_page() -> None:
    words = Path(page.__file__).with_name("page.md").read_text(encoding="utf-8")
    for name in BENCHES:
        assert f"<!-- figures: {name} -->" in words


def test_a_table_has_ratio_target_and_verdict_beside_each_other(results: Path) -> None:
    (results / "start.json").write_text(json.dumps(result("start")), encoding="utf-8")
    found = page.files()[page.PAGE]
    assert f"| **{OURS}** | 3 | 2 | 4 |  | at most 2.5 s | **not met** |" in found
    assert "| other | 6 | 4 | 10 | 0.5 | at most 0.5 times other | met |" in found
    assert "Besides: bytes an event: 380." in found
    assert "3 runs of each, at 0.1 of the full work" in found
    assert "*Not measured yet: `caves bench ingest`.*" in found


def test_facts_with_columns_and_memory_are_tables() -> None:
    facts = {
        "a_question": {"caves, ms": 3, "at most 1.5": True},
        "another": {"caves, ms": 4, "at most 1.5": False},
    }
    found = page.figures({**result("start"), "comparisons": [{**COMPARISON, "facts": facts}]})
    assert "| | caves, ms | at most 1.5 |\n| --- | ---: | ---: |\n| a question | 3 | met |" in found
    assert "| another | 4 | **not met** |" in found
    assert (
        f"| | warehouse | worker | bench |\n| --- | ---: | ---: | ---: |\n| {OURS} | 1,234 | 50 |  |" in found
    )
    assert "| other |  |  | 7 |" in found


def test_figures_without_a_place_are_not_left_out_in_silence(results: Path) -> None:
    (results / "other.json").write_text(json.dumps(result("other")), encoding="utf-8")
    with pytest.raises(page.NoPlace, match="other"):
        page.files()


def test_a_picture_has_a_bar_for_each_contestant_as_long_as_its_median() -> None:
    root = ElementTree.fromstring(plot.svg([COMPARISON]))
    space = "{http://www.w3.org/2000/svg}"
    _, ours, other = (float(bar.attrib["width"]) for bar in root.iter(f"{space}rect"))
    assert other == pytest.approx(2 * ours, rel=0.01)
    assert {"work (s)", OURS, "other", "3", "6"} <= {text.text for text in root.iter(f"{space}text")}
