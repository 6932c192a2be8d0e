"""The files of ingest/ that describe the containers and what watches them."""

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
INGEST: Final = ROOT / "ingest"
MONITORING: Final = INGEST / "monitoring"
COMPOSE_FILE: Final = INGEST / "compose.yaml"
DOCKERFILE: Final = INGEST / "Dockerfile"
BOARD_FILE: Final = MONITORING / "grafana/dashboards/ingestor.json"
PAGE: Final = ROOT / "docs/monitoring.md"

Object = dict[str, Any]


def read_yaml(path: Path) -> Object:
    document: Object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def compose() -> Object:
    return read_yaml(COMPOSE_FILE)


def services() -> dict[str, Object]:
    return dict(compose()["services"])


def scrape_config() -> Object:
    """How Prometheus reads the ingestor."""
    return next(
        job
        for job in read_yaml(MONITORING / "prometheus.yml")["scrape_configs"]
        if job["job_name"] == "caves-ingest"
    )


def rules() -> list[Object]:
    return [rule for group in read_yaml(MONITORING / "alerts.yml")["groups"] for rule in group["rules"]]


def board() -> Object:
    document: Object = json.loads(BOARD_FILE.read_text(encoding="utf-8"))
    return document


def panels() -> list[Object]:
    """Those that show something: rows are headings."""
    return [panel for panel in board()["panels"] if panel["type"] != "row"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def image_environment() -> dict[str, str]:
    """What the image sets for whatever runs in it."""
    last = [rest for word, rest in instructions() if word == "ENV"][-1]
    return dict(re.findall(r"(\w+)=(\S+)", last))


def anchors(page: Path) -> set[str]:
    """What a link may point to on a page, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
