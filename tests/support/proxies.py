"""A forwarding proxy as codespaces have one: the server sees another Host than the browser wrote."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

INNER_HOST = "localhost"


@dataclass
class HostRewritingProxy:
    """Forwards to a port of this machine with `Host: localhost:<port>`; `cut` drops every open connection.

    Attributes:
        target_port: Where requests go.
        port: Where it listens.
    """

    target_port: int = 0
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def cut(self) -> None:
        """Drop every open connection."""

        def close_all() -> None:
            for writer in list(self._writers):
                writer.transport.abort()

        self._loop.call_soon_threadsafe(close_all)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        self._writers |= {writer, inner_writer}
        inner_writer.write(self._rewrite(head))
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        self._writers -= {writer, inner_writer}

    def _rewrite(self, head: bytes) -> bytes:
        lines = head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(b"host:")]
        if b"upgrade: websocket" not in head.lower():
            # One request per connection, so that each one's head is seen here.
            kept = [line for line in kept if not line.lower().startswith(b"connection:")]
            kept.insert(1, b"Connection: close")
        kept.insert(1, f"Host: {INNER_HOST}:{self.target_port}".encode())
        return b"\r\n".join(kept)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@contextmanager
def host_rewriting_proxy() -> Iterator[HostRewritingProxy]:
    """A running proxy, in a thread of its own; set its `target_port`."""
    proxy = HostRewritingProxy()
    ready = threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await stop.wait()

    def work() -> None:
        asyncio.set_event_loop(proxy._loop)
        proxy._loop.run_until_complete(run())
        pending = asyncio.all_tasks(proxy._loop)
        for task in pending:
            task.cancel()
        proxy._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        proxy._loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(stop.set)
        thread.join(10)
