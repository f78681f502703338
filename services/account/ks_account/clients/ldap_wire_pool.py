"""A bounded pool of LDAP connections for asyncio, for what every request asks.

Whatever goes wrong between us and the server is `Unavailable("ldap", ...)`: an outage is never taken for a
wrong password.
"""

import collections
from collections.abc import Awaitable, Callable, Sequence

from ks_account.clients.ldap_turns import Turns
from ks_account.clients.ldap_wire import Answer, LdapConnectionError, LdapConnectionLost, LdapWire
from servicekit.errors import Unavailable


class LdapWirePool:
    """Asks on connections that are kept, and replaced when they break.

    `dial` makes a connection that is ready for use and raises LdapConnectionError or OSError when it cannot;
    `server` is how errors call the other side.
    """

    def __init__(
        self, dial: Callable[[], Awaitable[LdapWire]], *, size: int, wait: float, server: str
    ) -> None:
        """`size` connections at once; a request waits `wait` seconds for one."""
        self._dial = dial
        self._server = server
        self._turns = Turns(size, wait)
        self._idle: collections.deque[LdapWire] = collections.deque()

    async def ask(self, *operations: bytes) -> list[Answer]:
        """What the server gives for each of some operations that may be done twice: searches, or a bind.

        They are tried once more on a new connection when one that was kept turns out to be broken. Raises
        Unavailable.
        """
        await self._turns.take()
        try:
            return await self._ask(operations)
        except (LdapConnectionError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Unavailable("ldap", f"{self._server}: {reason}") from error
        finally:
            self._turns.give_back()

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, operations: Sequence[bytes]) -> list[Answer]:
        kept = self._take()
        if kept is not None:
            try:
                return await self._on(kept, operations)
            except LdapConnectionLost:
                pass
        return await self._on(await self._dial(), operations)

    async def _on(self, wire: LdapWire, operations: Sequence[bytes]) -> list[Answer]:
        answers = await wire.ask(*operations)
        self._idle.append(wire)
        return answers

    def _take(self) -> LdapWire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open:
                return wire
        return None
