"""A work queue that never holds an item twice, nor gives it to two workers at once.

Semantics are those of client-go's workqueue (https://pkg.go.dev/k8s.io/client-go/util/workqueue): an item
added while it waits is the same item; added while it is processed, it comes once more after `done`.
Failures back off by item, and all retries together pass one token bucket.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Generic, TypeVar

from kubekit import metrics
from kubekit.ratelimit import RateLimiter

K = TypeVar("K", bound=Hashable)


class QueueClosed(Exception):
    """The queue was shut down, and has nothing left to give."""


class QueueFull(Exception):
    """The queue holds as many items as it may; the new one was not taken."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How a queue slows down. The n-th retry of an item waits `base * 2**n` seconds, at most `cap`.

    All retries together pass at `rate` a second with `burst` at once. `items` bounds what waits.
    """

    base: float = 0.005
    cap: float = 1000
    rate: float = 10
    burst: int = 100
    items: int = 100_000


@dataclass(frozen=True, slots=True)
class QueueView(Generic[K]):
    """What a queue holds at a moment: how many items, and the first of each sort. Times are in seconds."""

    depth: int
    processing: int
    delayed: int
    ready_items: list[K]
    processing_items: list[tuple[K, float]]
    """With how long."""
    delayed_items: list[tuple[K, float, int]]
    """With when they are due, and how often they failed; the soonest first."""


class WorkQueue(Generic[K]):
    """Hands each item to one worker at a time. To be used from the event loop's thread only."""

    def __init__(self, name: str, limits: QueueLimits | None = None) -> None:
        self.name = name
        self._limits = limits or QueueLimits()
        self._bucket = RateLimiter(self._limits.rate, self._limits.burst)
        self._ready: deque[K] = deque()
        self._dirty: dict[K, float] = {}
        self._processing: dict[K, float] = {}
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False
        self._finished = asyncio.Event()
        self._metrics = metrics.QueueMetrics(name)
        metrics.UNFINISHED_SECONDS.labels(name).set_function(lambda: sum(self._ages()))
        metrics.LONGEST_SECONDS.labels(name).set_function(lambda: max(self._ages(), default=0))

    def __len__(self) -> int:
        """Items ready for a worker; the delayed and those being processed are not counted."""
        return len(self._ready)

    @property
    def waiting(self) -> int:
        """Items ready or delayed."""
        return len(self._dirty.keys() | self._due.keys())

    def view(self, limit: int) -> QueueView[K]:
        """What it holds, with at most `limit` items of each sort."""
        now = monotonic()
        soonest = heapq.nsmallest(limit, self._due.items(), key=lambda entry: entry[1])
        return QueueView(
            depth=len(self._ready),
            processing=len(self._processing),
            delayed=len(self._due),
            ready_items=list(islice(self._ready, limit)),
            processing_items=[(item, now - at) for item, at in islice(self._processing.items(), limit)],
            delayed_items=[(item, max(0.0, at - now), self.retries(item)) for item, at in soonest],
        )

    def add(self, item: K) -> None:
        """Adds an item, unless it waits already. Raises QueueFull. After shut_down nothing is taken."""
        if self._closed or item in self._dirty:
            return
        self._admit(item)
        self._dirty[item] = monotonic()
        self._metrics.adds.inc()
        if item not in self._processing:
            self._enqueue(item)

    def add_after(self, item: K, seconds: float) -> None:
        """Adds an item in `seconds`, or at the earlier time it is due already. Raises QueueFull."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(item)
            return
        at = monotonic() + seconds
        if self._due.get(item, at + 1) <= at:
            return
        self._admit(item)
        self._due[item] = at
        self._count += 1
        heapq.heappush(self._delayed, (at, self._count, item))
        self._arm()

    def add_rate_limited(self, item: K) -> None:
        """Adds an item that failed, after as long as its failures and the retries of all others say."""
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        delay = min(self._limits.cap, self._limits.base * 2 ** min(failures, 60))
        self._metrics.retries.inc()
        self.add_after(item, max(delay, self._bucket.reserve()))

    def retries(self, item: K) -> int:
        """How often an item was added by add_rate_limited since it was last forgotten."""
        return self._failures.get(item, 0)

    def forget(self, item: K) -> None:
        """Lets the item start from the shortest delay again: it succeeded, or is no more."""
        self._failures.pop(item, None)

    async def get(self) -> K:
        """The next item, once there is one; call `done` with it afterwards. Raises QueueClosed."""
        while not self._ready:
            if self._closed:
                raise QueueClosed(self.name)
            await self._wait()
        item = self._ready.popleft()
        now = monotonic()
        self._metrics.waited.observe(now - self._dirty.pop(item))
        self._metrics.depth.set(len(self._ready))
        self._processing[item] = now
        return item

    def done(self, item: K) -> None:
        """Says that the item is no longer worked on. If it was added meanwhile, it is ready again."""
        self._metrics.worked.observe(monotonic() - self._processing.pop(item))
        if item in self._dirty:
            self._enqueue(item)
        self._check_finished()

    async def shut_down(self, drain: bool = False) -> None:
        """Takes no more items, and waits for those under way; with `drain`, for those ready too."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._delayed.clear()
        self._due.clear()
        if not drain:
            self._ready.clear()
            self._dirty.clear()
        self._wake(len(self._waiters))
        self._check_finished()
        await self._finished.wait()

    def _check_finished(self) -> None:
        if self._closed and not self._ready and not self._processing:
            self._finished.set()

    def _ages(self) -> list[float]:
        now = monotonic()
        return [now - at for at in list(self._processing.values())]

    def _admit(self, item: K) -> None:
        if item in self._dirty or item in self._due:
            return
        # The sum counts what is in both twice, and is got at no cost.
        if len(self._dirty) + len(self._due) >= self._limits.items <= self.waiting:
            raise QueueFull(f"work queue {self.name} holds {self._limits.items} items already")

    def _enqueue(self, item: K) -> None:
        self._ready.append(item)
        self._metrics.depth.set(len(self._ready))
        self._wake(1)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._delayed:
            delay = max(0.0, self._delayed[0][0] - monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._release)

    def _release(self) -> None:
        now = monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            at, _, item = heapq.heappop(self._delayed)
            # An earlier time for the same item has overtaken this entry when the two differ.
            if self._due.get(item) == at:
                del self._due[item]
                self.add(item)
        self._arm()

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiters.remove(waiter)
            else:
                self._wake(1)
            raise

    def _wake(self, count: int) -> None:
        while self._waiters and count:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
