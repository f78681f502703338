"""Programs of the library that run in containers: the health probe, and the default backend."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import aiohttp
import pytest

from devstack.ports import LOOPBACK, free_port
from harness.waiting import eventually


async def probe(url: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "servicekit.probe", url, stdout=PIPE, stderr=PIPE
    )
    _, err = await process.communicate()
    return process.returncode or 0, err.decode()


@pytest.fixture
async def backend() -> AsyncIterator[str]:
    """The address of a default backend."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "servicekit.default_backend", str(port)
    )
    url = f"http://{LOOPBACK}:{port}"

    async def healthy() -> None:
        code, err = await probe(f"{url}/healthz")
        assert code == 0, err

    try:
        await eventually(healthy, timeout=60)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_default_backend_serves_nothing_but_its_health(backend: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path, status in (("/healthz", 200), ("/", 404), ("/some/page", 404)):
            async with session.get(backend + path) as answer:
                assert answer.status == status
                assert answer.content_type == "text/plain"
        async with session.head(backend) as answer:
            assert answer.status == 404


async def test_the_probe_says_what_is_wrong(backend: str) -> None:
    assert await probe(f"{backend}/healthz") == (0, "")
    code, err = await probe(f"{backend}/readyz")
    assert code == 1
    assert f"{backend}/readyz answers 404: default backend" in err
    code, err = await probe(f"http://{LOOPBACK}:{free_port()}/healthz")
    assert code == 1
    assert "does not answer" in err
