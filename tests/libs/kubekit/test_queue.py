"""A work queue gives each item to one worker at a time, as often as it was needed and no more."""

import asyncio
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.waiting import eventually
from kubekit.queue import QueueClosed, QueueFull, QueueLimits, WorkQueue


def queue(**limits: float) -> WorkQueue[str]:
    return WorkQueue("test", QueueLimits(**limits))  # type: ignore[arg-type]


async def take(work: WorkQueue[str]) -> str:
    return await asyncio.wait_for(work.get(), 5)


async def test_an_item_added_twice_waits_once() -> None:
    work = queue()
    work.add("a")
    work.add("a")
    assert await take(work) == "a"
    assert len(work) == 0


async def test_an_item_added_while_processed_comes_once_more_and_only_afterwards() -> None:
    work = queue()
    work.add("a")
    await take(work)
    work.add("a")
    work.add("a")
    assert len(work) == 0
    work.done("a")
    assert await take(work) == "a"
    work.done("a")
    assert len(work) == 0


@given(st.lists(st.tuples(st.sampled_from(["add", "get", "done"]), st.sampled_from("abcd")), max_size=80))
def test_any_course_of_events_is_that_of_the_model(steps: list[tuple[str, str]]) -> None:
    """The model: an order of waiting items, those being processed, and those wanted again afterwards."""

    async def course() -> None:
        work = queue()
        waiting: deque[str] = deque()
        processing: set[str] = set()
        again: set[str] = set()
        for step, item in steps:
            if step == "add":
                work.add(item)
                if item in processing:
                    again.add(item)
                elif item not in waiting:
                    waiting.append(item)
            elif step == "get" and waiting:
                expected = waiting.popleft()
                assert await work.get() == expected
                processing.add(expected)
            elif step == "done" and item in processing:
                work.done(item)
                processing.discard(item)
                if item in again:
                    again.discard(item)
                    waiting.append(item)
            assert len(work) == len(waiting)

    asyncio.run(course())


async def test_no_item_is_lost_or_processed_twice_at_once_by_many_workers() -> None:
    work = queue()
    active: set[str] = set()
    seen: dict[str, int] = {}
    wanted: dict[str, int] = {}

    async def worker() -> None:
        while True:
            try:
                item = await work.get()
            except QueueClosed:
                return
            assert item not in active
            active.add(item)
            version = wanted[item]
            await asyncio.sleep(0)
            seen[item] = version
            active.discard(item)
            work.done(item)

    workers = [asyncio.create_task(worker()) for _ in range(7)]
    for number in range(2_000):
        item = f"item-{number % 13}"
        wanted[item] = number
        work.add(item)
        if number % 5 == 0:
            await asyncio.sleep(0)
    await work.shut_down(drain=True)
    await asyncio.gather(*workers)
    assert seen == wanted


async def test_a_delayed_item_comes_later_and_the_earliest_time_counts() -> None:
    work = queue()
    work.add_after("late", 0.2)
    work.add_after("late", 30)
    work.add_after("later", 60)
    work.add_after("later", 0.3)
    assert len(work) == 0
    assert [await take(work), await take(work)] == ["late", "later"]
    assert work.waiting == 0


async def test_failures_back_off_by_item_until_forgotten() -> None:
    work = queue(base=0.01, cap=0.04, rate=0)
    loop = asyncio.get_running_loop()
    for failures in range(5):
        started = loop.time()
        work.add_rate_limited("a")
        await take(work)
        work.done("a")
        assert loop.time() - started >= min(0.04, 0.01 * 2**failures) * 0.9
    assert work.retries("a") == 5
    assert work.retries("b") == 0
    work.forget("a")
    assert work.retries("a") == 0


async def test_retries_of_all_items_together_pass_one_bucket() -> None:
    work = queue(base=0, rate=1, burst=3)
    for item in "abcde":
        work.add_rate_limited(item)
    assert [await take(work) for _ in range(3)] == ["a", "b", "c"]
    assert len(work) == 0
    assert work.waiting == 2


async def test_a_full_queue_says_so_and_still_takes_what_it_holds() -> None:
    work = queue(items=2)
    work.add("a")
    work.add_after("b", 60)
    with pytest.raises(QueueFull, match="2 items"):
        work.add("c")
    work.add("a")
    work.add("b")
    await work.shut_down()


async def test_shutting_down_waits_for_what_is_processed_and_drops_the_rest() -> None:
    work = queue()
    work.add("a")
    work.add("b")
    await take(work)
    stopping = asyncio.create_task(work.shut_down())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    work.add("c")
    work.done("a")
    await asyncio.wait_for(stopping, 5)
    with pytest.raises(QueueClosed):
        await work.get()


async def test_shutting_down_wakes_idle_workers() -> None:
    work = queue()
    idle = [asyncio.create_task(work.get()) for _ in range(3)]
    await asyncio.sleep(0)
    await work.shut_down()
    for worker in idle:
        with pytest.raises(QueueClosed):
            await worker


async def test_a_cancelled_worker_passes_its_wake_up_on() -> None:
    work = queue()
    first, second = asyncio.create_task(work.get()), asyncio.create_task(work.get())
    await asyncio.sleep(0)
    work.add("a")
    first.cancel()
    assert await asyncio.wait_for(second, 5) == "a"

    def cancelled() -> None:
        assert first.cancelled()

    await eventually(cancelled)
