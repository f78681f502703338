"""Runs work in dependency order, side by side where nothing stands in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence


async def in_turn(needs: Mapping[str, Sequence[str]], work: Callable[[str], Awaitable[None]]) -> None:
    """`work(name)` for each name in `needs`, once it is done for all that the name needs.

    Needs that are no names of the mapping count as done; they must form no circle. Where one fails, what
    needs it is left out and the others go on to their end; then what it raised is raised, or an
    ExceptionGroup of all that failed.
    """
    tasks: dict[str, asyncio.Task[bool]] = {}
    failures: list[Exception] = []

    async def one(name: str) -> bool:
        for need in needs[name]:
            if need in tasks and not await asyncio.shield(tasks[need]):
                return False
        try:
            await work(name)
        except Exception as error:
            failures.append(error)
            return False
        return True

    for name in needs:
        tasks[name] = asyncio.create_task(one(name), name=name)
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup("several components failed", failures)
