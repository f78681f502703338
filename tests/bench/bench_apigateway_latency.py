"""What the gateway adds to the time of a request when it is half as busy as it can be, next to nginx.

The client asks at a constant rate, and counts from the moment at which a request was due: a server that
stalls delays also those that had to wait for it. It is too slow for half of what the gateway can do: there
wrk asks, with a pause before each request.
"""

import asyncio
import os
from collections import deque
from pathlib import Path
from time import perf_counter

from devstack.servers import Redis
from harness.gateway_bench import PATH, PROXY, STATIC, Peer, gateway, load, nginx
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer

SECONDS = int(os.environ.get("KS_BENCH_SECONDS", "5"))
CLIENTS = 32
FASTEST = 4000
"""Requests in a second that this client can ask for without being what is slow."""
TICK = 0.001


class Client(asyncio.Protocol):
    """Asks once at a time; notes how long each answer took since it was due."""

    def __init__(self, request: bytes, free: "deque[Client]", taken: list[float]) -> None:
        self._request = request
        self._free = free
        self._taken = taken
        self._due = 0.0
        self._missing = 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._free.append(self)

    def ask(self, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            head, _, body = data.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._missing = int(length) - len(body)
        else:
            self._missing -= len(data)
        if not self._missing:
            self._taken.append(perf_counter() - self._due)
            self._free.append(self)


async def latencies(peer: Peer, rate: float, seconds: float) -> list[float]:
    """Seconds that requests took at `rate`, in order of size."""
    free: deque[Client] = deque()
    taken: list[float] = []
    authorization = f"Authorization: Bearer {peer.token}\r\n" if peer.token else ""
    request = f"GET {PATH} HTTP/1.1\r\nHost: bench\r\n{authorization}\r\n".encode()
    loop = asyncio.get_running_loop()
    transports = [
        (await loop.create_connection(lambda: Client(request, free, taken), "127.0.0.1", peer.port))[0]
        for _ in range(CLIENTS)
    ]
    begin = perf_counter()
    asked = 0
    while (now := perf_counter()) < begin + seconds:
        while free and begin + asked / rate <= now:
            free.popleft().ask(begin + asked / rate)
            asked += 1
        await asyncio.sleep(TICK)
    for transport in transports:
        transport.close()
    return sorted(taken)


async def test_latency_at_half_of_the_rate(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    body = '{"items":["' + "x" * 1000 + '"]}'
    async with (
        nginx(tmp_path / "static", STATIC.format(body=body)) as back,
        nginx(tmp_path / "nginx", PROXY, back.port) as plain,
        gateway(tmp_path / "gateway", redis_server, kubernetes, back.port) as (_, ours),
    ):
        most = (await load(ours, 2)).rate
        rate = min(FASTEST, most / 2)
        print(f"\n{f'{rate:.0f} requests in a second':34}{'p50 ms':>10}{'p99 ms':>10}{'added':>10}")
        base: list[float] = []
        for peer in (back, plain, ours):
            found = await latencies(peer, rate, SECONDS)
            figures = [found[int(len(found) * part)] * 1000 for part in (0.5, 0.99)]
            base = base or figures
            name = "the upstream itself" if peer is back else peer.name
            print(f"{name:34}{figures[0]:10.2f}{figures[1]:10.2f}{figures[1] - base[1]:10.2f}")
        pause = max(1, round(2 * CLIENTS / most * 1000) - 1)
        title = f"about half of {most:.0f}, by pauses"
        print(f"{title:34}{'p50 ms':>10}{'p99 ms':>10}{'added':>10}{'req/s':>10}")
        idle = 0.0
        for peer in (back, plain, ours):
            paced = [await load(peer, SECONDS, pause=pause) for _ in range(3)]
            middle = sorted(paced, key=lambda each: each.p99)[1]
            idle = idle or middle.p99
            name = "the upstream itself" if peer is back else peer.name
            figures = f"{middle.p50:10.2f}{middle.p99:10.2f}{middle.p99 - idle:10.2f}{middle.rate:10.0f}"
            print(f"{name:34}{figures}")
