"""How many use an LDAP server at once, and how long the others wait."""

import asyncio

from servicekit.errors import Unavailable


class Turns:
    """A number of connections at once; who finds all of them busy waits, and is then answered 503, so that a
    slow directory cannot pile up work.
    """

    def __init__(self, size: int, wait: float) -> None:
        """`wait` is in seconds."""
        self._free = asyncio.Semaphore(size)
        self._size = size
        self._wait = wait

    async def take(self) -> None:
        """Wait for a turn, which is to be given back. Raises Unavailable."""
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            await asyncio.wait_for(self._free.acquire(), self._wait)
        except TimeoutError:
            raise Unavailable(
                "ldap", f"all {self._size} connections were busy for {self._wait:g} s"
            ) from None

    def give_back(self) -> None:
        """End a turn."""
        self._free.release()
