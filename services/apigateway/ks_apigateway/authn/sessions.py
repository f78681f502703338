"""Sessions in Redis: a token counts only while its key is there.

The key is the original's, `kubesphere:users:{user}:token:{token}`, so that ks-account ends a session by
deleting it. What Redis said is believed for at most one second, so a busy token costs one question a
second and a revoked one is refused within that time. Without Redis nobody is let in.
"""

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ks_apigateway.authn.credential import unauthorized
from ks_apigateway.authn.token import Claims, TokenVerifier
from servicekit.errors import Unavailable
from servicekit.sections import RedisConfig

log = logging.getLogger(__name__)

REFRESH_BELOW = 0.9
"""A session's time to live is extended once less than this part of it is left: not on every request."""


@dataclass(slots=True)
class Session:
    """A token whose signature was verified. `confirmed` is when Redis last had it, by the monotonic clock."""

    claims: Claims
    confirmed: float


class Sessions:
    """Answers from memory where it may, else from Redis."""

    name = "redis"

    def __init__(
        self,
        config: RedisConfig,
        verifier: TokenVerifier,
        *,
        idle_timeout: float,
        leeway: float,
        believed: float = 1.0,
        capacity: int = 10_000,
    ) -> None:
        """`idle_timeout`: seconds without a request after which a login ends. `believed`: see the module."""
        self._verifier = verifier
        self._idle_milliseconds = int(idle_timeout * 1000)
        self._leeway = leeway
        self._believed = believed
        self._capacity = capacity
        self._sessions: dict[str, Session] = {}
        self._asking: dict[str, asyncio.Task[Claims]] = {}
        self._timeout = config.timeout
        self._redis = Redis(
            connection_pool=BlockingConnectionPool(
                max_connections=config.pool,
                timeout=config.timeout,
                connection_class=SSLConnection if config.tls else Connection,
                host=config.host,
                port=config.port,
                db=config.db,
                password=config.password.get_secret_value() or None,
                socket_timeout=config.timeout,
                socket_connect_timeout=config.timeout,
                retry=Retry(NoBackoff(), 1),
                retry_on_error=[RedisConnectionError],
            )
        )

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def check(self) -> None:
        """Raises Unavailable while Redis does not answer."""
        await self._reach(self._redis.ping())

    async def close(self) -> None:
        """Closes the connections to Redis."""
        for task in list(self._asking.values()):
            task.cancel()
        await self._redis.aclose()

    def known(self, token: str) -> Claims | None:
        """Who `token` belongs to, if Redis has confirmed it just now; None where it must be asked."""
        session = self._sessions.get(token)
        if session is None or monotonic() - session.confirmed >= self._believed:
            return None
        session.claims.check_time(self._leeway)
        return session.claims

    async def ask(self, token: str) -> Claims:
        """Who `token` belongs to, from Redis. Raises Unauthorized, or Unavailable while Redis is down.

        Requests that ask for the same token at the same time share one question.
        """
        asking = self._asking.get(token)
        if asking is None:
            session = self._sessions.get(token)
            claims = session.claims if session is not None else self._verifier.verify(token)
            claims.check_time(self._leeway)
            asking = asyncio.create_task(self._confirm(token, claims))
            self._asking[token] = asking
            asking.add_done_callback(lambda task: self._answered(token, task))
        return await asyncio.shield(asking)

    def _answered(self, token: str, task: "asyncio.Task[Claims]") -> None:
        self._asking.pop(token, None)
        if not task.cancelled():
            task.exception()

    async def _confirm(self, token: str, claims: Claims) -> Claims:
        asked = monotonic()
        key = f"kubesphere:users:{claims.user}:token:{token}"
        left = int(await self._reach(self._redis.pttl(key)))
        if left == -2:
            self._sessions.pop(token, None)
            raise unauthorized("illegal token")
        if claims.expires is None and left < self._idle_milliseconds * REFRESH_BELOW:
            await self._reach(self._redis.pexpire(key, self._idle_milliseconds))
        self._remember(token, Session(claims, asked))
        return claims

    def _remember(self, token: str, session: Session) -> None:
        self._sessions.pop(token, None)
        while len(self._sessions) >= self._capacity:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[token] = session

    async def _reach(self, command: "asyncio.Future[int] | object") -> int:
        try:
            async with asyncio.timeout(self._timeout):
                return await command  # type: ignore[misc]
        except TimeoutError:
            raise Unavailable("redis", f"no answer within {self._timeout:g} s", retry_after=1) from None
        except (RedisError, OSError) as error:
            raise Unavailable("redis", str(error) or type(error).__name__, retry_after=1) from None
