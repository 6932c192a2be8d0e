"""One warehouse with the known shop, one server and one browser for all of these tests."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.browser import app
from tests.browser.app import DESKTOP, PHONE, Dashboard
from tests.dashboard.cellar import known_shop
from tests.engines.engine import DATABASE, Snowcellar

Open = Callable[..., Dashboard]
Size = tuple[int, int]


@pytest.fixture(scope="package")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowcellar]:
    if app.CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with known_shop(tmp_path_factory.mktemp("cellar")) as engine:
        yield engine


@pytest.fixture(scope="package")
def address(cellar: Snowcellar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("dashboard") / "log"
    with app.serve(cellar.config, DATABASE, log) as found:
        yield found


@pytest.fixture(scope="package")
def devices(cellar: Snowcellar) -> Iterator[dict[Size, BrowserContext]]:
    """A desk and a phone; the pages of each share its cache."""
    with app.chromium() as browser:
        yield {
            size: browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                # Away from Paris and from UTC: no day and no hour may move.
                timezone_id="America/New_York",
                locale="en-US",
            )
            for size in (DESKTOP, PHONE)
        }


@pytest.fixture
def new_page(devices: dict[Size, BrowserContext], address: str) -> Iterator[Open]:
    """A page of a person who comes anew, on a desk or a phone, in light or dark.

    What it asked for and what it complained of is looked at in the end.
    """
    opened = []

    def open_page(size: Size = DESKTOP, scheme: str = "light") -> Dashboard:
        page = devices[size].new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        opened.append(Dashboard(page, address))
        return opened[-1]

    yield open_page
    for dashboard in opened:
        elsewhere = {url for url in dashboard.asked if not url.startswith((address, "data:", "blob:"))}
        dashboard.page.close()
        assert not elsewhere, "all assets are local"
        assert dashboard.faults() == []
