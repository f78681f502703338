"""Upgraded connections: bytes both ways, and an end when either side ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import websockets
from websockets.asyncio.server import ServerConnection

from harness.gateway import GatewayUnderTest
from harness.waiting import eventually

TERMINAL = "/kapis/tenant.kubesphere.io/v1alpha2/terminal"


def upgrade(path: str, token: str, protocol: str, *headers: str, method: str = "GET") -> str:
    lines = [
        f"{method} {path} HTTP/1.1", "Host: gateway", f"Authorization: Bearer {token}",
        "Connection: Upgrade", f"Upgrade: {protocol}", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n\r\n"


@pytest_asyncio.fixture
async def echo(gateway: GatewayUnderTest) -> AsyncIterator[None]:
    """A real WebSocket server in the place of the upstream."""
    await gateway.upstream.stop()

    async def repeat(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(repeat, "127.0.0.1", gateway.upstream.port):
        yield
    await gateway.upstream.start()


async def test_a_websocket_works_through_the_gateway(
    gateway: GatewayUnderTest, alice: str, echo: None
) -> None:
    url = f"ws://127.0.0.1:{gateway.service.port}{TERMINAL}"
    async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {alice}"}) as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"
        await socket.send(b"x" * 900_000)
        assert len(await socket.recv()) == 900_000
        assert await asyncio.wait_for(await socket.ping(), 10) is not None


async def test_a_browser_may_use_its_cookie_from_the_gateways_own_host(
    gateway: GatewayUnderTest, alice: str, echo: None
) -> None:
    origin = f"http://127.0.0.1:{gateway.service.port}"
    url = f"ws://127.0.0.1:{gateway.service.port}{TERMINAL}"
    async with websockets.connect(
        url, additional_headers={"Cookie": f"token={alice}"}, origin=websockets.Origin(origin)
    ) as socket:
        await socket.send("hello")
        assert await socket.recv() == "hello"


@pytest.mark.parametrize("protocol", ["SPDY/3.1", "websocket", "something"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_any_protocol_becomes_a_tunnel(
    gateway: GatewayUnderTest, alice: str, protocol: str, method: str
) -> None:
    async with gateway.wire() as wire:
        length = ["Content-Length: 0"] if method == "POST" else []
        await wire.send(upgrade(f"{TERMINAL}?do=upgrade", alice, protocol, *length, method=method), "early ")
        answer = await wire.answer()
        assert answer.status == 101
        assert answer.headers["upgrade"] == protocol
        assert answer.headers["connection"] == "Upgrade"
        assert await wire.reader.readexactly(9) == b"hi early "
        block = bytes(range(256)) * 4096

        async def write() -> None:
            for _ in range(16):
                await wire.send(block)

        writing = asyncio.create_task(write())
        for _ in range(16):
            assert await wire.reader.readexactly(len(block)) == block
        await writing


async def test_a_tunnel_ends_with_its_client(gateway: GatewayUnderTest, alice: str) -> None:
    before = gateway.upstream.open
    wire = await gateway.connect()
    await wire.send(upgrade(f"{TERMINAL}?do=upgrade", alice, "SPDY/3.1"))
    assert (await wire.answer()).status == 101
    wire.close()

    def ended() -> None:
        assert gateway.upstream.open <= before

    await eventually(ended)


async def test_a_tunnel_ends_with_its_upstream(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(upgrade(f"{TERMINAL}?do=upgrade", alice, "SPDY/3.1"))
        assert (await wire.answer()).status == 101
        await wire.reader.readexactly(3)
        gateway.upstream.drop()
        assert await wire.ended()


@pytest.mark.parametrize("protocol", ["h2c", "HTTP/2.0", "TLS/1.0", "websocket, h2c"])
async def test_protocols_that_hide_requests_are_not_spoken(
    gateway: GatewayUnderTest, alice: str, protocol: str
) -> None:
    async with gateway.wire() as wire:
        await wire.send(upgrade(TERMINAL, alice, protocol), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = await wire.answer()
        assert answer.status == 200
        assert "upgrade" not in dict(answer.json["fields"])
        assert answer.headers["connection"] == "close"
        assert await wire.ended()


async def test_a_refused_upgrade_is_an_answer_like_any_other(gateway: GatewayUnderTest, alice: str) -> None:
    async with gateway.wire() as wire:
        await wire.send(upgrade(TERMINAL, alice, "websocket"), "GET /smuggled HTTP/1.1\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert await wire.ended()


async def test_a_tunnel_needs_a_token(gateway: GatewayUnderTest) -> None:
    async with gateway.wire() as wire:
        await wire.send(upgrade(TERMINAL, "bad", "websocket"))
        assert (await wire.answer()).status == 401
        assert await wire.ended()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://gateway.evil.example", "http://gateway:1"]
)
async def test_a_foreign_page_cannot_use_the_users_cookie(
    gateway: GatewayUnderTest, alice: str, origin: str
) -> None:
    head = upgrade(TERMINAL, "", "websocket", f"Origin: {origin}", f"Cookie: token={alice}")
    reached = len(gateway.upstream.received)
    answer = await gateway.ask(head.replace("Authorization: Bearer \r\n", ""))
    assert answer.status == 403
    assert len(gateway.upstream.received) == reached


async def test_an_allowed_page_can(start_gateway: Any) -> None:
    async with start_gateway(allowedOrigins=["https://console.example.com"]) as gateway:
        token = await gateway.sign_in("agw-alice")
        head = upgrade(
            f"{TERMINAL}?do=upgrade",
            "",
            "websocket",
            "Origin: https://console.example.com",
            f"Cookie: token={token}",
        ).replace("Authorization: Bearer \r\n", "")
        async with gateway.wire() as wire:
            await wire.send(head)
            assert (await wire.answer()).status == 101
