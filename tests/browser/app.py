"""The dashboard as a person has it: `caves dashboard` in a process of its own, and a browser."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Nothing here takes longer on two busy cores; past it, something hangs.
PATIENCE_SECONDS: Final = 60
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)


@contextlib.contextmanager
def serve(config: Path, database: str, log: Path) -> Iterator[str]:
    """`caves dashboard` on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "caves_cli.main", "dashboard", "-c", "local", "--no-browser"]
    options = ["--config-file", str(config), "--database", database, "--port", str(port)]
    with log.open("w") as written:
        server = subprocess.Popen(
            [*command, *options],
            stdout=written,
            stderr=written,
            cwd=log.parent,
            env=os.environ | {"TERM": "dumb"},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the dashboard does not answer")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Dashboard:
    """One page of the browser, by what a person sees on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address
        # Addresses that the page asked for, and what its scripts complained of.
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    def faults(self) -> list[str]:
        """What the page's scripts complained of."""
        # Streamlit hands a chart's new data to its old picture once before it draws the new one.
        return [text for text in self.complaints if not text.startswith("Unrecognized data set")]

    def open(self, **query: str | list[str]) -> Dashboard:
        self.page.goto(f"{self._address}/?{urlencode(query, doseq=True)}")
        return self.settle()

    def reload(self) -> Dashboard:
        self.page.reload()
        return self.settle()

    def settle(self) -> Dashboard:
        """Wait until the app has drawn all that it wants to draw."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_function(
            "() => !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"
            " && document.querySelector('[data-testid=stMetric], h2')"
        )
        return self

    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.page.url).query)

    def figures(self) -> list[str]:
        """The values of the cards at the head, with plain spaces."""
        shown = self.page.locator('[data-testid="stMetricValue"]').all_inner_texts()
        return [_plain(text) for text in shown]

    def changes(self) -> list[str]:
        return [_plain(text) for text in self.page.locator('[data-testid="stMetricDelta"]').all_inner_texts()]

    def headings(self) -> list[str]:
        return self.page.locator("h3").all_inner_texts()

    def press(self, name: str) -> Dashboard:
        """A page or a language."""
        self.page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
        return self.settle_after()

    def select(self, label: str, option: str) -> Dashboard:
        """In a list of which one is chosen."""
        self.page.get_by_test_id("stSelectbox").filter(has_text=label).locator("input").click()
        self.page.get_by_role("option", name=option).click()
        return self.settle_after()

    def add(self, label: str, option: str) -> Dashboard:
        """In a list of which several are chosen."""
        chosen = self.page.get_by_test_id("stMultiSelect").filter(has_text=label)
        chosen.locator("input").click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.page.keyboard.press("Escape")
        return self.settle_after()

    def settle_after(self) -> Dashboard:
        """After a click: first the app has to begin."""
        self.page.wait_for_timeout(150)
        return self.settle()

    def open_sidebar(self) -> None:
        self.page.get_by_test_id("stExpandSidebarButton").click()

    def close_sidebar(self) -> None:
        self.page.get_by_test_id("stSidebarCollapseButton").locator("button").click()

    def download(self, name: str) -> list[dict[str, str]]:
        """The lines of the CSV file behind a table."""
        with self.page.expect_download() as waiting:
            self.page.locator(f".st-key-csv-{name} button").click()
        assert waiting.value.suggested_filename == f"{name}.csv"
        text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def tables(self) -> list[str]:
        """The names of the tables that can be downloaded."""
        keys = self.page.locator('[class*="st-key-csv-"]').evaluate_all(
            "found => found.map(e => [...e.classList].find(c => c.startsWith('st-key-csv-')).slice(11))"
        )
        return [str(key) for key in keys]

    def charts(self) -> list[str]:
        """Every chart as the shapes and words that were drawn."""
        drawn = self.page.get_by_test_id("stVegaLiteChart").evaluate_all(
            "charts => charts.map(chart => [...chart.querySelectorAll('svg.marks path, svg.marks text')]"
            ".map(mark => mark.getAttribute('d') || mark.textContent).join('|'))"
        )
        return [str(chart) for chart in drawn]

    def rows(self, heading: str) -> list[list[str]]:
        """The table with this column, as far as it is drawn."""
        tables = self.page.get_by_test_id("stDataFrame").evaluate_all(
            "tables => tables.map(table => [...table.querySelectorAll('canvas tr')]"
            ".map(row => [...row.children].map(cell => cell.textContent)))"
        )
        found: list[list[str]] = next(rows for rows in tables if rows and heading in rows[0])
        return [[_plain(cell) for cell in row] for row in found[1:]]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        wide = self.page.evaluate(
            "() => Math.max(...['html', '[data-testid=stMain]', '[data-testid=stMainBlockContainer]']"
            ".map(name => document.querySelector(name)).map(e => e.scrollWidth - e.clientWidth))"
        )
        return int(wide)

    def background(self) -> str:
        return str(
            self.page.evaluate(
                "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
            )
        )


def _plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").strip()
