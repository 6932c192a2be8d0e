"""The way to a warehouse that is not on this machine: a relay that keeps back whatever it answers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

_CHUNK: Final = 1 << 18


@contextmanager
def distance(target: int, seconds: float) -> Iterator[int]:
    """Listen on the port yielded; bring each answer of the port `target` so many seconds late."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def relay(asked: asyncio.StreamReader, answered: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pass(asked, questions, 0), _pass(answers, answered, seconds))

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(relay, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Late, but in order and without waiting for one another: a distance takes time, not capacity."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, content = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not content:
                sink.close()
                return
            sink.write(content)
            await sink.drain()

    arriving = asyncio.create_task(arrive())
    try:
        while content := await source.read(_CHUNK):
            under_way.put_nowait((loop.time() + seconds, content))
    except ConnectionError:
        pass
    under_way.put_nowait((loop.time() + seconds, b""))
    await asyncio.gather(arriving, return_exceptions=True)
