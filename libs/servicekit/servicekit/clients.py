"""Asking other services over HTTP, as a part of the request that is being served."""

from types import SimpleNamespace
from typing import Any

import aiohttp

from servicekit import context
from servicekit.responses import to_json


def client_session(*, timeout: float, connections: int = 64, **options: Any) -> aiohttp.ClientSession:
    """A session that passes on the identifier and the trace of the request being served.

    `timeout` bounds a whole exchange, in seconds; `connections` bounds how many there are at once. `options`
    are those of aiohttp.ClientSession. To be made where a loop runs, and closed by who made it.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout),
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        json_serialize=lambda value: to_json(value).decode(),
        trace_configs=[_pass_on()],
        **options,
    )


def _pass_on() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    config.on_request_start.append(_add_headers)
    return config


async def _add_headers(
    session: aiohttp.ClientSession, trace: SimpleNamespace, params: aiohttp.TraceRequestStartParams
) -> None:
    if request_id := context.request_id.get():
        params.headers[context.REQUEST_ID_HEADER] = request_id
    if traceparent := context.traceparent.get():
        params.headers["traceparent"] = traceparent
