"""What a handler returns, as an HTTP response."""

from typing import Any, cast

import orjson
from aiohttp import web
from pydantic import BaseModel

from servicekit.paging import Page

JSON = "application/json"
SUCCESS = b'{"message":"success"}'


def to_response(result: Any, status: int = 200) -> web.StreamResponse:
    """JSON of `result`. None says `{"message": "success"}`, bytes are JSON already, a response stays as it
    is."""
    if isinstance(result, web.StreamResponse):
        return result
    if result is None:
        return web.Response(body=SUCCESS, status=status, content_type=JSON)
    body = result if isinstance(result, bytes) else to_json(result)
    return web.Response(body=body, status=status, content_type=JSON)


def to_json(value: Any) -> bytes:
    """JSON of plain data, dataclasses, pages and pydantic models; bytes within become a part as they are."""
    if isinstance(value, Page):
        value = value.to_json()
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Page):
        return value.to_json()
    if isinstance(value, bytes):
        return orjson.Fragment(value)
    if isinstance(value, (set, frozenset)):
        return list(cast("set[Any]", value))
    raise TypeError(f"a handler returned a {type(value).__name__}, which has no JSON form")
