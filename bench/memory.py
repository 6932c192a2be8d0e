"""What memory the processes of a bench hold while a contestant has its turn, at their peak, in MiB.

Private memory: Linux's RssAnon, which leaves out files and libraries that processes share, so that several
may be added up. Looked at four times a second; elsewhere than on Linux nothing is told.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final

_PROC: Final = Path("/proc")
_EVERY_SECONDS: Final = 0.25
# A process counts that did this share of what its turns computed: others only happen to be there.
_AT_WORK: Final = 0.02
_BENCH: Final = "bench"
_NAMES: Final = (
    (re.compile(r"snowcellar\.procedures\.worker"), "worker"),
    (re.compile(r"snowcellar\b.*\bserve\b"), "warehouse"),
    (re.compile(r"broker --listener-url"), "broker"),
    (re.compile(r"\bcaves ingest\b"), "ingestor"),
    (re.compile(r"import fakesnow"), "fakesnow"),
    (re.compile(r"bench/peers/"), "peer"),
)
_detached: set[int] = set()


def include(pid: int) -> None:
    """Count a process, and what it starts, that is no child of ours."""
    _detached.add(pid)


@dataclass
class Memory:
    """What was seen so far, by contestant."""

    seen: dict[str, "_Seen"] = field(default_factory=dict)

    @contextmanager
    def of(self, contestant: str) -> Iterator[None]:
        """Look on while a contestant has its turn."""
        over = Event()
        watch = self.seen.setdefault(contestant, _Seen()).watch
        thread = Thread(target=watch, args=(_family(), over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @property
    def peaks(self) -> dict[str, dict[str, int]]:
        """`peaks[contestant][process]`, added up over processes of one name."""
        return {contestant: seen.at_work() for contestant, seen in self.seen.items()}


@dataclass
class _Seen:
    private: Counter[str] = field(default_factory=Counter)
    # Clock ticks.
    spent: Counter[str] = field(default_factory=Counter)

    def watch(self, known: dict[int, int], over: Event) -> None:
        """Look at the family until the turn is over."""
        while True:
            is_over = over.wait(_EVERY_SECONDS)
            known = self._look(known)
            if is_over:
                return

    def _look(self, before: dict[int, int]) -> dict[int, int]:
        family = _family()
        now: Counter[str] = Counter()
        for pid, ticks in family.items():
            # A process may end while it is looked at.
            with suppress(OSError):
                if name := _name(pid):
                    now[name] += _private_mib(pid)
                    self.spent[name] += ticks - before.get(pid, 0)
        self.private |= now
        return family

    def at_work(self) -> dict[str, int]:
        least = _AT_WORK * self.spent.total()
        return {name: mib for name, mib in self.private.items() if self.spent[name] >= least}


def _family() -> dict[int, int]:
    """This process, those included, and all that they started, with the clock ticks that each has used."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            parents[int(folder.name)] = int(fields[1])
            ticks[int(folder.name)] = int(fields[11]) + int(fields[12])
    roots = {os.getpid()} | _detached

    def is_ours(pid: int) -> bool:
        while pid not in roots:
            if pid not in parents:
                return False
            pid = parents[pid]
        return True

    return {pid: used for pid, used in ticks.items() if is_ours(pid)}


def _name(pid: int) -> str | None:
    if pid == os.getpid():
        return _BENCH
    command = (_PROC / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ")
    return next((name for pattern, name in _NAMES if pattern.search(command)), None)


def _private_mib(pid: int) -> int:
    found = re.search(r"RssAnon:\s+(\d+)", (_PROC / str(pid) / "status").read_text())
    return int(found[1]) >> 10 if found else 0
