"""Waiting for what becomes true in its own time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def eventually(
    assertion: Callable[[], Awaitable[T] | T],
    timeout: float = 10,  # noqa: ASYNC109 - it ends the polling, never a call under way
    interval: float = 0.05,
) -> T:
    """Calls `assertion` (plain or async) until it holds, and gives what it returned.

    It does not hold yet while it raises AssertionError, or LookupError for a part of an answer that is not
    there yet. After `timeout` seconds the last of these is raised. Other exceptions are raised at once.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        try:
            outcome = assertion()
            return cast(T, await outcome if inspect.isawaitable(outcome) else outcome)
        except (AssertionError, LookupError) as failed:
            if asyncio.get_running_loop().time() >= deadline:
                failed.add_note(f"still so after {timeout} seconds")
                raise
        await asyncio.sleep(interval)
