"""Reading and checking the body of a request."""

import asyncio
import inspect
from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from servicekit.errors import BadRequest, BodyTooLarge, RequestTimeout, UnsupportedMediaType
from servicekit.keys import CONFIG

JSON_TYPES = frozenset(("application/json",))


class BodyReader:
    """Reads JSON into one type. `bytes` takes the body unparsed.

    `consumes` are the media types that are taken, `application/json` by default; None takes any.
    """

    def __init__(self, hint: Any, default: Any, consumes: frozenset[str] | None):
        self.hint = hint
        self.consumes = consumes
        self.raw = hint is bytes
        self.required = default is inspect.Parameter.empty
        self.default = default
        self.adapter: TypeAdapter[Any] = TypeAdapter(hint)

    async def read(self, request: web.Request) -> Any:
        raw = await read_bytes(request)
        if not raw and not self.required:
            return self.default
        self._check_type(request)
        if self.raw:
            return raw
        if not raw:
            raise BadRequest("body: is missing")
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BadRequest(
                f"body: is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
            ) from None
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            raise _explain(error) from None

    def _check_type(self, request: web.Request) -> None:
        if self.consumes is None:
            return
        given = request.headers.get("Content-Type")
        if given is None or request.content_type not in self.consumes:
            wanted = " or ".join(sorted(self.consumes))
            raise UnsupportedMediaType(
                f"the body must be sent as Content-Type: {wanted}, not {given or 'without one'}"
            )


async def read_bytes(request: web.Request) -> bytes:
    """The body. Raises BodyTooLarge past server.maxBody, RequestTimeout when it takes longer than
    server.bodyTimeout."""
    server = request.app[CONFIG].server
    try:
        async with asyncio.timeout(server.body_timeout):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(f"the body is larger than {server.max_body} bytes") from None
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {server.body_timeout:g} s") from None


def _explain(error: ValidationError) -> BadRequest:
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    path = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return BadRequest(f"body{'.' if path else ''}{path}: {what}{more}")
