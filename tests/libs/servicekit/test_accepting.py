"""A crowd that connects at once is let in at once."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Any

import uvloop
from aiohttp import web

from harness.waiting import eventually
from servicekit.accepting import EagerSite
from servicekit.serving import listen

CROWD = 100
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Scarce:
    """A listening socket that finds no descriptor for the first connection, as at the limit of a process."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.refused = 0

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.refused:
            self.refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


async def serving(sock: Any, test: Callable[[web.AppRunner], Awaitable[None]]) -> None:
    """Runs `test` while an application serves at the socket."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="in")

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await EagerSite(runner, sock).start()
    try:
        await test(runner)
    finally:
        await runner.cleanup()


def knock(sock: socket.socket) -> socket.socket:
    """A client who has connected, as far as the kernel goes, and asked."""
    client = socket.create_connection(sock.getsockname())
    client.sendall(REQUEST)
    return client


def test_a_crowd_is_in_after_a_few_turns_of_the_loop() -> None:
    sock = listen("127.0.0.1:0")

    async def few_turns(runner: web.AppRunner) -> None:
        assert runner.server is not None
        for _ in range(CROWD // 10):
            await asyncio.sleep(0)
        let_in = len(runner.server.connections) + runner.server.requests_count
        assert let_in >= CROWD

    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(knock(sock))
        uvloop.run(serving(sock, few_turns))


def test_who_waits_while_no_descriptor_is_free_is_let_in_later() -> None:
    sock = Scarce(listen("127.0.0.1:0"))

    async def answered(runner: web.AppRunner) -> None:
        client.setblocking(False)

        async def in_the_end() -> None:
            with suppress(BlockingIOError):
                got.extend(client.recv(1000))
            assert got.endswith(b"in")

        await eventually(in_the_end)

    got = bytearray()
    with knock(sock._sock) as client:
        uvloop.run(serving(sock, answered))
    assert sock.refused == 1
