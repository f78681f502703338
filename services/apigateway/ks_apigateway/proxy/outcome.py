"""What becomes of a request: it is forwarded, or answered here. Decided outside the data plane."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ks_apigateway.proxy.pool import Pool
from ks_apigateway.proxy.request import Request


@dataclass(slots=True)
class Forward:
    """Send the request to `pool`. `path` and `lines` are written as they are, so whoever makes them
    checks them. One may serve several requests, when their lines and headers are the same.
    """

    pool: Pool
    path: bytes
    """Without query."""
    query: bytes = b""
    lines: bytes = b""
    """Header lines to add, each with its line end."""
    host: bytes | None = None
    """The Host header; None for the client's own."""
    body_bytes: int = 0
    """The largest body; 0 for no limit."""
    body_timeout: float | None = None
    """Instead of that for all clients."""
    first_byte_timeout: float | None = None
    answer_timeout: float | None = None
    """Instead of the pool's."""
    head: bytes | None = None
    """What is sent of a head, up to the request's id, once it was made."""
    described: bytes | None = None
    """What the access log says of such a request, once it was asked."""


@dataclass(slots=True)
class Answer:
    """Answer here."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Outcome = Forward | Answer
Handler = Callable[[Request], Outcome | Awaitable[Outcome]]
"""Decides at once where it can; raises ServiceError to refuse. What it awaits is cancelled when the
client leaves.
"""
