"""All users, sorted, as the first page of their list needs them: kept, and read anew as they change.

Reading 10,000 users from a directory takes a second, so what was read is kept for `account.listKept`, and
serves on while it is read anew. Every replica hears of the users that another one makes, changes or deletes,
and reads these at once; what somebody else writes into the directory shows when the time is over.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence

from ks_account.clients.directory import Directory
from ks_account.clients.entries import UserEntry, equals
from ks_account.clients.sessions import Sessions
from servicekit.errors import Unavailable

_MOST = 100_000
"""Users that are kept; of more, none are."""
_TOO_OLD = 3
"""How many times `account.listKept` a list may be old, and serve while it is read anew."""

log = logging.getLogger(__name__)

ORDERS: dict[str, Callable[[UserEntry], tuple[str, ...]]] = {
    "username": lambda entry: (entry.username,),
    "createTime": lambda entry: (entry.created, entry.username),
}
"""What users can be sorted by."""


class Roster:
    """Lists all users without asking the directory each time."""

    def __init__(self, directory: Directory, sessions: Sessions, keep: float) -> None:
        """`keep`: seconds; 0 to read all of them each time."""
        self._directory = directory
        self._sessions = sessions
        self._keep = keep
        self._reading = asyncio.Lock()
        self._by_dn: dict[str, UserEntry] = {}
        self._sorted: dict[tuple[str, bool], list[UserEntry]] = {}
        self._change = 0
        self._read_at = -math.inf
        self._rereading: asyncio.Task[None] | None = None

    async def sorted(self, order: str, *, reverse: bool) -> Sequence[UserEntry]:
        """All users by one of ORDERS. Raises Unavailable."""
        async with self._reading:
            await self._update()
            found = self._sorted.get((order, reverse))
            if found is None:
                found = sorted(self._by_dn.values(), key=ORDERS[order], reverse=reverse)
                self._sorted[order, reverse] = found
            return found

    async def changed(self, username: str) -> None:
        """Have all replicas read a user anew."""
        await self._sessions.note_change(username)

    async def _update(self) -> None:
        change, changed = await self._sessions.changes_since(self._change)
        age = time.monotonic() - self._read_at
        if changed is None or age >= _TOO_OLD * self._keep or len(self._by_dn) > _MOST:
            self._take(await self._directory.users())
        elif changed:
            fresh = await self._directory.users(equals("uid", changed))
            names = set(changed)
            kept = (entry for entry in self._by_dn.values() if entry.username not in names)
            self._by_dn = {entry.dn: entry for entry in (*kept, *fresh)}
            self._sorted.clear()
        self._change = change
        if self._keep <= age < _TOO_OLD * self._keep and not self._is_rereading:
            self._rereading = asyncio.create_task(self._reread(), name="list of users")

    @property
    def _is_rereading(self) -> bool:
        return self._rereading is not None and not self._rereading.done()

    async def _reread(self) -> None:
        """Read all anew beside the requests. What changes meanwhile is read again after it."""
        change = self._change
        try:
            entries = await self._directory.users()
        except Unavailable as error:
            log.info("the list of users stays as it was: %s", error.message)
            return
        async with self._reading:
            self._take(entries)
            self._change = change

    def _take(self, entries: Iterable[UserEntry]) -> None:
        self._by_dn = {entry.dn: entry for entry in entries}
        self._read_at = time.monotonic()
        self._sorted.clear()
