"""Clients that ask for too much, too slowly, or not in HTTP: each is bounded, and others are served."""

import asyncio
import gzip
from typing import Any

import pytest

from harness.small_service import Client, demo_group, error_of, signed
from harness.waiting import eventually
from servicekit.identity import Identity

JSON = {"Content-Type": "application/json"}


class Gate:
    """A group whose handler waits until the test lets it go on."""

    def __init__(self):
        self.entered = asyncio.Semaphore(0)
        self.open = asyncio.Event()
        self.group = demo_group()
        self.group.get("/wait")(self.wait)
        self.group.get("/stream", stream=True)(self.stream)
        self.group.get("/quick")(self.quick)
        self.group.post("/body")(self.body)

    async def wait(self, caller: Identity) -> None:
        self.entered.release()
        await self.open.wait()

    async def stream(self, caller: Identity) -> None:
        await self.wait(caller)

    async def quick(self) -> None: ...

    async def body(self, body: dict[str, Any]) -> int:
        return len(body)


async def test_one_request_too_many_is_refused_and_may_come_again(serve):
    gate = Gate()
    client = await serve(gate.group, max_requests=2)
    running = [asyncio.create_task(client.get("/wait")) for _ in range(2)]
    for _ in running:
        await gate.entered.acquire()
    refused = await client.get("/quick")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert "server.maxRequests" in (await error_of(refused))["message"]
    assert (await client.get("/healthz")).status == 200
    gate.open.set()
    assert [(await task).status for task in running] == [200, 200]
    assert (await client.get("/quick")).status == 200


async def test_streams_are_counted_apart(serve):
    gate = Gate()
    client = await serve(gate.group, max_requests=1, max_streams=1, request_timeout=0.2)
    stream = asyncio.create_task(client.get("/stream"))
    await gate.entered.acquire()
    assert (await client.get("/stream")).status == 503
    assert (await client.get("/quick")).status == 200
    await asyncio.sleep(0.3)  # longer than a request may take
    gate.open.set()
    assert (await stream).status == 200


async def test_a_request_that_takes_too_long_is_ended(serve):
    client = await serve(Gate().group, request_timeout=0.1)
    answer = await client.get("/wait")
    assert answer.status == 504
    assert (await error_of(answer))["reason"] == "Timeout"


async def test_a_timeout_of_the_handlers_own_is_a_bug_not_a_limit(serve):
    group = demo_group()

    @group.get("/x")
    async def x() -> None:
        raise TimeoutError

    assert (await (await serve(group)).get("/x")).status == 500


async def test_a_huge_body_is_refused(serve):
    client = await serve(Gate().group, max_body=1024)
    answer = await client.post("/body", data=b'{"a": "' + b"x" * 1_000_000 + b'"}', headers=JSON)
    assert answer.status == 413
    assert "1024 bytes" in (await error_of(answer))["message"]


async def test_a_huge_body_without_a_length_is_refused(serve):
    async def endless():
        for _ in range(10_000):
            yield b"x" * 1024

    client = await serve(Gate().group, max_body=4096)
    try:
        answer = await client.post("/body", data=endless(), headers=JSON)
    except (ConnectionError, OSError):
        return  # the server hung up while the body was still coming
    assert answer.status == 413


async def test_a_compressed_body_counts_as_what_it_becomes(serve):
    client = await serve(Gate().group, max_body=1024)
    bomb = gzip.compress(b'{"a": "' + b"x" * 5_000_000 + b'"}')
    answer = await client.post("/body", data=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status == 413


async def test_a_body_that_trickles_is_given_up(serve):
    client = await serve(Gate().group, body_timeout=0.2)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head("POST", "/body", {**signed(), **JSON, "Content-Length": "100"}) + b'{"a"')
    answer = await asyncio.wait_for(reader.read(4096), 10)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert (await client.get("/quick")).status == 200
    writer.close()


async def test_one_connection_too_many_is_told_so(serve):
    client = await serve(Gate().group, max_connections=2)
    first = await asyncio.open_connection(client.host, client.port)
    assert (await client.get("/quick")).status == 200  # its connection stays open
    answer = await raw(client, b"")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"server.maxConnections" in answer
    first[1].close()

    async def there_is_room_again():
        assert not (await raw(client, head("GET", "/healthz", {}))).startswith(b"HTTP/1.1 503 ")

    await eventually(there_is_room_again, timeout=10)


async def test_a_connection_that_says_nothing_is_closed(serve):
    client = await serve(Gate().group, idle_timeout=0.2)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /quick HTTP/1.1\r\nHost: x\r\n")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


def head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def raw(client: Client, request: bytes) -> bytes:
    """What the server says to `request` before it hangs up or falls silent."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request)
    answer = b""
    try:
        async with asyncio.timeout(10):
            while b"\r\n\r\n" not in answer and (part := await reader.read(65536)):
                answer += part
    except ConnectionError:
        pass
    writer.close()
    return answer


HOSTILE = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a header without a colon": b"GET /quick HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n",
    "a space before the colon": b"GET /quick HTTP/1.1\r\nHost: x\r\nX-KS-Identity : y\r\n\r\n",
    "a folded header": b"GET /quick HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "a NUL in a header": b"GET /quick HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "two lengths": b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": (
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a negative length": b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "an unknown coding": b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a header that is too long": b"GET /quick HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40_000 + b"\r\n\r\n",
    "a path that is too long": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "too many headers": b"GET /quick HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 500 + b"\r\n",
}


@pytest.mark.parametrize("request_bytes", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_not_clean_http_is_refused_and_harms_nobody(serve, request_bytes):
    client = await serve(Gate().group)
    answer = await raw(client, request_bytes)
    assert not answer or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert (await client.get("/quick")).status == 200


@pytest.mark.parametrize(
    "path",
    ["/../etc/passwd", "/%2e%2e/%2e%2e", "//quick", "/quick/", "/quick%00", "/quick%0d%0aX:y", "/%ff", "*"],
)
async def test_odd_paths_lead_nowhere(serve, path):
    client = await serve(Gate().group)
    answer = await raw(client, head("GET", path, {**signed(), "Connection": "close"}))
    assert answer.split(b" ", 2)[1] in (b"400", b"404")
    assert b"\r\nX:y" not in answer
