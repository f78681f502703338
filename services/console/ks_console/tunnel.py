"""WebSockets: terminals and pages that stay current, passed on message by message."""

import asyncio
from collections.abc import Awaitable

import aiohttp
from aiohttp import WSMsgType, web

from ks_console.browser import FOREIGN, FOREIGN_REASON, Proxies, session_of
from ks_console.gateway import Gateway
from servicekit.errors import Forbidden, ServiceError
from servicekit.keys import HEALTH

MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes of a message, either way."""
PING = 15.0
"""Seconds: proxies on the way end what is silent for longer."""
GOING_AWAY = 1001
_ABNORMAL = 1011


class Tunnel:
    """Passes WebSockets on to the gateway in the name of who is signed in."""

    def __init__(self, gateway: Gateway, proxies: Proxies) -> None:
        self._gateway = gateway
        self._proxies = proxies

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Until one side ends. Raises Forbidden for a page of another site, or what the gateway says."""
        if request.headers.get("Origin") != self._proxies.origin(request):
            raise Forbidden(FOREIGN, reason=FOREIGN_REASON)
        protocols = [
            each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each
        ]
        upstream = await self._connect(request, protocols)
        try:
            browser = web.WebSocketResponse(
                protocols=[upstream.protocol] if upstream.protocol else (),
                heartbeat=PING,
                max_msg_size=MAX_MESSAGE,
                compress=False,
            )
            await browser.prepare(request)
            await _join(browser, upstream, request.app[HEALTH].stopping.wait())
            return browser
        finally:
            await upstream.close()

    async def _connect(self, request: web.Request, protocols: list[str]) -> aiohttp.ClientWebSocketResponse:
        headers = {"X-Forwarded-For": self._proxies.client_address(request)}
        token = session_of(request)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            return await self._gateway.session.ws_connect(
                self._gateway.address(request.raw_path),
                headers=headers,
                protocols=protocols,
                max_msg_size=MAX_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=5.0),  # pyright: ignore[reportCallIssue]  an attrs class
            )
        except aiohttp.WSServerHandshakeError as refused:
            raise ServiceError(
                "the connection was refused; a plain GET of this address tells why", status=refused.status
            ) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._gateway.unavailable(error) from None


async def _join(
    browser: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse, stop: Awaitable[object]
) -> None:
    tasks = [
        asyncio.ensure_future(part) for part in (_copy(browser, upstream), _copy(upstream, browser), stop)
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await browser.close(code=GOING_AWAY, message=b"connect again")


Side = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _copy(source: Side, target: Side) -> None:
    """Messages until `source` ends; then `target` is closed with the same code and reason."""
    while True:
        message = await source.receive()
        try:
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
            else:
                break
        except ConnectionError:
            return
    code = message.data if message.type is WSMsgType.CLOSE else source.close_code
    reason = message.extra if message.type is WSMsgType.CLOSE and message.extra else ""
    await target.close(code=_sendable(code), message=str(reason).encode()[:123])


def _sendable(code: object) -> int:
    """`code` where a close frame may carry it (RFC 6455, 7.4); 1005 and 1006 stand for none."""
    if isinstance(code, int) and (code in (1000, 1001, 1002, 1003) or 1007 <= code <= 4999):
        return code if code != 1015 else _ABNORMAL
    return 1000 if code in (None, 1005) else _ABNORMAL
