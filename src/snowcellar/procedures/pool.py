"""The workers: which there are, which are free, and which one gets a call.

A worker serves one set of packages and one import set in its life, so that no module of one procedure's files
can reach another's. At most MAX_WORKERS run; a call from inside a procedure may go beyond, because its
caller's worker waits for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from snowcellar.errors import WarehouseError
from snowcellar.procedures.imports import NO_IMPORTS, ImportFolders, ImportSet
from snowcellar.procedures.worker_process import WorkerProcess

MAX_WORKERS = 4
MEMORY_BYTES = 4 * 1024**3
_LOOK_AGAIN_SECONDS = 0.5


class Workers:
    """The worker processes of a warehouse."""

    def __init__(self, folder: Path) -> None:
        """folder: where the workers' log, scratch files and imports lie."""
        self.imports = ImportFolders(folder / "imports")
        self.memory_bytes = MEMORY_BYTES
        """How much a worker that starts from now on may take."""
        self._folder = folder
        self._changed = threading.Condition()
        self._idle: list[WorkerProcess] = []
        """Free workers, the one that was used last at the end."""
        self._all: set[WorkerProcess] = set()
        self._closed = False

    def prewarm(self, distributions: tuple[str, ...]) -> None:
        """Start a worker in the background, if there is none yet, so that the first CALL need not wait."""
        with self._changed:
            if self._all or self._closed:
                return
            worker = self._start(distributions)
            # Free at once: a call that comes early waits for this worker rather than for one more.
            self._idle.append(worker)

        def prepare() -> None:
            # A worker that does not start is replaced by the first call, which says what is wrong.
            with contextlib.suppress(WarehouseError, OSError, ValueError):
                worker.prepare()

        threading.Thread(target=prepare, name="procedures-prewarm", daemon=True).start()

    def close(self) -> None:
        """End all workers."""
        with self._changed:
            self._closed = True
            workers, self._idle, self._all = list(self._all), [], set()
            self._changed.notify_all()
        for worker in workers:
            worker.close()

    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        with self._changed:
            return [worker.pid for worker in self._all]

    @contextlib.contextmanager
    def lease(
        self,
        distributions: tuple[str, ...],
        imports: ImportSet,
        *,
        nested: bool,
        cancelled: Callable[[], bool],
    ) -> Iterator[WorkerProcess]:
        """A ready worker for the time of one call; one that has died is replaced by the next lease."""
        worker = self._acquire(distributions, imports, nested, cancelled)
        try:
            worker.prepare()
            if worker.imports is NO_IMPORTS and imports is not NO_IMPORTS:
                worker.add_imports(imports)
            yield worker
        except BaseException:
            # A worker whose call did not come to its end may still be at it.
            if not worker.alive:
                self._discard(worker)
            raise
        finally:
            self._release(worker)

    def _acquire(
        self, distributions: tuple[str, ...], imports: ImportSet, nested: bool, cancelled: Callable[[], bool]
    ) -> WorkerProcess:
        with self._changed:
            while True:
                self._require_open()
                if worker := self._take_idle(distributions, imports):
                    return worker
                if len(self._all) < MAX_WORKERS or nested or self._evict():
                    return self._start(distributions)
                if cancelled():
                    raise WarehouseError("SQL execution canceled", 604, "57014")
                self._changed.wait(_LOOK_AGAIN_SECONDS)

    def _take_idle(self, distributions: tuple[str, ...], imports: ImportSet) -> WorkerProcess | None:
        for worker in [worker for worker in self._idle if not worker.alive]:
            self._discard(worker)
        for wanted in (imports, NO_IMPORTS):
            for worker in reversed(self._idle):
                if worker.distributions == distributions and worker.imports.key == wanted.key:
                    self._idle.remove(worker)
                    return worker
        return None

    def _evict(self) -> bool:
        if not self._idle:
            return False
        self._discard(self._idle[0])
        return True

    def _start(self, distributions: tuple[str, ...]) -> WorkerProcess:
        with self._changed:
            self._require_open()
            worker = WorkerProcess(self._folder, distributions, self.memory_bytes)
            self._all.add(worker)
            return worker

    def _require_open(self) -> None:
        if self._closed:
            raise WarehouseError("The warehouse is shutting down.", 604, "57014")

    def _release(self, worker: WorkerProcess) -> None:
        with self._changed:
            if worker in self._all:
                if worker.alive and len(self._all) <= MAX_WORKERS:
                    self._idle.append(worker)
                else:
                    self._discard(worker)
            self._changed.notify_all()

    def _discard(self, worker: WorkerProcess) -> None:
        with self._changed:
            self._all.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
        worker.close()
