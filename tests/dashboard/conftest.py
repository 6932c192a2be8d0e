"""The known shop, for everything in this folder."""

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session

from tests.dashboard.cellar import known_shop
from tests.engines.engine import Snowcellar


@pytest.fixture(scope="package")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowcellar]:
    with known_shop(tmp_path_factory.mktemp("cellar")) as engine:
        yield engine


@pytest.fixture
def session(cellar: Snowcellar) -> Session:
    found: Session = cellar.session
    return found
