"""How long a request may take, and that nothing is set up for one that does not wait."""

import asyncio

import pytest

from servicekit.deadline import DeadlineExceeded, within


async def test_what_never_waits_is_given_no_timer(monkeypatch):
    async def answer():
        return "at once"

    monkeypatch.setattr(asyncio.get_running_loop(), "call_at", None)  # whoever set one would fail
    assert await within(60, answer()) == "at once"


async def test_what_waits_gets_what_it_waited_for():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, "first")

    async def answer():
        found = [await future]
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await asyncio.sleep(0.01)
        return [*found, asyncio.current_task()]

    assert await within(60, answer()) == ["first", asyncio.current_task()]


async def test_what_takes_too_long_is_cancelled():
    ended = []

    async def hang():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    with pytest.raises(DeadlineExceeded):
        await within(0.01, hang())
    assert ended == [True]


async def test_a_failure_comes_through_wherever_it_happens():
    async def fail(wait):
        if wait:
            await asyncio.sleep(0.01)
        raise TimeoutError("its own")

    for wait in (False, True):
        with pytest.raises(TimeoutError, match="its own"):
            await within(60, fail(wait))


async def test_a_failure_of_what_it_first_waits_for_is_its_own_to_meet():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_exception, ValueError("broken"))

    async def mend():
        try:
            await future
        except ValueError:
            await asyncio.sleep(0)
            return "mended"

    assert await within(60, mend()) == "mended"


async def test_who_is_cancelled_from_outside_is_not_late():
    began, met = asyncio.Event(), []

    async def hang():
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            met.append(True)
            raise

    task = asyncio.create_task(within(60, hang()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert met == [True]
