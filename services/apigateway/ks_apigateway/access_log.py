"""One JSON line a request, written beside the requests: a slow reader of the log delays nobody."""

import asyncio
import sys
from time import gmtime, monotonic, strftime, time

import orjson

from ks_apigateway.proxy.exchange import Exchange
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
        self._stamp = ""

    def add(self, exchange: Exchange, status: int, *, aborted: bool) -> None:
        """Notes a request that ended."""
        if len(self._lines) >= CAPACITY:
            self.dropped += 1
            return
        request = exchange.request
        line = {
            "time": self._now(),
            "logger": "ks_apigateway.access",
            "requestId": exchange.id.decode("ascii"),
            "address": exchange.client.address if request is None else request.address,
            "status": status,
            "bytesIn": exchange.bytes_in,
            "bytes": exchange.bytes_out,
            "ms": round((monotonic() - exchange.started) * 1000, 1),
        }
        if request is not None:
            path = request.raw_path.decode("ascii")
            if request.query:
                path = mask(f"{path}?{request.query.decode('ascii')}")
            line["method"] = request.method_name
            line["path"] = path[:MAX_PATH]
            line["user"] = request.user
            line["route"] = request.route
        if exchange.forward is not None:
            line["upstream"] = exchange.forward.pool.name
        if aborted:
            line["aborted"] = True
        self._lines.append(orjson.dumps(line) + b"\n")

    async def run(self) -> None:
        """Writes what comes, until it is cancelled; then what is left."""
        try:
            while True:
                await asyncio.sleep(FLUSH_INTERVAL)
                if self._lines:
                    await asyncio.to_thread(self._write, self._take())
        finally:
            self._write(self._take())

    def _now(self) -> str:
        now = time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))
        return f"{self._stamp}.{int((now - second) * 1000):03d}Z"

    def _take(self) -> bytes:
        lines, self._lines = self._lines, []
        return b"".join(lines)

    @staticmethod
    def _write(lines: bytes) -> None:
        try:
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()
        except (OSError, ValueError):
            return
