"""ks-console alone, as a real process; a stand-in is its gateway (see harness.console for why)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.console import Browser, FakeGateway, running_gateway
from harness.services import RunningService, running_service


@pytest_asyncio.fixture(scope="session")
async def shared_gateway() -> AsyncIterator[FakeGateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest_asyncio.fixture(scope="session")
async def console(
    shared_gateway: FakeGateway, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    config = {
        "console": {"gatewayURL": shared_gateway.url, "timeout": "1s", "trustedProxies": ["127.0.0.0/8"]},
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
