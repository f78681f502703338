"""Answers that stay good until something that they were made from changes.

A handler that can tell when its answer would be another one returns it as `Lasting`. The same caller who asks
for the same path again is then answered from memory, before the application looks for a route, for as long as
that holds: what is remembered is never older than what the handler would answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeVar

from aiohttp import hdrs, web
from prometheus_client import Histogram

from servicekit import conditional, context, metrics
from servicekit.context import REQUEST_ID_HEADER
from servicekit.errors import Unauthorized
from servicekit.identity import IDENTITY_HEADER, Identity, IdentityVerifier
from servicekit.keys import IDENTITY, REQUEST_ID

T = TypeVar("T")

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

LARGEST = 64 * 1024
"""Bytes of an answer that is kept: to make a larger one costs little against sending it."""
MOST = 16 * 1024 * 1024
"""Bytes of all answers that are kept; beyond them the oldest goes."""
OVERHEAD = 1024
"""Bytes that an answer is counted as beside its body."""


@dataclass(frozen=True, slots=True)
class Lasting(Generic[T]):
    """What a handler answers, which depends on the caller, the path and the query alone while `holds()`.

    `holds` is called for each request and must be quick. It may not become true again once it was false.
    """

    value: T
    holds: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Kept:
    holds: Callable[[], bool]
    body: bytes
    tag: str | None
    answered: Histogram
    not_modified: Histogram


ANSWERS: web.AppKey["Answers | None"] = web.AppKey("answers")
_Key = tuple[str, str, tuple[str, ...]]


class Answers:
    """The lasting answers of a service, by caller and path."""

    def __init__(self, verifier: IdentityVerifier, headers: Mapping[str, str]) -> None:
        """`headers` go with every answer."""
        self._verifier = verifier
        self._headers = {**headers, hdrs.SERVER: context.SERVER}
        self._kept: dict[_Key, _Kept] = {}
        self._size = 0

    def keep(self, request: web.Request, response: web.StreamResponse, holds: Callable[[], bool]) -> None:
        """Remembers `response`, which is what `request` is answered while `holds`."""
        if request.method != hdrs.METH_GET or response.status != 200:
            return
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or len(body) > LARGEST:
            return
        key = _key(request, request[IDENTITY])
        self._forget(key)
        route = metrics.route_of(request)
        self._kept[key] = _Kept(
            holds,
            body,
            response.headers.get(hdrs.ETAG),
            metrics.duration(hdrs.METH_GET, route, 200),
            metrics.duration(hdrs.METH_GET, route, 304),
        )
        self._size += len(body) + OVERHEAD
        while self._size > MOST:
            self._forget(next(iter(self._kept)))

    def before(self, serve: Serve) -> Serve:
        """`serve`, but for requests whose answer is remembered and still holds."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return self._remembered(request) or await serve(request)

        return answer

    def _remembered(self, request: web.BaseRequest) -> web.Response | None:
        if request.method != hdrs.METH_GET:
            return None
        started = perf_counter()
        headers = request.headers.getall(IDENTITY_HEADER, ())
        if len(headers) != 1:
            return None
        try:
            identity = self._verifier.verify(headers[0])
        except Unauthorized:
            return None  # in the words of who serves it
        kept = self._kept.get(_key(request, identity))
        if kept is None or not kept.holds():
            return None
        response, duration = self._response(request, kept)
        request[IDENTITY] = identity
        request[REQUEST_ID] = request_id = context.new_request_id(request.headers.get(REQUEST_ID_HEADER))
        response.headers[REQUEST_ID_HEADER] = request_id
        duration.observe(perf_counter() - started)
        return response

    def _response(self, request: web.BaseRequest, kept: _Kept) -> tuple[web.Response, Histogram]:
        headers: dict[str, Any] = dict(self._headers)
        if kept.tag is not None:
            headers.update(conditional.headers(kept.tag))
            if conditional.is_known(request, kept.tag):
                return web.Response(status=304, headers=headers), kept.not_modified
        headers[hdrs.CONTENT_TYPE] = "application/json"
        return web.Response(body=kept.body, headers=headers), kept.answered

    def _forget(self, key: _Key) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= len(gone.body) + OVERHEAD


def _key(request: web.BaseRequest, identity: Identity) -> _Key:
    return request.raw_path, identity.user, identity.groups
