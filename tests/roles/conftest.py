"""One pipeline for all tests of roles, with a service for each job and a day of work behind it."""

from collections.abc import Iterator

import pytest

from tests.pipeline.conftest import start
from tests.roles.stage import Stage, with_services, work


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    for pipeline in start(tmp_path_factory, "roles", minute_seconds=3_600):
        made = with_services(pipeline, tmp_path_factory.mktemp("services"))
        work(made)
        yield made
