"""The route of resources.kubesphere.io/v1alpha2 that keeps pages current."""

import asyncio
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from ks_apiserver.resources.access import GROUP, VERSION
from ks_apiserver.resources.search import Search
from ks_apiserver.watching.session import WatchSession
from servicekit.errors import BadRequest
from servicekit.group import Group
from servicekit.health import Health
from servicekit.identity import Identity

LONGEST = 900.0
"""Seconds of one connection: the next one is authenticated anew, so that who signed out sees no more."""
PING = 15.0
MAX_MESSAGE = 8192
"""Bytes of a client's message."""


def group(search: Search) -> Group:
    """For anybody who signed in; each page is for who may list it."""
    routes = Group(GROUP, VERSION)

    @routes.get("/watch", stream=True)
    async def watch(caller: Identity, request: web.Request, health: Health) -> web.StreamResponse:
        """A WebSocket that tells what changes of the pages that the client names."""
        socket = web.WebSocketResponse(heartbeat=PING, max_msg_size=MAX_MESSAGE, compress=False, timeout=2.0)
        if not socket.can_prepare(request):
            raise BadRequest("open this as a WebSocket")
        await socket.prepare(request)
        session = WatchSession(search, caller, lambda message: socket.send_str(message.decode()))
        await _until_first(_receive(socket, session), session.run(), health.stopping.wait())
        if not socket.closed:
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"connect again")
        return socket

    return routes


async def _receive(socket: web.WebSocketResponse, session: WatchSession) -> None:
    async for message in socket:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await session.take(message.data)


async def _until_first(*parts: Any) -> None:
    """Runs all until one ends or LONGEST has passed; a connection that breaks is an end like any other."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, ConnectionError):
            raise error
