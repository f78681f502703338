"""A terminal as a browser has it: WebSocket messages in the format of v2.1.1."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner

PATIENCE = 60.0
"""Seconds that anything may take."""


class Terminal:
    """What was printed and said so far, and how it ended."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.screen = ""
        self.toasts: list[str] = []
        self.pings = 0
        self.code: int | None = None
        self.reason = ""

    async def type(self, text: str) -> None:
        """Types `text`."""
        await self.send({"Op": "stdin", "Data": text})

    async def send(self, message: Any) -> None:
        """Sends a message as it is."""
        await self._socket.send_str(json.dumps(message))

    async def shows(self, text: str) -> str:
        """Returns the screen once `text` is on it. Raises AssertionError when the terminal ends before."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.screen:
                assert await self.step(), f"ended with {self.code} {self.reason}; screen: {self.screen!r}"
        return self.screen

    async def ends(self) -> tuple[int | None, str]:
        """The code and reason of the close frame, once it came."""
        async with asyncio.timeout(PATIENCE):
            while await self.step():
                pass
        return self.code, self.reason

    async def step(self, *, answer_pings: bool = True) -> bool:
        """Takes in one message; False when it was the last."""
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            self._take(json.loads(message.data))
        elif message.type is aiohttp.WSMsgType.PING:
            self.pings += 1
            if answer_pings:
                await self._socket.pong(message.data)
        elif message.type is not aiohttp.WSMsgType.PONG:
            if message.type is aiohttp.WSMsgType.CLOSE:
                self.code, self.reason = message.data, message.extra or ""
            return False
        return True

    def _take(self, message: dict[str, Any]) -> None:
        assert message.keys() == {"Op", "Data", "Rows", "Cols"}, "v2.1.1 sends all four"
        if message["Op"] == "stdout":
            self.screen += message["Data"]
        else:
            assert message["Op"] == "toast"
            self.toasts.append(message["Data"])


@asynccontextmanager
async def terminal_at(url: str, headers: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """The terminal at `url`. Raises aiohttp.WSServerHandshakeError."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(URL(url, encoded=True), headers=headers, autoping=False) as socket,
    ):
        yield Terminal(socket)


@asynccontextmanager
async def opened_terminal(base_url: str, secret: str, path: str, user: str) -> AsyncIterator[Terminal]:
    """The terminal of a service alone, in the place of the gateway. Raises likewise."""
    signed = IdentitySigner(secret.encode()).sign(Identity(user, (), "192.0.2.1"))
    async with terminal_at(base_url + path, {IDENTITY_HEADER: signed}) as terminal:
        yield terminal
