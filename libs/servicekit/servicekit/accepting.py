"""Letting in a crowd that comes at once.

libuv accepts one connection a turn of the event loop. Of two hundred clients that connect together the last
would wait for two hundred turns, each of which serves all who came before it: seconds, where each request
takes a fraction of a millisecond.
"""

import asyncio
import logging
import socket
from typing import Any

from aiohttp import web

_AT_ONCE = 64
"""Connections that are accepted in a row before those who are in get their turn."""
_PAUSE = 0.2
"""Seconds until the next try when no more connections can be opened."""

log = logging.getLogger("servicekit.serve")


class EagerSite(web.BaseSite):
    """Serves at a socket that listens already, and is not blocking; closes it in the end."""

    __slots__ = ("_begun", "_sock")

    def __init__(self, runner: web.BaseRunner, sock: socket.socket) -> None:
        super().__init__(runner)
        self._sock = sock
        self._begun: set[asyncio.Task[Any]] = set()

    @property
    def name(self) -> str:
        host, port = self._sock.getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Accept from now on."""
        await super().start()
        self._resume()

    async def stop(self) -> None:
        """Accept who waits already, whom closing the socket would reset, and nobody after."""
        asyncio.get_running_loop().remove_reader(self._sock)
        while self._accept():
            pass
        self._sock.close()
        await asyncio.gather(*self._begun, return_exceptions=True)
        await super().stop()

    def _resume(self) -> None:
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def _accept(self) -> bool:
        """Accept some; gives whether there may be more."""
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return False
            except OSError as error:
                log.warning("no connection can be accepted: %s", error.strerror or error)
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._sock)
                loop.call_later(_PAUSE, self._resume)
                return False
            self._begin(accepted)
        return True

    def _begin(self, accepted: socket.socket) -> None:
        loop, factory = asyncio.get_running_loop(), self._runner.server
        accepted.setblocking(False)
        if factory is None:  # the runner is being cleaned up
            accepted.close()
            return
        task = loop.create_task(loop.connect_accepted_socket(factory, accepted))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
