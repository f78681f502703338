"""What the application asks of the platform, passed on to the gateway in the name of who is signed in.

An answer may hold what a tenant wrote, and comes from our own address: so no page of it ever runs as one of
ours (a sandbox without rights), it sets no cookie, and what pods serve themselves (`.../proxy`) is not
passed on at all.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef
from multidict import CIMultiDict

from ks_console.browser import CSRF, SESSION, Forms, Proxies, session_of
from ks_console.gateway import IAM, Gateway
from ks_console.tunnel import Tunnel
from servicekit.errors import NotFound

PREFIXES = ("/kapis/{path:.*}", "/apis/{path:.*}", "/api/{path:.*}", "/openapi/v3/{path:.*}")
EXACT = ("/version", "/openapi/v3")
SWAGGER = "/swagger-ui"
SIGNING_IN = f"{IAM}/oauth/"
"""Where a browser goes for signing in elsewhere: there, and there alone, cookies and redirects pass."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SENT = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Content-Encoding",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "User-Agent",
)
_RETURNED = (
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Retry-After",
    "Warning",
)
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
_POD_PAGE = re.compile(r"^/api/v1/.*/proxy(/|$)")
_CHUNK = 64 * 1024
_LOOK = 1.0
"""Seconds between looks whether the browser still waits for an answer that does not come."""

_LEFT = 499
"""For metrics: nobody reads it."""

T = TypeVar("T")


class Left(ConnectionResetError):
    """The browser does not wait for the answer any more."""


class Proxy:
    """Passes requests on."""

    def __init__(self, gateway: Gateway, forms: Forms, proxies: Proxies, tunnel: Tunnel) -> None:
        self._gateway = gateway
        self._forms = forms
        self._proxies = proxies
        self._tunnel = tunnel

    def routes(self) -> list[AbstractRouteDef]:
        swagger = (SWAGGER, SWAGGER + "/{path:.*}")
        return [web.route("*", path, self.serve) for path in (*PREFIXES, *EXACT, *swagger)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The gateway's answer. Raises Forbidden for what other sites have sent, NotFound, Unavailable."""
        if _POD_PAGE.match(request.path):
            raise NotFound("the console shows nothing that pods serve: use kubectl port-forward")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._tunnel.serve(request)
        if request.method not in SAFE:
            self._forms.require(request)
        return await self._pass_on(request)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        asking = self._gateway.session.request(
            request.method,
            self._gateway.address(request.raw_path),
            headers=self._headers(request),
            data=_body(request) if request.can_read_body else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=self._gateway.timeout, total=None),
        )
        try:
            answer = await while_waited_for(request, asking)
        except Left:
            return web.Response(status=_LEFT)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._gateway.unavailable(error) from None
        async with answer:
            return await self._return(request, answer)

    async def _return(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_returned(request, answer))
        await response.prepare(request)
        try:
            while chunk := await while_waited_for(request, answer.content.read(_CHUNK)):
                await response.write(chunk)
        except (aiohttp.ClientError, OSError, TimeoutError):
            # The answer has begun: the only way to say that it is not whole is to end the connection.
            if request.transport is not None:
                request.transport.close()
            return response
        await response.write_eof()
        return response

    def _headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = CIMultiDict({name: request.headers[name] for name in _SENT if name in request.headers})
        headers["X-Forwarded-For"] = self._proxies.client_address(request)
        headers["X-Forwarded-Proto"] = "https" if self._proxies.is_https(request) else "http"
        token = session_of(request)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if request.path.startswith(SIGNING_IN) and "Cookie" in request.headers:
            headers["Cookie"] = _without_ours(request)
        return headers


async def while_waited_for(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is given up when the browser has left. Raises Left then."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
            if request.transport is None or request.transport.is_closing():
                raise Left
        return task.result()
    finally:
        task.cancel()


def _without_ours(request: web.Request) -> str:
    ours = (SESSION, CSRF)
    return "; ".join(f"{name}={value}" for name, value in request.cookies.items() if name not in ours)


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(_CHUNK):
        yield chunk


def _returned(request: web.Request, answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    headers = CIMultiDict({name: answer.headers[name] for name in _RETURNED if name in answer.headers})
    headers.setdefault("Cache-Control", "no-store")
    headers["Content-Security-Policy"] = _SANDBOX
    if request.path.startswith(SWAGGER):
        headers["Content-Security-Policy"] = answer.headers.get("Content-Security-Policy", _SANDBOX)
    if request.path.startswith(SIGNING_IN):
        for name in ("Location", "Set-Cookie"):
            headers.extend((name, value) for value in answer.headers.getall(name, []))
    return headers
