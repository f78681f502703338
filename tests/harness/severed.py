"""A TCP proxy whose connections a test can cut, refuse or leave without an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from harness.redirected import address_in, redirect

_CHUNK = 64 * 1024


class SeveredProxy:
    """Passes connections on to one address, for as long as the test lets it."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens, on the loopback."""
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Ends every connection at once, in the middle of whatever is on its way. New ones are let in."""
        for writer in self._writers:
            writer.transport.abort()

    def refuse(self) -> None:
        """Cuts every connection, and lets no new one in, until `heal`."""
        self._refusing = True
        self.cut()

    def stall(self) -> None:
        """Keeps connections open and passes nothing on, until `heal`."""
        self._passing.clear()

    def heal(self) -> None:
        """Passes everything on again."""
        self._refusing = False
        self._passing.set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        self.heal()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            with suppress(OSError):
                target_reader, target_writer = await asyncio.open_connection(*self._target)
                self._writers.add(target_writer)
                try:
                    await asyncio.gather(self._pump(reader, target_writer), self._pump(target_reader, writer))
                finally:
                    target_writer.transport.abort()
                    self._writers.discard(target_writer)
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()
        finally:
            writer.transport.abort()


@asynccontextmanager
async def severed(kubeconfig: Path, target: Path) -> AsyncIterator[SeveredProxy]:
    """A proxy before the API server of `kubeconfig`, and in `target` a kubeconfig that goes through it."""
    proxy = SeveredProxy(*address_in(kubeconfig))
    await proxy.open()
    try:
        redirect(kubeconfig, target, proxy.port)
        yield proxy
    finally:
        await proxy.close()
