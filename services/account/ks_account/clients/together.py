"""Questions that are asked at the same moment, asked as one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """Gathers what is asked within a turn of the event loop, since a back end answers many questions with
    little more work than one.
    """

    def __init__(self, ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        """`ask` gives the answers in the order of its questions."""
        self._ask = ask
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """The answer. Raises what asking raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._begin)
        self._waiting.append((question, answer))
        return await answer

    def _begin(self) -> None:
        gathered, self._waiting = self._waiting, []
        task = asyncio.create_task(self._answer(gathered))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, gathered: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            found = await self._ask([question for question, _ in gathered])
        except Exception as error:
            for _, answer in gathered:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), each in zip(gathered, found, strict=True):
            if not answer.done():  # who asked may have gone
                answer.set_result(each)
