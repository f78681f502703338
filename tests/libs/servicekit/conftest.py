"""Fixtures of the servicekit tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from harness.small_service import Client, serving
from servicekit.group import Group

Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves groups until the test ends: `client = await serve(group, max_body=1024)`."""
    async with AsyncExitStack() as stack:

        async def start(*groups: Group, **options: Any) -> Client:
            return await stack.enter_async_context(serving(*groups, **options))

        yield start
