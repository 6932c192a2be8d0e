"""What a round breaks: a broker, the warehouse with its pipeline, the shop, and ingestors kept alive."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error as ConnectorError

from caves_cli import overview
from caves_cli.errors import CavesError
from caves_snowpark import names
from ingest.errors import IngestError
from ingest.producer import produce
from ingest.settings import ProducerSettings
from ingest.topics import check_broker
from ingest.truth import Truth
from tests.faults import brokers, truths
from tests.faults.brokers import Broker
from tests.faults.ingestors import IngestCommand, Ingestor
from tests.faults.proxy import WarehouseProxy
from tests.faults.warehouse import Warehouse
from tests.ingest.doubles import START

log = logging.getLogger(__name__)

TOPIC: Final = "sales_events"
GROUP: Final = "caves-ingest"
PARTITIONS: Final = 6
# A tick of the tasks: short enough that several fall into a round.
MINUTE_SECONDS: Final = 1.0
# Nothing moving for so long means that something hangs.
STALL_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.25
# An ingestor that ends more often than this in one round is not restarted by the faults of the round.
_MOST_RESTARTS: Final = 25


class Stalled(Exception):
    """The pipeline does not drain although everything has been healed."""


class Beside(Thread):
    """Something done in a thread; what it raised is raised by `finish`."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self._error = error

    def finish(self) -> None:
        self.join()
        if self._error is not None:
            raise self._error


@dataclass
class World:
    """Everything that runs, and what the warehouse must come to hold."""

    folder: Path
    broker: Broker
    warehouse: Warehouse
    proxy: WarehouseProxy
    truth: Truth = truths.NOTHING
    ingestors: list[Ingestor] = field(default_factory=list)
    # How often an ingestor ended by itself and was started again, in this round.
    restarts: int = 0
    must_deploy: bool = False
    # What the ingestors run.
    program: Sequence[str] = IngestCommand.program
    # Whether the (only) ingestor takes its partitions without a group.
    assigned: bool = False
    _leaving: list[Ingestor] = field(default_factory=list)
    _beside: list["Beside"] = field(default_factory=list)
    _truth_lock: Lock = field(default_factory=Lock)
    _log_number: int = 0
    _last_run: ProducerSettings | None = None
    _session: SnowflakeConnection | None = None

    # The shop

    def produce(self, events: int, seed: int, seconds: float) -> None:
        """Send a run of that many events over about so many seconds; the truth is added up."""
        settings = ProducerSettings(
            self.broker.bootstrap,
            topic=TOPIC,
            events=events,
            rate=events / seconds,
            seed=seed,
            start=START,
            bad_share=0.03,
            duplicate_share=0.05,
            correction_share=0.05,
        )
        self._last_run = settings
        self._await_broker()
        self._expect(produce(settings).truth)

    def produce_again(self) -> None:
        """Send the latest run once more, byte for byte."""
        assert self._last_run is not None
        self._await_broker()
        self._expect(truths.redelivered(produce(self._last_run).truth))

    def _expect(self, more: Truth) -> None:
        with self._truth_lock:
            self.truth = truths.together(self.truth, more)

    def _await_broker(self) -> None:
        until(partial(self._answers, self.broker.bootstrap))

    @staticmethod
    def _answers(bootstrap: str) -> bool:
        check_broker(bootstrap)
        return True

    # The ingestors

    def staff(self, count: int, *, assign: bool = False) -> None:
        """Have so many ingestors, in one group or (one alone) without one."""
        if assign != self.assigned:
            self.dismiss(len(self.ingestors))
            self.see_out()
            self.assigned = assign
        self.dismiss(len(self.ingestors) - count)
        while len(self.ingestors) < count:
            self.hire()

    def hire(self) -> Ingestor:
        self._log_number += 1
        command = IngestCommand(
            self.broker.bootstrap,
            TOPIC,
            self.warehouse.ingest_config_file,
            group=GROUP,
            flags=("--assign",) if self.assigned else (),
            program=self.program,
        )
        ingestor = Ingestor(command, self.folder / f"ingestor-{self._log_number}.log")
        ingestor.start()
        self.ingestors.append(ingestor)
        return ingestor

    def dismiss(self, count: int = 1) -> None:
        """SIGTERM, the oldest first. They may need the warehouse to leave, so `heal` sees them out."""
        for _ in range(max(0, min(count, len(self.ingestors)))):
            ingestor = self.ingestors.pop(0)
            ingestor.ask_to_stop()
            # One that sleeps wakes up to find the signal.
            ingestor.resume()
            self._leaving.append(ingestor)

    def see_out(self) -> None:
        """Wait until those that were dismissed are gone; none of them may have to be killed."""
        while self._leaving:
            self._leaving.pop().wait()

    def end_ingestors(self) -> None:
        for ingestor in (*self.ingestors, *self._leaving):
            if ingestor.running:
                ingestor.kill()

    def tend(self) -> None:
        """What a service manager does: start again what has ended."""
        for ingestor in self.ingestors:
            if not ingestor.running:
                self.restarts += 1
                if self.restarts > _MOST_RESTARTS:
                    raise Stalled(f"an ingestor ends again and again: {ingestor.said[-500:]}")
                ingestor.start()

    # The warehouse

    @property
    def session(self) -> SnowflakeConnection:
        if self._session is None:
            self._session = self.warehouse.open()
        return self._session

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one statement, in a session that is opened anew when the old one is gone."""
        try:
            with self.session.cursor() as cursor:
                cursor.execute(statement)
                return [tuple(row) for row in cursor.fetchall()]
        except ConnectorError:
            self.forget_session()
            raise

    def forget_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):
                session.close(retry=False)

    # The end of a round

    def beside(self, work: Callable[[], None]) -> None:
        """Do something while the faults go on; `heal` waits for its end, and raises what it raised."""
        self._beside.append(Beside(work))

    def heal(self) -> None:
        """Whatever the faults left behind: everything runs, nothing is refused, the tasks are resumed."""
        self.proxy.heal()
        self.broker.resume()
        if self.broker.cluster is not None:
            self.broker.cluster.start()
        self.warehouse.resume()
        self.warehouse.start()
        self.forget_session()
        for ingestor in self.ingestors:
            ingestor.resume()
        while self._beside:
            self._beside.pop().finish()
        if self.must_deploy:
            self.warehouse.deploy()
            self.must_deploy = False
        # A graph is changed only while its root is suspended; the root is resumed last.
        self.ask(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
        for task in (*names.CHILD_TASKS, names.ROOT_TASK):
            self.ask(f"ALTER TASK {task} RESUME")
        self.see_out()

    def drain(self) -> None:
        """Wait until everything that was produced has flowed through; Stalled when nothing moves."""
        seen: object = None
        moved = time.monotonic()
        while True:
            self.tend()
            now = self._position()
            if now != seen:
                seen, moved = now, time.monotonic()
            loaded, waiting = now
            if loaded >= self.truth.events_produced and not any(waiting.values()):
                return
            if time.monotonic() - moved > STALL_SECONDS:
                left = {name: rows for name, rows in waiting.items() if rows}
                sent = self.truth.events_produced
                raise Stalled(f"{loaded:,} of {sent:,} events are in RAW, waiting: {left or 'none'}")
            time.sleep(_POLL_SECONDS)

    def _position(self) -> tuple[int, dict[str, int]]:
        """Messages in RAW by the stored offsets, and rows in the streams."""
        # In this order: a row that is loaded in between is seen in a stream.
        ((loaded,),) = self.ask(
            f"SELECT COALESCE(SUM(NEXT_OFFSET - FIRST_OFFSET), 0) FROM {names.KAFKA_OFFSETS}"
        )
        return int(loaded), overview.rows_waiting(self.session)


@contextmanager
def running(kind: str, folder: Path, nodes: int) -> Iterator[World]:
    """A world with the pipeline deployed, for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    with brokers.running(kind, folder, nodes) as broker:
        proxy, warehouse = WarehouseProxy(), Warehouse(folder / "warehouse", MINUTE_SECONDS)
        world = World(folder, broker, warehouse, proxy)
        try:
            proxy.start()
            warehouse.proxy_port = proxy.port
            warehouse.start()
            proxy.target = warehouse.port
            warehouse.deploy()
            broker.create_topic(TOPIC, PARTITIONS)
            yield world
        finally:
            broker.resume()
            world.end_ingestors()
            world.forget_session()
            warehouse.stop()
            proxy.stop()


def until(works: Callable[[], bool], seconds: float = STALL_SECONDS) -> None:
    """Repeat until it says yes; an error of a client counts as no."""
    deadline = time.monotonic() + seconds
    last: object = "it says no"
    while True:
        try:
            if works():
                return
        except (IngestError, CavesError, ConnectorError) as error:
            last = error
        if time.monotonic() > deadline:
            raise Stalled(f"not within {seconds:.0f} s: {last}")
        time.sleep(_POLL_SECONDS)
