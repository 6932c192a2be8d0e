"""The same messages on two engines: Snowpark local testing, and snowcellar behind its server."""

from collections.abc import Iterator

import pytest

from tests.engines.engine import Snowcellar


@pytest.fixture(scope="session")
def snowcellar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowcellar]:
    with Snowcellar.serve(tmp_path_factory.mktemp("cellar")) as engine:
        yield engine
