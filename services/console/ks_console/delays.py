"""Waiting before a wrong password is answered, the longer the more of them there were.

The limits of ks-account refuse who guesses for long; this makes guessing slow before that, and costs who
mistypes twice nothing.
"""

import asyncio
from collections import OrderedDict
from time import monotonic

FREE = 2
"""Wrong passwords that are answered at once."""
MOST = 8
"""Times the first delay, at most."""
FORGOTTEN = 600.0
"""Seconds after which an address begins anew."""
_REMEMBERED = 10_000
"""Addresses."""


class Delays:
    """Failures by address, in this process."""

    def __init__(self, first: float) -> None:
        """`first` delay in seconds; 0 for none."""
        self._first = first
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def failed(self, address: str) -> None:
        """Counts a failure from `address`, and waits as long as its answer should."""
        count = self._count(address) + 1
        self._failures[address] = count, monotonic()
        self._failures.move_to_end(address)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
        await asyncio.sleep(self.seconds(count))

    def succeeded(self, address: str) -> None:
        """Forgets the failures from `address`."""
        self._failures.pop(address, None)

    def seconds(self, failures: int) -> float:
        """How long the answer to the last of so many `failures` waits."""
        if failures <= FREE:
            return 0.0
        return self._first * min(2.0 ** min(failures - FREE - 1, 10), MOST)

    def _count(self, address: str) -> int:
        count, when = self._failures.get(address, (0, 0.0))
        return count if monotonic() - when < FORGOTTEN else 0
