"""Is told by Redis, at once, that a session has changed.

The server side of it is `CLIENT TRACKING ... BCAST` (Redis 6; https://redis.io/docs/latest/develop/reference/
client-side-caching/): one connection hears of every key below a prefix that is written, deleted or has
expired. What a connection hears is in order, so the answer to a PING proves that nothing from before it is
still under way. Each answered PING is therefore good for a lease; without one, nobody may rely on having
been told.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic

from redis.asyncio import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from servicekit.sections import RedisConfig

log = logging.getLogger(__name__)

PREFIX = "kubesphere:users:"
"""Of the keys of sessions."""
RENEWALS = 3
"""PINGs within one lease, so that one that is late costs nothing."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
"""Seconds between two attempts to be told."""


class Tracking:
    """Follows the keys of sessions. `lease` is until when, by the monotonic clock, nothing can have been
    missed that happened more than the lease's length ago; 0 while Redis tells nothing.
    """

    def __init__(self, config: RedisConfig, length: float, changed: Callable[[bytes | None], None]) -> None:
        """`length` of the lease in seconds. `changed` takes the key that changed, or None when any of them
        may have: after a time in which nothing was told.
        """
        self.lease = 0.0
        self._config = config
        self._length = length
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._answered = asyncio.Event()
        self._problem = ""

    def start(self) -> None:
        """Begins to follow, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="session tracking")

    async def stop(self) -> None:
        """Ends it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            connection = self._connection()
            try:
                await self._begin(connection)
                pause = _FIRST_PAUSE
                await self._follow(connection)
            except Exception as error:  # whatever it is: sessions are asked for again, and it is tried again
                self._report(str(error) or type(error).__name__)
            finally:
                self.lease = 0.0
                await connection.disconnect(nowait=True)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _connection(self) -> Connection:
        config = self._config
        return (SSLConnection if config.tls else Connection)(
            host=config.host,
            port=config.port,
            db=config.db,
            password=config.password.get_secret_value() or None,
            protocol=3,
            socket_timeout=config.timeout,
            socket_connect_timeout=config.timeout,
            retry=Retry(NoBackoff(), 0),
        )

    async def _begin(self, connection: Connection) -> None:
        await connection.connect()
        # redis-py has no public way to this in asyncio; its own cache for threads does the same.
        connection._parser.set_invalidation_push_handler(self._invalidated)  # pyright: ignore # noqa: SLF001
        await connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", PREFIX)
        await connection.read_response()
        # Whatever was believed until here may have changed unheard.
        self._changed(None)

    async def _follow(self, connection: Connection) -> None:
        self._answered.clear()
        tasks = (
            asyncio.create_task(self._listen(connection)),
            asyncio.create_task(self._renew(connection)),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, connection: Connection) -> None:
        while True:
            # Pushes go to `_invalidated` and come back as None.
            answer = await connection.read_response(timeout=math.inf, push_request=True)
            if answer in (b"PONG", "PONG"):
                self.lease = self._asked + self._length
                self._answered.set()
                self._report("")

    async def _renew(self, connection: Connection) -> None:
        while connection.is_connected:
            self._asked = monotonic()
            await connection.send_command("PING", check_health=False)
            async with asyncio.timeout(self._config.timeout):
                await self._answered.wait()
            self._answered.clear()
            await asyncio.sleep(self._length / RENEWALS)

    async def _invalidated(self, message: list[list[bytes] | None]) -> None:
        """`message` is `invalidate` and keys, or null after FLUSHALL."""
        keys = message[1]
        for key in (None,) if keys is None else keys:
            self._changed(key)

    def _report(self, problem: str) -> None:
        """Logs what is new."""
        if problem and problem != self._problem:
            log.warning("Redis does not tell of sessions that end; each is asked for instead: %s", problem)
        elif self._problem and not problem:
            log.info("Redis tells of sessions that end again")
        self._problem = problem
