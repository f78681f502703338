"""Redis: the tokens that are in force, the log of logins, and the failed attempts.

`keyspace` tells what is where. What has to be decided and done at once is a script, so that it stays right
with any number of replicas.
"""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from ks_account.clients import keyspace, scripts
from ks_account.clients.together import Together
from servicekit.errors import Conflict, Unavailable
from servicekit.sections import RedisConfig

_CHANGES_KEPT = 200
_NO_NOTICES = MaintNotificationsConfig(enabled=False)
"""Notices of maintenance come from Redis Enterprise alone, and while they may, redis-py does not look whether
a connection that it kept was closed meanwhile: after a restart, each of them would fail one request."""
LOG_LENGTH = 10
_LOCKING = _CREATING = 600
"""Seconds; longer than any request may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many failed attempts are borne within `window` seconds: of one user from one address, of one user
    from addresses that the user never signed in from, and from one address in all.
    """

    window: float
    per_user_and_address: int
    per_user: int
    per_address: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at `address` tries to be `user`. `origin` is what is counted: the address, or its IPv6
    network.
    """

    user: str
    address: str
    origin: str


@dataclass(frozen=True, slots=True)
class Session:
    """A token that comes into force at `now` for `lifetime` seconds."""

    user: str
    token: str
    now: float
    lifetime: float

    @property
    def milliseconds(self) -> int:
        """The lifetime as Redis takes it."""
        return int(self.lifetime * 1000)


@dataclass(frozen=True, slots=True)
class Grant:
    """The refresh token, by its identifier, that a family of tokens goes on with until `ends` (Unix time)."""

    family: str
    refresh: str
    ends: int

    def left(self, now: float) -> int:
        """Milliseconds until it ends."""
        return int((self.ends - now) * 1000)


class Sessions:
    """What the service keeps in Redis. Every method raises Unavailable when Redis does not answer."""

    name = "redis"

    def __init__(self, config: RedisConfig, wait: float) -> None:
        """`wait`: seconds that a request waits for a connection when all are in use."""
        pool = BlockingConnectionPool(
            connection_class=SSLConnection if config.tls else Connection,
            host=config.host,
            port=config.port,
            db=config.db,
            password=config.password.get_secret_value() or None,
            max_connections=config.pool,
            timeout=wait,
            socket_connect_timeout=config.timeout,
            socket_timeout=config.timeout,
            health_check_interval=30,
            decode_responses=True,
            maint_notifications_config=_NO_NOTICES,
        )
        self._config = config
        self.redis: Redis = Redis.from_pool(pool)
        self._last_logins = Together(self.last_logins)
        self._scripts = {name: self.redis.register_script(text) for name, text in scripts.ALL.items()}

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def check(self) -> None:
        """Raise Unavailable, with the reason, when Redis does not answer."""
        if not self._config.enabled:
            raise Unavailable("redis", "redis.host is not set")
        async with available():
            await self.redis.ping()

    async def close(self) -> None:
        await self.redis.aclose()

    async def refused_for(self, attempt: Attempt, limits: Limits) -> float:
        """Seconds until `attempt` may be made; 0 when it may be made now."""
        waiting = await self.script("admit", _attempt_keys(attempt), _attempt_arguments(attempt, limits))
        return waiting / 1000

    async def count_failure(self, attempt: Attempt, limits: Limits) -> float:
        """Count a wrong password, unless too many came meanwhile: then it gives the seconds to wait, else 0.

        The window begins with its first failure, and no later one makes it longer.
        """
        waiting = await self.script("fail", _attempt_keys(attempt), _attempt_arguments(attempt, limits))
        return waiting / 1000

    async def forgive(self, user: str) -> None:
        """Forget the failed attempts to be `user`."""
        async with available():
            await self.redis.delete(keyspace.failures(user))

    async def begin(
        self,
        attempt: Attempt,
        limits: Limits,
        session: Session,
        *,
        most: int,
        log: str | None,
        grant: Grant | None = None,
    ) -> float | None:
        """Begin a session after a right password, unless too many wrong ones came meanwhile.

        `most` is how many sessions the user may have, of which the oldest end; with one, other grants end
        too. `log` is a line for the log of logins. Gives 0, or the seconds until the attempt may be made
        again, or None when the user was locked meanwhile.
        """
        user, token = session.user, session.token
        keys = [
            *_attempt_keys(attempt),
            keyspace.sessions(user),
            keyspace.token(user, token),
            keyspace.grants(user),
            keyspace.locked(user),
        ]
        rest = [
            token,
            session.milliseconds,
            most,
            session.now,
            log or "",
            keyspace.token(user, ""),
            LOG_LENGTH,
        ]
        granted = (
            [grant.family, grant.refresh, grant.ends, grant.left(session.now)] if grant else ["", "", 0, 0]
        )
        waiting = await self.script("begin", keys, [*_attempt_arguments(attempt, limits), *rest, *granted])
        return None if waiting < 0 else waiting / 1000

    async def refresh(self, session: Session, presented: str, grant: Grant, *, most: int) -> bool | None:
        """Begin a session with a refresh token, which is used up by that and followed by the one of `grant`.

        `presented` is the identifier of that token. Gives True when done, None when the family has no grant
        any more, and False when the token was used before: then the family has none from now on.
        """
        user = session.user
        keys = [
            keyspace.sessions(user),
            keyspace.token(user, session.token),
            keyspace.grants(user),
            keyspace.locked(user),
        ]
        arguments = [session.token, session.milliseconds, most, session.now, keyspace.token(user, "")]
        granted = [grant.family, presented, grant.refresh, grant.ends, grant.left(session.now)]
        return {1: True, 0: None, -1: False}[await self.script("refresh", keys, [*arguments, *granted])]

    async def tokens(self, user: str) -> list[str]:
        """The tokens of a user that may be in force."""
        async with available():
            return [str(token) for token in await self.redis.zrange(keyspace.sessions(user), 0, -1)]

    async def is_live(self, user: str, token: str) -> bool:
        """Whether the token is in force."""
        async with available():
            return bool(await self.redis.exists(keyspace.token(user, token)))

    async def end(self, user: str, token: str, family: str = "") -> None:
        """End one session, and the grant of its family."""
        async with available(), self.redis.pipeline(transaction=True) as pipe:
            pipe.delete(keyspace.token(user, token))
            pipe.zrem(keyspace.sessions(user), token)
            pipe.hdel(keyspace.grants(user), family)
            await pipe.execute()

    async def end_all(self, user: str) -> int:
        """End every session, refresh token and API token of a user; gives how many keys that took away."""
        keys = [
            keyspace.sessions(user),
            keyspace.grants(user),
            keyspace.api_tokens(user),
            keyspace.api_tokens_used(user),
        ]
        return int(await self.script("end_all", keys, [keyspace.token(user, "")]))

    async def lock(self, user: str) -> None:
        """End all that a user has, and what is beginning at this moment."""
        async with available():
            await self.redis.set(keyspace.locked(user), "1", ex=_LOCKING)
        await self.end_all(user)

    async def unlock(self, user: str) -> None:
        """Let sessions begin again."""
        async with available():
            await self.redis.delete(keyspace.locked(user))

    async def adopt(self) -> int:
        """File the sessions that v2.1.1 began, once, so that they can be ended like others.

        Gives their number. This goes through the key space, in steps, and never again once it is done.
        """
        async with available():
            if await self.redis.exists(keyspace.ADOPTED):
                return 0
            found = 0
            async for key in self.redis.scan_iter(match=keyspace.token("*", "*"), count=1000):
                user, _, token = key.removeprefix(f"{keyspace.USERS}:").partition(":token:")
                await self.redis.zadd(keyspace.sessions(user), {token: 0}, nx=True)
                found += 1
            await self.redis.set(keyspace.ADOPTED, "1")
            return found

    async def login_log(self, user: str) -> list[str]:
        """The last ten logins as `time,address`, the oldest first."""
        async with available():
            return await self.redis.lrange(keyspace.login_log(user), -LOG_LENGTH, -1)  # type: ignore[misc]

    async def last_logins(self, users: Sequence[str]) -> list[str]:
        """The time of the last login of each of `users`, "" for those who never signed in."""
        if not users:
            return []
        lines = await self.script("last_logins", [keyspace.login_log(user) for user in users], [])
        return [line.partition(",")[0] for line in lines]

    async def last_login(self, user: str) -> str:
        """The time of the last login of a user, "" for one who never signed in."""
        return await self._last_logins.ask(user)

    async def note_change(self, user: str) -> None:
        """Tell all replicas that the entry of a user changed."""
        async with available(), self.redis.pipeline(transaction=True) as pipe:
            pipe.incr(keyspace.CHANGE)
            pipe.lpush(keyspace.CHANGED, user)
            pipe.ltrim(keyspace.CHANGED, 0, _CHANGES_KEPT - 1)
            await pipe.execute()

    async def changes_since(self, change: int) -> tuple[int, list[str] | None]:
        """The number of the last change, and the users of those after the one of number `change`; None
        instead of these when they are no longer known.
        """
        async with available():
            if int(await self.redis.get(keyspace.CHANGE) or 0) == change:
                return change, []
            async with self.redis.pipeline(transaction=True) as pipe:
                pipe.get(keyspace.CHANGE)
                pipe.lrange(keyspace.CHANGED, 0, -1)
                last, users = await pipe.execute()
        count = int(last or 0) - change
        return int(last or 0), users[:count] if 0 <= count <= len(users) else None

    async def forget(self, user: str) -> int:
        """Forget what is kept of a user beside sessions; gives how many keys that took away."""
        async with available():
            return int(await self.redis.delete(keyspace.login_log(user), keyspace.failures(user)))

    async def begin_creation(self, user: str) -> None:
        """Note that a user is being made, who is not whole until `end_creation`."""
        async with available():
            await self.redis.set(keyspace.creating(user), "1", ex=_CREATING)

    async def end_creation(self, user: str) -> None:
        """The user is whole, or gone."""
        async with available():
            await self.redis.delete(keyspace.creating(user))

    async def was_creation_cut_off(self, user: str) -> bool:
        """Whether a creation began lately and did not end; for who holds the claim to the name."""
        async with available():
            return bool(await self.redis.exists(keyspace.creating(user)))

    async def next_uid_number(self, at_least: int) -> int:
        """A number above `at_least` and all that were given before."""
        return int(await self.script("next_number", [keyspace.UID_NUMBER], [at_least]))

    async def last_uid_number(self) -> int | None:
        """The last number given, None when none is known."""
        async with available():
            value = await self.redis.get(keyspace.UID_NUMBER)
        return None if value is None else int(value)

    @asynccontextmanager
    async def claim(self, what: str, seconds: float, *, wait: float = 0) -> AsyncIterator[None]:
        """Hold a name while it is being changed.

        Raises Conflict when somebody else holds it and does not let it go within `wait` seconds. It is let go
        after `seconds`, should this process end before it does.
        """
        key = keyspace.claim(what)
        mine = secrets.token_hex(8)
        async with available():
            until = time.monotonic() + wait
            while not await self.redis.set(key, mine, nx=True, px=int(seconds * 1000)):
                if time.monotonic() >= until:
                    raise Conflict(f"{what} is being changed by another request; try again")
                await asyncio.sleep(random.uniform(0.01, 0.1))  # noqa: S311
        try:
            yield
        finally:
            with suppress(Unavailable):  # it is let go by itself, and what was done is done
                await self.script("release", [key], [mine])

    async def script(self, name: str, keys: Sequence[str], arguments: Sequence[str | float]) -> Any:
        """Run a script of `scripts`."""
        async with available():
            return await self._scripts[name](keys=keys, args=arguments)


@asynccontextmanager
async def available() -> AsyncIterator[None]:
    """Turn what goes wrong with Redis into Unavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("redis", " ".join(str(error).split()) or type(error).__name__) from error


def _attempt_keys(attempt: Attempt) -> list[str]:
    return [
        keyspace.failures(attempt.user),
        keyspace.failures_from(attempt.origin),
        keyspace.login_log(attempt.user),
    ]


def _attempt_arguments(attempt: Attempt, limits: Limits) -> list[str | float]:
    counts = (limits.per_user_and_address, limits.per_user, limits.per_address)
    return [attempt.origin, attempt.address, *counts, int(limits.window * 1000)]
