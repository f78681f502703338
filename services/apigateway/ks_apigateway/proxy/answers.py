"""Errors as answers, in the one shape that every service of the platform has."""

import orjson

from ks_apigateway.proxy.outcome import Answer
from servicekit.errors import ServiceError


def error_answer(error: ServiceError, request_id: bytes) -> Answer:
    """`error` as the answer to the request `request_id`. A header value that would break the head is left
    out.
    """
    headers = {name: value for name, value in error.headers.items() if value.isprintable()}
    return Answer(error.status, orjson.dumps(error.body(request_id.decode("ascii"))), headers=headers)
