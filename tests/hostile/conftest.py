"""One broker and one warehouse for all of this folder."""

import uuid
from collections.abc import Iterator

import pytest

from ingest.broker import EmbeddedBroker, running_broker
from ingest.topics import create_topic
from tests.engines.engine import Snowcellar


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowcellar]:
    with Snowcellar.serve(tmp_path_factory.mktemp("cellar")) as served:
        yield served


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with running_broker() as running:
        yield running


@pytest.fixture(scope="module")
def topic(broker: EmbeddedBroker) -> str:
    name = f"hostile_{uuid.uuid4().hex[:12]}"
    create_topic(broker.bootstrap, name, partitions=4)
    return name
