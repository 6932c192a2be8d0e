"""Disk and ports of this machine."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from caves_cli.doctor.finding import Finding, ok, problem, warning

_DASHBOARD_PORT: Final = 8501
_MEGABYTE: Final = 1_000_000
# A demo of 100,000 events takes about 100 MB with its logs.
_TOO_LITTLE_BYTES: Final = 200 * _MEGABYTE
_LITTLE_BYTES: Final = 1_000 * _MEGABYTE


def checks(folder: Path) -> Iterator[Finding]:
    yield disk(folder)
    yield loopback()
    yield dashboard_port(_DASHBOARD_PORT)


def disk(folder: Path) -> Finding:
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / _MEGABYTE:,.0f} MB free at {place}"
    mend = f"free some space, or work in another folder (`du -sh {folder}` tells what is ours)"
    if free < _TOO_LITTLE_BYTES:
        return problem("Disk", found, mend)
    return warning("Disk", found, mend) if free < _LITTLE_BYTES else ok("Disk", found)


def loopback() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return problem("Ports", f"none can be had on 127.0.0.1: {error}", "ip link set lo up")
    return ok("Ports", "a free one can be had on 127.0.0.1, for broker and warehouse")


def dashboard_port(port: int) -> Finding:
    check = f"Port {port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return warning(
                check, "taken, by a dashboard or by another program", "caves dashboard --port 8502"
            )
    return ok(check, "free, for `caves dashboard`")
