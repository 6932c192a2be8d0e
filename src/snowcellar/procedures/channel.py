"""Messages over a pair of pipes: a length of four bytes, then JSON. Used on both sides, so stdlib only."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

_LENGTH = struct.Struct(">I")
_CHUNK_BYTES = 1 << 20


class Closed(Exception):
    """The other side is gone."""


class TimedOut(Exception):
    """The deadline passed before a message came."""


class Channel:
    """One side of the conversation between the server and a worker."""

    def __init__(self, reader: int, writer: int) -> None:
        """reader, writer: file descriptors, which the caller closes."""
        self._reader = reader
        self._writer = writer

    def send(self, message: dict[str, Any]) -> None:
        """Write one message; Closed when nobody reads any more."""
        body = json.dumps(message).encode()
        data = memoryview(_LENGTH.pack(len(body)) + body)
        try:
            while data:
                data = data[os.write(self._writer, data) :]
        except OSError as error:
            raise Closed from error

    def receive(self, deadline: float | None = None) -> dict[str, Any]:
        """Read one message; deadline is on time.monotonic()'s clock."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
        message: dict[str, Any] = json.loads(self._read(length, deadline))
        return message

    def _read(self, count: int, deadline: float | None) -> bytes:
        parts = []
        while count:
            if deadline is not None:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not select.select([self._reader], [], [], remaining)[0]:
                    raise TimedOut
            try:
                part = os.read(self._reader, min(count, _CHUNK_BYTES))
            except OSError as error:
                raise Closed from error
            if not part:
                raise Closed
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
