"""Clients that ask all the time, and notice everything that goes wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from harness.gateway import Wire

PAUSE = 0.02
"""Seconds between two requests of a client: what is tested needs some of the machine, too."""


class Server(Protocol):
    """What speaks HTTP: a process of the tests, or the address of something that was installed."""

    async def connect(self) -> Wire:
        """A connection of a client."""
        ...


@dataclass(frozen=True)
class Address:
    """A server by its host and port."""

    host: str
    port: int

    async def connect(self) -> Wire:
        """A connection of a client."""
        return Wire(*await asyncio.open_connection(self.host, self.port))


@dataclass
class Load:
    """What came of it: `served` answers with 200, and what else happened."""

    served: int = 0
    failed: list[str] = field(default_factory=list)
    refused: int = 0
    """Connections that nobody accepted, when `may_be_refused`."""
    may_be_refused: bool = False


@contextlib.asynccontextmanager
async def load(
    server: Server, path: str, token: str, *, kept: int = 4, single: int = 4
) -> AsyncIterator[Load]:
    """`kept` clients that keep their connections while the server does, and `single` that make one for each
    request; until the context ends, or nobody accepts them any more where the test allows that.
    """
    found = Load()
    stop = asyncio.Event()
    clients = [
        asyncio.create_task(_client(server, _request(path, token, keep=number < kept), found, stop))
        for number in range(kept + single)
    ]
    try:
        yield found
    finally:
        stop.set()
        await asyncio.gather(*clients)


def _request(path: str, token: str, *, keep: bool) -> str:
    return (
        f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"{'' if keep else 'Connection: close'}{'' if keep else chr(13) + chr(10)}\r\n"
    )


async def _client(server: Server, request: str, found: Load, stop: asyncio.Event) -> None:
    wire: Wire | None = None
    while not stop.is_set():
        if wire is None:
            try:
                wire = await server.connect()
            except ConnectionError as error:
                if found.may_be_refused:
                    found.refused += 1
                    return
                found.failed.append(f"no connection: {error!r}")
                return
        try:
            await wire.send(request)
            answer = await wire.answer()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            found.failed.append(f"no answer: {error!r}")
            return
        if answer.status == 200:
            found.served += 1
        else:
            found.failed.append(f"{answer.status} {answer.body[:200]!r}")
        if answer.headers.get("connection") == "close":
            wire.close()
            wire = None
        await asyncio.sleep(PAUSE)
    if wire is not None:
        wire.close()
