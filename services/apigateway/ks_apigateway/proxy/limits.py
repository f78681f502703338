"""Every bound of the data plane in one place. Sizes are in bytes, times in seconds."""

from pydantic import Field

from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section


class ClientLimits(Section):
    """What one client, and all of them, may take."""

    connections: int = Field(default=20_000, ge=1)
    """Connections of clients at once; more are told 503."""
    header_bytes: Bytes = Field(default=64 * 1024, ge=1024, le=1024 * 1024)
    """Request line and headers together."""
    headers: int = Field(default=128, ge=8, le=10_000)
    body_bytes: Bytes = Field(default=0, ge=0)
    """Of a request, where the route says nothing else; 0 means no limit: bodies pass, they are not kept."""
    pipelined: int = Field(default=64, ge=1, le=10_000)
    """Requests of one connection that wait for earlier ones; after that many the connection is closed."""
    header_timeout: Seconds = Field(default=15, gt=0)
    """From the first byte of a request to the end of its headers."""
    body_timeout: Seconds = Field(default=60, gt=0)
    """Between two pieces of a request's body."""
    idle_timeout: Seconds = Field(default=75, gt=0)
    """Between two requests of a connection."""
    write_timeout: Seconds = Field(default=60, gt=0)
    """For a client to take what is waiting for it."""
    linger: Seconds = Field(default=2, gt=0)
    """For a client to stop sending a body that nobody wants, so that it sees the answer."""


class UpstreamLimits(Section):
    """What may be asked of one upstream."""

    connections: int = Field(default=4096, ge=1)
    """At once, long-running answers and tunnels included."""
    queue: int = Field(default=1024, ge=0)
    """Requests that wait for a connection; more are told 503."""
    idle: int = Field(default=64, ge=0)
    """Connections kept for later."""
    idle_timeout: Seconds = Field(default=15, gt=0)
    """For which they are kept."""
    connect_timeout: Seconds = Field(default=5, gt=0)
    """For a connection, the wait in the queue included."""
    first_byte_timeout: Seconds = Field(default=60, gt=0)
    """From the end of the request to the beginning of the answer."""
    answer_timeout: Seconds = Field(default=60, gt=0)
    """Between two pieces of an answer. Watches, followed logs and tunnels are exempt from both."""
    ejection: Seconds = Field(default=5, ge=0)
    """For which a server that refused a connection is not tried again while another one is there."""


LAST_REQUEST = 1.0
"""Seconds in which a client must ask that had nothing to ask, or came, just as the gateway stopped."""
REPLAY_BYTES = 64 * 1024
"""How much of a body is kept to send an idempotent request again."""
WRITE_BUFFER = 256 * 1024
"""Bytes that may wait for a slow reader before the other side is paused."""
