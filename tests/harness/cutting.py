"""A TCP proxy that breaks off at a certain message: the server gets it, and its answer gets lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 64 * 1024


class CuttingProxy:
    """Passes connections on to one address until it cuts all of them, and lets none in until `heal`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._left: int | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_cut = False
        self.passed = 0
        """Messages so far, from clients to the server."""

    @property
    def port(self) -> int:
        """Where it listens, on the loopback."""
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    def cut_after(self, messages: int) -> None:
        """Cut when so many messages were passed on from now on, all connections together: the last of them
        without its answer.
        """
        self._left = messages

    def heal(self) -> bool:
        """Pass everything on again; gives whether it was cut."""
        was_cut, self.is_cut, self._left = self.is_cut, False, None
        return was_cut

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._abort()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self._writers.add(writer)
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            asked = asyncio.create_task(self._pass_requests(reader, far_writer))
            await self._pass_answers(far_reader, writer)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            far_writer.transport.abort()
        writer.transport.abort()
        self._writers.discard(writer)

    async def _pass_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            self.passed += 1
            if self._left is None:
                continue
            self._left -= 1
            if self._left <= 0:
                self.is_cut, self._left = True, None
        writer.close()

    async def _pass_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the server ends the connection. What it answers is the sign that it took the message."""
        while chunk := await reader.read(_CHUNK):
            if self.is_cut:
                self._abort()
                return
            writer.write(chunk)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def cutting(host: str, port: int) -> AsyncIterator[CuttingProxy]:
    """A proxy in front of that address."""
    proxy = CuttingProxy(host, port)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
