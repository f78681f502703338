"""A limit on how long something takes, which costs nothing where it does not wait at all."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class DeadlineExceeded(Exception):
    """It took too long."""


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Cancels it and raises DeadlineExceeded once it has waited for longer than `seconds`.

    Most requests are answered from memory. `work` is begun before there is a timer, and if it never waits
    there will be none.
    """
    try:
        first = work.send(None)
    except StopIteration as finished:
        return finished.value
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await _Rest(work, first)
    except TimeoutError:
        if limit.expired():
            raise DeadlineExceeded from None
        raise  # one of the work's own


class _Rest:
    """What is left of a coroutine that waits for `first`, which nobody has been told yet."""

    def __init__(self, work: Coroutine[Any, Any, T], first: Any) -> None:
        self._work = work
        self._first = first

    def __await__(self) -> Generator[Any, Any, Any]:
        waited_for = self._first
        try:
            while True:
                try:
                    given = yield waited_for
                except BaseException as error:  # a cancellation, most often: it is the work's to meet
                    waited_for = self._work.throw(error)
                else:
                    waited_for = self._work.send(given)
        except StopIteration as finished:
            return finished.value
