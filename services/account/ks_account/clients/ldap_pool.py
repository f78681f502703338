"""A bounded pool of LDAP connections, each used by one worker thread at a time.

ldap3 blocks, so its calls run in threads. At most `size` of them run at once; a caller who finds all of
them busy waits `wait` seconds and is then answered 503, so that a slow directory cannot pile up work.
Whatever goes wrong between us and the server is `Unavailable("ldap", ...)`: an outage is never taken for a
wrong password.
"""

import asyncio
import collections
import select
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from ldap3 import Connection
from ldap3.core.exceptions import LDAPCommunicationError, LDAPException

from ks_account.clients.ldap_turns import Turns
from servicekit.errors import Unavailable

T = TypeVar("T")


class LdapPool:
    """Runs functions of a connection in threads, on connections that are kept and replaced when they break.

    `connect` makes a connection that is ready for use and raises LDAPException when it cannot; `server` is
    how errors call the other side.
    """

    def __init__(self, connect: Callable[[], Connection], *, size: int, wait: float, server: str) -> None:
        self._connect = connect
        self._server = server
        self._turns = Turns(size, wait)
        self._idle: collections.deque[Connection] = collections.deque()
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="ldap")

    async def run(self, work: Callable[[Connection], T], *, repeatable: bool) -> T:
        """Give what `work` gives for a connection.

        `repeatable` says that doing it twice does no harm: it is then tried once more on a new connection
        when one that was kept turns out to be broken. Raises Unavailable.
        """
        await self._turns.take()
        running = self._threads.submit(self._work, work, repeatable)
        # The slot is free when the thread is, not when the caller gives up.
        loop = asyncio.get_running_loop()
        running.add_done_callback(lambda done: self._release(loop, done))
        return await asyncio.shield(asyncio.wrap_future(running))

    async def close(self) -> None:
        """End the threads, once their work is done, and the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        while self._idle:
            _drop(self._idle.pop())

    def _release(self, loop: asyncio.AbstractEventLoop, done: "Future[Any]") -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._turns.give_back)

    def _work(self, work: Callable[[Connection], T], repeatable: bool) -> T:
        try:
            kept = self._take()
            if kept is None:
                return self._on(self._connect(), work)
            try:
                return self._on(kept, work)
            except LDAPCommunicationError:
                if not repeatable:
                    raise
                return self._on(self._connect(), work)
        except (LDAPException, OSError) as error:
            raise Unavailable("ldap", f"{self._server}: {_reason(error)}") from error

    def _on(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        try:
            result = work(connection)
        except BaseException:
            _drop(connection)
            raise
        self._idle.append(connection)
        return result

    def _take(self) -> Connection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if _is_quiet(connection):
                return connection
            _drop(connection)
        return None


def _is_quiet(connection: Connection) -> bool:
    """Whether the server is there and has said nothing: an idle connection becomes readable when it is
    closed.
    """
    if connection.closed or connection.socket is None:
        return False
    try:
        readable, _, _ = select.select([connection.socket], [], [], 0)
    except (OSError, ValueError):
        return False
    return not readable


def _drop(connection: Connection) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        pass


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
