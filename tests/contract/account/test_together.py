"""Questions that are asked at the same moment go as one, and each has its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ks_account.clients.together import Together
from servicekit.errors import Unavailable


class Doubling:
    """Knows the double of numbers, once it is let."""

    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.fails = False

    async def ask(self, numbers: Sequence[int]) -> Sequence[int]:
        self.asked.append(numbers)
        self.was_asked.set()
        await self.may_answer.wait()
        if self.fails:
            raise Unavailable("redis", "it is down")
        return [2 * number for number in numbers]


async def test_what_is_asked_at_once_is_one_question_and_what_comes_later_another() -> None:
    doubling = Doubling()
    together = Together(doubling.ask)
    doubling.may_answer.set()
    assert await asyncio.gather(*(together.ask(number) for number in (1, 2, 2, 3))) == [2, 4, 4, 6]
    assert await together.ask(4) == 8
    assert doubling.asked == [[1, 2, 2, 3], [4]]


async def test_whoever_asked_hears_of_a_failure_and_the_next_ask_anew() -> None:
    doubling = Doubling()
    together = Together(doubling.ask)
    doubling.fails = True
    doubling.may_answer.set()
    failures = await asyncio.gather(together.ask(1), together.ask(2), return_exceptions=True)
    assert all(isinstance(each, Unavailable) for each in failures)
    doubling.fails = False
    assert await together.ask(3) == 6


async def test_who_goes_away_does_not_take_the_others_answers_along() -> None:
    doubling = Doubling()
    together = Together(doubling.ask)
    gone, stays = asyncio.create_task(together.ask(1)), asyncio.create_task(together.ask(2))
    await doubling.was_asked.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    doubling.may_answer.set()
    assert await stays == 4
