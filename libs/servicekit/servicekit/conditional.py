"""Conditional requests: what is as it was is answered by 304, without a body (RFC 9110, 13).

A tag is strong and made from what is answered alone: it is the same in every process of a service, and tells
nobody of changes that they do not see.
"""

from hashlib import blake2b

from aiohttp import web

CACHING = "private, no-cache"
"""Ask again each time, and keep it for nobody else."""


def answer(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """`response` with its tag, or 304 where the header If-None-Match names it."""
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return response
    tag = f'"{blake2b(response.body, digest_size=16).hexdigest()}"'
    if is_known(request, tag):
        response = web.Response(status=304)
    response.headers.update(headers(tag))
    return response


def headers(tag: str) -> dict[str, str]:
    """What goes with an answer of that tag, or with 304 in its place."""
    return {"ETag": tag, "Cache-Control": CACHING}


def is_known(request: web.BaseRequest, tag: str) -> bool:
    """Whether the header If-None-Match names the tag."""
    if_none_match = request.headers.get("If-None-Match")
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or tag in (
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    )
