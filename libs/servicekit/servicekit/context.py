"""What belongs to the request that is being served, wherever the code has got to."""

import random
import re
from contextvars import ContextVar

REQUEST_ID_HEADER = "X-Request-Id"
SERVER = "kubesphere"
"""What the header Server says, which is not what a service is made of."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being served; empty outside of one."""

traceparent: ContextVar[str] = ContextVar("traceparent", default="")
"""The trace that this request belongs to (https://www.w3.org/TR/trace-context/), to pass on; or empty."""

_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def new_request_id(given: str | None) -> str:
    """`given` where it is short and plain, so that it is safe in headers and logs; else a fresh one."""
    return given if given is not None and _SANE.fullmatch(given) else f"{random.getrandbits(128):032x}"


_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def valid_traceparent(given: str | None) -> str:
    """`given` where it has the form of the specification; else an empty text."""
    return given if given is not None and _TRACEPARENT.fullmatch(given) else ""
