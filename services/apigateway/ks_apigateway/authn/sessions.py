"""Sessions in Redis: a token counts only while its key is there.

The key is the original's, `kubesphere:users:{user}:token:{token}`, so that ks-account ends a session by
deleting it. Redis tells of every session that changes (`tracking`), so a revoked token is refused at once
and a busy one costs no question until its time to live must be extended. While Redis does not tell, what it
answered is believed for at most one second. Without Redis nobody is let in.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic, time

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from ks_apigateway.authn.credential import unauthorized
from ks_apigateway.authn.token import Claims, TokenVerifier
from ks_apigateway.authn.tracking import PREFIX, Tracking
from servicekit.errors import Unavailable
from servicekit.sections import RedisConfig

USED = "kubesphere:api-tokens-used:"
"""Of the hashes that say when the API tokens of a user were used last."""
REFRESH_BELOW = 0.9
"""A session's time to live is extended once less than this part of it is left: not on every request."""


@dataclass(slots=True)
class Session:
    """A token whose signature was verified, and which Redis had. Times are of the monotonic clock."""

    claims: Claims
    believed_until: float
    """Without any word from Redis."""
    asked_again: float
    """When Redis must be asked, even if it tells of changes: before the session can end by itself."""


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
        """`idle_timeout`: seconds without a request after which a login ends. `believed`: seconds for which
        an answer of Redis counts while it tells of no changes.
        """
        self._verifier = verifier
        self._idle_milliseconds = int(idle_timeout * 1000)
        self._leeway = leeway
        self._believed = believed
        self._capacity = capacity
        self._sessions: dict[str, Session] = {}
        self._api_tokens: dict[str, str] = {}
        self._asking: dict[str, asyncio.Task[Claims]] = {}
        self._questions: set[asyncio.Task[Claims]] = set()
        self._tracking = Tracking(config, believed, self._changed)
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
        """Begins to be told of changes; other connections are made when they are needed."""
        self._tracking.start()

    async def check(self) -> None:
        """Raises Unavailable while Redis does not answer."""
        await self._reach(self._redis.ping())

    async def close(self) -> None:
        """Closes the connections to Redis."""
        await self._tracking.stop()
        for task in list(self._questions):
            task.cancel()
        await self._redis.aclose()

    @property
    def is_told(self) -> bool:
        """Whether Redis tells of changes now."""
        return monotonic() < self._tracking.lease

    def known(self, token: str) -> Claims | None:
        """Who `token` belongs to, if Redis has it as far as we know; None where it must be asked."""
        session = self._sessions.get(token)
        if session is None:
            return None
        now = monotonic()
        if now >= session.asked_again or (now >= session.believed_until and now >= self._tracking.lease):
            return None
        claims = session.claims
        if claims.expires is not None or claims.not_before is not None:
            claims.check_time(self._leeway)
        return claims

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
            self._questions.add(asking)
            asking.add_done_callback(lambda task: self._answered(token, task))
        return await asyncio.shield(asking)

    def _answered(self, token: str, task: "asyncio.Task[Claims]") -> None:
        self._questions.discard(task)
        if self._asking.get(token) is task:
            del self._asking[token]
        if not task.cancelled():
            task.exception()

    def _changed(self, key: bytes | None) -> None:
        """Redis says that the session of `key` is another one now, or None: that any may be.

        A question under way may have been answered before the change: its answer is not remembered, and
        whoever asks from now on asks anew.
        """
        if key is None:
            self._sessions.clear()
            self._api_tokens.clear()
            self._asking.clear()
            return
        name = key.rpartition(b":token:")[2].decode("latin-1")
        token = self._api_tokens.pop(name, name)
        self._sessions.pop(token, None)
        self._asking.pop(token, None)

    async def _confirm(self, token: str, claims: Claims) -> Claims:
        asked = monotonic()
        if claims.identifier:
            # Before the question, so that a change which arrives before the answer finds the token.
            self._api_tokens[claims.identifier] = token
        key = f"{PREFIX}{claims.user}:token:{claims.identifier or token}"
        left = int(await self._reach(self._redis.pttl(key)))
        if left == -2:
            self._sessions.pop(token, None)
            self._api_tokens.pop(claims.identifier, None)
            raise unauthorized("illegal token")
        if claims.identifier:
            await self._note_use(claims)
        extended = claims.expires is None
        if extended and left < self._idle_milliseconds * REFRESH_BELOW:
            await self._reach(self._redis.pexpire(key, self._idle_milliseconds))
            left = self._idle_milliseconds
        if self._asking.get(token) is asyncio.current_task():
            good_for = self._good_for(left, extended=extended)
            self._remember(token, Session(claims, asked + min(self._believed, good_for), asked + good_for))
        return claims

    async def _note_use(self, claims: Claims) -> None:
        """Tells ks-account when an API token was used last; as exact as Redis is asked often."""
        used = f"{USED}{claims.user}"
        await self._reach(self._redis.hset(used, claims.identifier, str(int(time()))))

    def _good_for(self, left: int, *, extended: bool) -> float:
        """Seconds until a session with `left` milliseconds to live (below 0 without end) must be looked at
        again: when it is to be extended or, where it never is, before it ends.
        """
        longest = self._idle_milliseconds * (1 - REFRESH_BELOW)
        if left < 0:
            return longest / 1000
        spare = left - self._idle_milliseconds * REFRESH_BELOW if extended else left
        return min(spare, longest) / 1000

    def _remember(self, token: str, session: Session) -> None:
        self._sessions.pop(token, None)
        while len(self._sessions) >= self._capacity:
            oldest = self._sessions.pop(next(iter(self._sessions)))
            self._api_tokens.pop(oldest.claims.identifier, None)
        self._sessions[token] = session

    async def _reach(self, command: "asyncio.Future[int] | object") -> int:
        try:
            async with asyncio.timeout(self._timeout):
                return await command  # type: ignore[misc]
        except TimeoutError:
            raise Unavailable("redis", f"no answer within {self._timeout:g} s", retry_after=1) from None
        except (RedisError, OSError) as error:
            raise Unavailable("redis", str(error) or type(error).__name__, retry_after=1) from None
