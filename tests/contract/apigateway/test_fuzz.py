"""Whatever bytes come, the gateway goes on, and what it sends on is sound.

KS_FUZZ_CASES says how many are tried (3,000 by default); KS_FUZZ_SEED which ones.
"""

import asyncio
import os
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
import yaml

from harness.gateway import SECRET, GatewayUnderTest
from harness.hostile import grammatical, mutated
from harness.recorder import recorder
from harness.waiting import eventually

CASES = int(os.environ.get("KS_FUZZ_CASES", "3000"))
SEED = int(os.environ.get("KS_FUZZ_SEED", "4"))
CLIENTS = 48
PATIENCE = 0.1
"""Seconds that a client waits for an answer: to half a request, there is none."""


async def attack(gateway: GatewayUnderTest, data: bytes, *, ends: bool) -> None:
    """Sends `data`, says that nothing more comes or waits, and leaves."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.service.port)
    try:
        writer.write(data)
        if ends:
            writer.write_eof()
        async with asyncio.timeout(20 if ends else PATIENCE):
            while await reader.read(65536):
                pass
    except TimeoutError:
        assert not ends, f"no end after {data!r}"
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


async def client(gateway: GatewayUnderTest, numbers: range) -> None:
    for number in numbers:
        chance = Random(SEED * 1_000_003 + number)
        path = b"/open/%d" % number
        data = (grammatical if number % 2 else mutated)(chance, path)
        await attack(gateway, data, ends=chance.random() < 0.5)


@pytest.mark.timeout(max(180, CASES // 20))
async def test_no_bytes_break_the_gateway_or_come_through_as_something_else(
    start_gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.yaml"
    routes = [{"path": "/open", "upstream": "apiserver", "authenticate": "none"}]
    file.write_text(yaml.safe_dump({"routes": routes}))
    clients = {"idleTimeout": "5s", "headerTimeout": "5s", "bodyTimeout": "5s"}
    async with (
        recorder(SECRET) as upstream,
        start_gateway(
            routesFile=str(file), upstreams={"apiserver": upstream.url}, clients=clients
        ) as gateway,
    ):
        await asyncio.gather(*(client(gateway, range(n, CASES, CLIENTS)) for n in range(CLIENTS)))
        assert not upstream.wrong, "\n".join(upstream.wrong[:50])
        assert upstream.requests > CASES // 100, "some of them are good"
        before = upstream.requests
        for _ in range(10):
            assert (await gateway.get("/open/x")).status == 200
        assert upstream.requests == before + 10

        async def nobody_is_left() -> None:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{gateway.ops_url}/metrics") as answer,
            ):
                assert "\ngateway_client_connections 0.0\n" in await answer.text()

        await eventually(nobody_is_left, timeout=60)
        assert not gateway.failures
        assert "Traceback" not in gateway.service.log
