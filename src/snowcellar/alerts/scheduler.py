"""The scheduler: starts alerts when they are due, or when EXECUTE ALERT asks.

Source: https://docs.snowflake.com/en/user-guide/alerts. One thread looks at a clock like that of tasks;
each run has a thread of its own, and an alert runs once at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from snowcellar.alerts import history
from snowcellar.alerts.alert import Alert
from snowcellar.alerts.alert_run import AlertRun
from snowcellar.errors import WarehouseError
from snowcellar.names import QualifiedName
from snowcellar.tasks.clock import Clock

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

log = logging.getLogger(__name__)

_STOP_SECONDS = 10.0
_ERROR_SECONDS = 1.0


class Scheduler:
    """Runs the alerts of a warehouse until it is stopped."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._changed = threading.Condition()
        self._clock: Clock[Alert] = Clock(warehouse.minute_seconds)
        self._running: dict[QualifiedName, AlertRun] = {}
        self._requested: dict[QualifiedName, int] = {}
        """How many runs EXECUTE ALERT has asked for that have not begun."""
        self._threads: set[threading.Thread] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="alert scheduler", daemon=True)

    def start(self) -> None:
        """Begin to look at the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, cancel what runs and wait for it to end."""
        error = WarehouseError("The warehouse was stopped while this alert ran.", 604, "57014")
        with self._changed:
            self._stopping = True
            runs, threads = list(self._running.values()), [self._thread, *self._threads]
            self._changed.notify_all()
        for run in runs:
            run.cancel(error)
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def notify(self) -> None:
        """Alerts were created, changed or dropped."""
        with self._changed:
            self._changed.notify_all()

    def request(self, alert: Alert) -> None:
        """Run an alert now, or right after the run that is under way (EXECUTE ALERT)."""
        with self._changed:
            self._requested[alert.name] = self._requested.get(alert.name, 0) + 1
            self._changed.notify_all()

    def cancel(self, name: QualifiedName, reason: str) -> None:
        """Cancel the run of an alert, if there is one."""
        with self._changed:
            run = self._running.get(name)
        if run is not None:
            run.cancel(WarehouseError(reason, 604, "57014"))

    def stop_database(self, database: str) -> None:
        """Cancel the runs of a database that was dropped, and wait until they have let go of its file."""
        with self._changed:
            self._requested = {
                name: count for name, count in self._requested.items() if name.database != database
            }
            names = [name for name in self._running if name.database == database]
        for name in names:
            self.cancel(name, f"Database '{database}' was dropped while this alert ran.")
        with self._changed:
            self._changed.wait_for(
                lambda: not any(name.database == database for name in self._running), _STOP_SECONDS
            )

    def next_runs(self) -> list[tuple[Alert, datetime]]:
        """The started alerts and when each is due."""
        with self._changed:
            self._clock.follow(self._warehouse.alerts.started())
            return self._clock.next_runs()

    def _work(self) -> None:
        while not self._stopping:
            try:
                self._start_due()
            except Exception:
                log.exception("the alert scheduler goes on after an error")
                time.sleep(_ERROR_SECONDS)

    def _start_due(self) -> None:
        """Start what is due or was asked for, at once or after a wait."""
        with self._changed:
            self._clock.follow(self._warehouse.alerts.started())
            # A tick at which the last run is still under way is passed over, as for tasks.
            ticks = self._clock.take_due(lambda alert: alert.name not in self._running)
            for tick in ticks:
                self._begin(tick.owner, tick.scheduled_time, history.FROM_SCHEDULE)
            if not self._start_requested() and not ticks and not self._stopping:
                self._changed.wait(self._clock.seconds_to_wait())

    def _start_requested(self) -> bool:
        ready = [name for name in self._requested if name not in self._running]
        for name in ready:
            alert, left = self._warehouse.alerts.alerts.get(name), self._requested.pop(name) - 1
            if alert is not None:
                self._begin(alert, datetime.now(UTC), history.FROM_EXECUTE)
                if left:
                    self._requested[name] = left
        return bool(ready)

    def _begin(self, alert: Alert, scheduled_time: datetime, scheduled_from: str) -> None:
        if self._stopping:
            return
        run = AlertRun(self._warehouse, alert, scheduled_time, scheduled_from)
        thread = threading.Thread(target=self._run, args=(run,), name=f"alert {alert.name}", daemon=True)
        self._running[alert.name] = run
        self._threads.add(thread)
        thread.start()

    def _run(self, run: AlertRun) -> None:
        try:
            run.run()
        except Exception:
            log.exception("the run of alert %s broke off", run.alert.name)
        finally:
            with self._changed:
                del self._running[run.alert.name]
                self._threads.discard(threading.current_thread())
                self._changed.notify_all()
