"""The Grafana board: true to what is exported, as Grafana wants it, and laid out without overlap."""

import re
from typing import Final

import pytest

from tests.monitoring import promql, stack
from tests.monitoring.stack import MONITORING, Object

# Grafana's own panels, of those that the board could want; others would have to be fetched.
BUILT_IN: Final = {"row", "stat", "timeseries", "table", "barchart", "gauge", "bargauge", "heatmap", "text"}
COLUMNS: Final = 24
# Exported for somebody who asks, not for the board: each with the reason.
NOT_SHOWN: Final = {
    "caves_ingest_batches_total": "the count of caves_ingest_commit_seconds",
    "caves_ingest_buffer_messages": "its bytes are what is bounded",
    "caves_ingest_gap_offsets_total": "unknown for some gaps; the table KAFKA_OFFSET_GAPS has them",
}
each_panel = pytest.mark.parametrize("panel", stack.panels(), ids=lambda panel: str(panel["title"]))


@each_panel
def test_a_panel_asks_only_for_what_the_ingestor_exports(panel: Object) -> None:
    for target in panel["targets"]:
        labels = promql.check(target["expr"], promql.exported(), {"caves-ingest"})
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels
        assert 'instance=~"$instance"' in target["expr"]


@each_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: Object) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"]
    assert [target["refId"] for target in panel["targets"]] == list("ABC"[: len(panel["targets"])])


@each_panel
def test_a_panel_has_a_line_on_the_page(panel: Object) -> None:
    assert f"**{panel['title']}**" in stack.PAGE.read_text(encoding="utf-8")


def test_every_metric_is_on_the_board_or_in_a_rule_or_left_out_for_a_reason() -> None:
    asked = [target["expr"] for panel in stack.panels() for target in panel["targets"]]
    asked += [rule["expr"] for rule in stack.rules()]
    named = {selector.name for expression in asked for selector in promql.selectors(expression)}
    ours = {name for name in promql.exported() if name.startswith("caves_")}
    # A histogram is asked for by its buckets.
    ours = {name for name in ours if not name.endswith(("_sum", "_count"))}
    assert ours - named == set(NOT_SHOWN)


def test_ids_are_unique_and_panels_are_grafanas_own() -> None:
    ids = [panel["id"] for panel in stack.board()["panels"]]
    assert len(ids) == len(set(ids))
    assert {panel["type"] for panel in stack.board()["panels"]} <= BUILT_IN
    assert "://" not in stack.BOARD_FILE.read_text(encoding="utf-8")


def test_panels_fill_the_grid_without_overlap_or_hole() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in stack.board()["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken[x, y]}"
                taken[x, y] = panel["title"]
    height = max(y for _, y in taken) + 1
    assert taken.keys() == {(x, y) for x in range(COLUMNS) for y in range(height)}


def test_the_data_source_is_the_one_that_is_provisioned() -> None:
    provisioned = stack.read_yaml(MONITORING / "grafana/provisioning/datasources/prometheus.yml")
    (source,) = provisioned["datasources"]
    board = stack.board()
    asked = [board["annotations"]["list"][0], *board["templating"]["list"], *stack.panels()]
    asked += [target for panel in stack.panels() for target in panel["targets"]]
    assert all(one["datasource"] == {"type": source["type"], "uid": source["uid"]} for one in asked)
    # $__rate_interval is made of it.
    scrape_interval = stack.read_yaml(MONITORING / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrape_interval


def test_the_variable_and_the_annotation_speak_of_what_there_is() -> None:
    (variable,) = stack.board()["templating"]["list"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
    assert metric in promql.exported()
    assert label == variable["name"] == "instance"
    (annotation,) = stack.board()["annotations"]["list"]
    (selector,) = promql.selectors(annotation["expr"])
    matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
    assert all(re.fullmatch(matchers["alertname"], rule["alert"]) for rule in stack.rules())


def test_grafana_finds_the_board_where_the_compose_file_puts_it() -> None:
    (provider,) = stack.read_yaml(MONITORING / "grafana/provisioning/dashboards/caves.yml")["providers"]
    grafana = stack.services()["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    folder = next(target for source, target in mounts.items() if source.endswith("grafana/dashboards"))
    assert provider["options"]["path"] == folder
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{folder}/{stack.BOARD_FILE.name}"
