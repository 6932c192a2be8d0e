"""One embedded broker for all tests of this folder, and a topic of its own for each."""

import uuid
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from ingest.broker import EmbeddedBroker, running_broker
from ingest.topics import create_topic


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    with running_broker() as running:
        yield running


@pytest.fixture
def topic(broker: EmbeddedBroker) -> str:
    name = f"sales_{uuid.uuid4().hex[:12]}"
    create_topic(broker.bootstrap, name, partitions=4)
    return name


@pytest.fixture
def in_background() -> Iterator[Callable[[Callable[[], object], Event], Thread]]:
    """Run a function in a thread; at the end its stop event is set and it must leave."""
    running: list[tuple[Thread, Event]] = []

    def start(work: Callable[[], object], stop: Event) -> Thread:
        thread = Thread(target=work, daemon=True)
        running.append((thread, stop))
        thread.start()
        return thread

    yield start
    for thread, stop in running:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
