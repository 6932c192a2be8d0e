"""A served warehouse with the project's tables, one with the known shop in it and one that is empty."""

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session

from tests.dashboard import shop
from tests.engines.engine import Snowcellar


@pytest.fixture(scope="package")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowcellar]:
    with Snowcellar.serve(tmp_path_factory.mktemp("cellar")) as engine:
        shop.load(engine.session, shop.orders(), shop.movements())
        yield engine


@pytest.fixture
def session(cellar: Snowcellar) -> Session:
    found: Session = cellar.session
    return found
