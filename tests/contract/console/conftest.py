"""ks-console alone, as a real process; a stand-in is its gateway (see harness.console for why)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.console import Browser, FakeGateway, running_gateway
from harness.services import RunningService, running_service

PAGE = """<!doctype html><html><head><title>__TITLE__</title><meta property="csp-nonce" nonce="__NONCE__">
<script type="module" src="/assets/index-abc.js"></script></head></html>"""


@pytest_asyncio.fixture(scope="session")
async def shared_gateway() -> AsyncIterator[FakeGateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shape of a built application: the server does not care what is in it."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index-abc.js").write_text("plain")
    (folder / "assets" / "index-abc.js.br").write_bytes(b"brotli")
    (folder / "assets" / "index-abc.js.gz").write_bytes(b"gzip")
    (folder / "assets" / "font-abc.woff2").write_bytes(b"font")
    return folder


@pytest_asyncio.fixture(scope="session")
async def console(
    shared_gateway: FakeGateway, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    config = {
        "console": {
            "gatewayURL": shared_gateway.url,
            "timeout": "1s",
            "trustedProxies": ["127.0.0.0/8"],
            "staticDir": str(built),
            "title": "A & <B>",
            "loginDelay": "10ms",
            "links": [{"title": "Handbook", "url": "https://handbook.example"}],
        },
        "server": {"checkInterval": "100ms"},
    }
    async with running_service("ks-console", config, tmp_path_factory.mktemp("console")) as service:
        yield service


@pytest_asyncio.fixture
async def gateway(shared_gateway: FakeGateway) -> FakeGateway:
    """As it was at the start."""
    shared_gateway.reset()
    return shared_gateway


@pytest_asyncio.fixture
async def browser(console: RunningService, gateway: FakeGateway) -> AsyncIterator[Browser]:
    browser = Browser(console.url)
    yield browser
    await browser.close()
