"""One JSON line a request, written beside the requests: a slow reader of the log delays nobody."""

import asyncio
import contextlib
from time import gmtime, strftime, time

import orjson

from ks_apigateway.output import write_lines
from ks_apigateway.proxy.exchange import Exchange
from ks_apigateway.proxy.outcome import Forward
from ks_apigateway.proxy.request import Request
from servicekit.access_log import mask

FLUSH_INTERVAL = 0.2
"""Seconds between two writes."""
CAPACITY = 50_000
"""Lines that may wait; more are counted and dropped."""
MAX_PATH = 2048
CLIENT_CLOSED = 499
"""The status for a client that left before it had its answer, as nginx logs it."""


class AccessLog:
    """Collects lines, and writes them to standard output in a thread of its own."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self.dropped = 0
        self._second = 0
        self._stamp = b""

    def add(self, exchange: Exchange, status: int, seconds: float, *, aborted: bool) -> None:
        """Notes a request that ended, and took `seconds`."""
        if len(self._lines) >= CAPACITY:
            self.dropped += 1
            return
        request = exchange.request
        now = time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode("ascii")
        self._lines.append(
            b'{"time":"%b.%03dZ","logger":"ks_apigateway.access","requestId":"%b","status":%d,"bytesIn":%d,'
            b'"bytes":%d,"ms":%.1f,%b%b}\n'
            % (
                self._stamp,
                (now - second) * 1000,
                exchange.id,
                status,
                exchange.bytes_in,
                exchange.bytes_out,
                seconds * 1000,
                _members({"address": exchange.client.address})
                if request is None
                else _of_request(request, exchange.forward),
                b',"aborted":true' if aborted else b"",
            )
        )

    async def run(self) -> None:
        """Writes what comes, until it is cancelled; then what is left."""
        try:
            while True:
                await asyncio.sleep(FLUSH_INTERVAL)
                if self._lines:
                    await asyncio.to_thread(self._write, self._take())
        finally:
            self._write(self._take())

    def _take(self) -> bytes:
        lines, self._lines = self._lines, []
        return b"".join(lines)

    @staticmethod
    def _write(lines: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):
            write_lines(lines)


def _of_request(request: Request, forward: Forward | None) -> bytes:
    """What the line says of the request itself; kept with `forward` unless it had a secret."""
    if forward is None:
        return _described(request, mask(_path(request)), "")
    known = forward.described
    if known is None:
        path = _path(request)
        masked = mask(path)
        known = _described(request, masked, forward.pool.name)
        if masked == path:
            forward.described = known
    return known


def _path(request: Request) -> str:
    path = request.target.raw_text
    return f"{path}?{request.query.decode('ascii')}" if request.query else path


def _described(request: Request, path: str, upstream: str) -> bytes:
    members = {
        "address": request.head.address,
        "method": request.method_name,
        "path": path[:MAX_PATH],
        "user": request.user,
        "route": request.route,
    }
    if upstream:
        members["upstream"] = upstream
    return _members(members)


def _members(members: dict[str, str]) -> bytes:
    """The members of a JSON object, without its braces."""
    return orjson.dumps(members)[1:-1]
