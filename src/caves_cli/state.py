"""What `caves up` started, written down, so that `caves down` stops that and nothing else."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from caves_cli.errors import StateUnreadable
from caves_cli.processes import Process

DEFAULT_TOPIC: Final = "sales_events"


@dataclass(frozen=True)
class StateFolder:
    """The files of one local set-up."""

    path: Path

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def database(self) -> Path:
        return self.path / "warehouse.db"

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"


@dataclass(frozen=True)
class State:
    """The set-up as it was last left."""

    processes: tuple[Process, ...] = ()
    # The embedded broker keeps its log in memory: a new one counts offsets from 0 again. Were the topic's
    # name the same, the warehouse would rightly refuse offsets that it has seen; so each new broker gets a
    # topic of its own.
    topic: str = DEFAULT_TOPIC
    generation: int = 0

    def process(self, name: str) -> Process | None:
        return next((process for process in self.processes if process.name == name), None)

    @property
    def running(self) -> tuple[Process, ...]:
        return tuple(process for process in self.processes if process.running)

    @property
    def bootstrap(self) -> str | None:
        broker = self.process("broker")
        return f"127.0.0.1:{broker.port}" if broker else None


def load(folder: StateFolder) -> State:
    """The state of the folder; an empty one where nothing was ever started."""
    try:
        document = json.loads(folder.state_file.read_text(encoding="utf-8"))
        processes = tuple(Process(**entry) for entry in document["processes"])
        return State(processes, str(document["topic"]), int(document["generation"]))
    except FileNotFoundError:
        return State()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateUnreadable(folder.state_file, str(error)) from error


def save(folder: StateFolder, state: State) -> None:
    """Write the state in one step, so that a crash leaves the old or the new one."""
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {**asdict(state), "processes": [asdict(process) for process in state.processes]}
    draft = folder.state_file.with_suffix(".new")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder.state_file)


def next_generation(state: State, *, has_data: bool) -> State:
    """The state for a new broker."""
    if not has_data:
        return State()
    generation = state.generation + 1
    return replace(state, processes=(), topic=f"{DEFAULT_TOPIC}_{generation + 1}", generation=generation)
