"""What happens around every request: its identifier, its measurement, and the shape of its errors."""

import logging
from time import perf_counter

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from servicekit import context, metrics
from servicekit.context import REQUEST_ID_HEADER
from servicekit.errors import (
    BodyTooLarge,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    UnsupportedMediaType,
)
from servicekit.keys import HEADERS, REQUEST_ID
from servicekit.responses import JSON

log = logging.getLogger(__name__)


@web.middleware
async def identify_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its identifier: the client's or the gateway's, if it is sane, else a new one."""
    request_id = context.new_request_id(request.headers.get(REQUEST_ID_HEADER))
    request[REQUEST_ID] = request_id
    context.request_id.set(request_id)
    context.traceparent.set(context.valid_traceparent(request.headers.get("traceparent")))
    return await handler(request)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Before a response begins: tells its identifier, and not what this is made of."""
    response.headers[REQUEST_ID_HEADER] = request.get(REQUEST_ID, "")
    response.headers["Server"] = context.SERVER
    for name, value in request.app[HEADERS].items():
        response.headers.setdefault(name, value)


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts the request and its duration under the template of its route, never under its raw path."""
    started = perf_counter()
    metrics.ACTIVE_REQUESTS.inc()
    status = 499  # the client left: nginx's word for it
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as redirect:  # anything else that aiohttp raises has its shape by now
        status = redirect.status
        raise
    finally:
        metrics.ACTIVE_REQUESTS.dec()
        metrics.observe(request, status, perf_counter() - started)


@web.middleware
async def shape_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers every error as `{"message", "reason", "requestId"}`; what is unexpected shows in the log
    only."""
    try:
        return await handler(request)
    except ServiceError as error:
        return to_error_response(error, request[REQUEST_ID])
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return to_error_response(_translate(request, error), request[REQUEST_ID])
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return to_error_response(
            ServiceError("something went wrong here; the service's log tells more under this requestId"),
            request[REQUEST_ID],
        )


def to_error_response(error: ServiceError, request_id: str) -> web.Response:
    body = orjson.dumps(error.body(request_id))
    return web.Response(body=body, status=error.status, content_type=JSON, headers=error.headers)


def _translate(request: web.Request, error: web.HTTPException) -> ServiceError:
    """One of aiohttp's own errors as one of ours."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return MethodNotAllowed(
            f"{request.method} is not possible here, only {allowed}", headers={"Allow": allowed}
        )
    if isinstance(error, web.HTTPNotFound):
        return NotFound("there is nothing at this path")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return BodyTooLarge("the body is too large")
    if isinstance(error, web.HTTPUnsupportedMediaType):
        return UnsupportedMediaType(error.reason)
    return ServiceError(error.reason, reason=error.reason.replace(" ", ""), status=error.status)


def middlewares(*tracing: Middleware) -> tuple[Middleware, ...]:
    """All of them, the outermost first: the log, traces and metrics see errors as the client does."""
    return identify_request, *tracing, measure, shape_errors
