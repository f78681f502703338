"""Redis tells of sessions that change. Where a test gives an hour in which answers are believed, nothing but
being told can end a session.
"""

import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from devstack.servers import Redis
from harness.gateway import SECRET, GatewayUnderTest, login_token, session_key
from harness.servers import RunningServer, running_redis
from harness.waiting import eventually
from ks_account.clients.sessions import Attempt, Limits, Session
from ks_account.clients.sessions import Sessions as AccountSessions
from ks_apigateway.authn.sessions import Sessions
from ks_apigateway.authn.token import TokenVerifier
from servicekit.errors import Unauthorized
from servicekit.sections import RedisConfig

HOUR = 3600.0
TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"


@contextlib.asynccontextmanager
async def made(port: int, *, believed: float = HOUR, idle_timeout: float = 2400) -> AsyncIterator[Sessions]:
    """Sessions that are not told of changes yet."""
    sessions = Sessions(
        RedisConfig(host="127.0.0.1", port=port, timeout=2),
        TokenVerifier(SECRET.encode()),
        idle_timeout=idle_timeout,
        leeway=0,
        believed=believed,
    )
    try:
        yield sessions
    finally:
        await sessions.close()


@contextlib.asynccontextmanager
async def told(port: int, **settings: float) -> AsyncIterator[Sessions]:
    """Sessions that are."""
    async with made(port, **settings) as sessions:
        await sessions.open()

        async def is_told() -> None:
            assert sessions.is_told

        await eventually(is_told)
        yield sessions


async def until_known(sessions: Sessions, token: str) -> None:
    """What was written just now is told as a change too, and may take back the first answer."""

    async def known() -> None:
        await sessions.ask(token)
        assert sessions.known(token) is not None

    await eventually(known)


async def until_unknown(sessions: Sessions, token: str) -> None:
    async def unknown() -> None:
        assert sessions.known(token) is None

    await eventually(unknown)


@pytest.fixture
async def store(redis_server: RunningServer[Redis]) -> AsyncIterator[redis.Redis]:
    async with redis.Redis(port=redis_server.port) as client:
        yield client


async def sign_in(store: redis.Redis, user: str, **claims: Any) -> str:
    token = login_token(user, **claims)
    await store.set(session_key(user, token), "", ex=2400)
    return token


async def test_a_deleted_session_is_forgotten_at_once(
    redis_server: RunningServer[Redis], store: redis.Redis
) -> None:
    async with told(redis_server.port) as sessions:
        token = await sign_in(store, "agw-told")
        other = await sign_in(store, "agw-other")
        for each in (token, other):
            await until_known(sessions, each)
        await store.delete(session_key("agw-told", token))
        await until_unknown(sessions, token)
        assert sessions.known(other) is not None
        with pytest.raises(Unauthorized, match="illegal token"):
            await sessions.ask(token)


async def test_a_second_login_ends_the_first(redis_server: RunningServer[Redis]) -> None:
    """With what ks-account does in Redis where a user may have one session."""
    account = AccountSessions(RedisConfig(host="127.0.0.1", port=redis_server.port), 1)
    attempt = Attempt("agw-single", "198.51.100.71", "198.51.100.71")
    limits = Limits(60, 10, 10, 10)
    async with told(redis_server.port) as sessions:
        tokens = [login_token("agw-single", jti=name) for name in ("first", "second")]
        for token in tokens:
            await account.begin(
                attempt, limits, Session("agw-single", token, time.time(), 2400), most=1, log=None
            )
            await until_known(sessions, token)
        await until_unknown(sessions, tokens[0])
        assert sessions.known(tokens[1]) is not None
        with pytest.raises(Unauthorized, match="illegal token"):
            await sessions.ask(tokens[0])
    await account.end_all("agw-single")
    await account.close()


async def test_an_answer_that_a_change_overtakes_is_not_remembered(
    redis_server: RunningServer[Redis], store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with told(redis_server.port) as sessions:
        token = await sign_in(store, "agw-overtaken")
        witness = await sign_in(store, "agw-witness")
        await until_known(sessions, witness)
        ask = sessions._redis.pttl

        async def slow(key: str) -> int:
            left = await ask(key)
            await store.delete(key, session_key("agw-witness", witness))
            await until_unknown(sessions, witness)
            return left

        monkeypatch.setattr(sessions._redis, "pttl", slow)
        assert (await sessions.ask(token)).user == "agw-overtaken", "it was in force when Redis was asked"
        assert sessions.known(token) is None


async def test_everything_is_forgotten_with_the_database_and_with_the_connection(tmp_path: Path) -> None:
    async with (
        running_redis(tmp_path) as own,
        told(own.port) as sessions,
        redis.Redis(port=own.port) as store,
    ):
        token = await sign_in(store, "agw-flushed")
        await until_known(sessions, token)
        await store.flushall()
        await until_unknown(sessions, token)

        await store.set(session_key("agw-flushed", token), "", ex=2400)
        await until_known(sessions, token)
        await own.stop(hard=True)
        await own.start()

        async def is_told() -> None:
            assert sessions.is_told

        await eventually(is_told)
        assert sessions.known(token) is None


async def test_a_session_is_asked_for_again_before_it_ends_by_itself(
    redis_server: RunningServer[Redis], store: redis.Redis
) -> None:
    """Redis may notice late that a key has expired: here nothing is told at all."""
    async with made(redis_server.port) as sessions:
        token = await sign_in(store, "agw-expiring", exp=int(time.time()) + 2400)
        await store.pexpire(session_key("agw-expiring", token), 200)
        await sessions.ask(token)
        await until_unknown(sessions, token)


async def test_a_busy_session_is_extended(redis_server: RunningServer[Redis], store: redis.Redis) -> None:
    async with told(redis_server.port, idle_timeout=2400) as sessions:
        token = await sign_in(store, "agw-sliding")
        key = session_key("agw-sliding", token)
        await store.expire(key, 1000)
        await sessions.ask(token)
        assert await store.ttl(key) > 2000
        await until_known(sessions, token)


async def test_a_busy_token_costs_no_question(start_gateway: Any, tmp_path: Path) -> None:
    async with (
        running_redis(tmp_path) as own,
        start_gateway(redis_port=own.port, sessionCache="100ms") as gateway,
    ):
        token = await gateway.sign_in("agw-busy")

        async def not_asked() -> None:
            before = await questions(gateway)
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                assert (await gateway.get(TENANT, token=token)).status == 200
            assert await questions(gateway) == before

        await eventually(not_asked, timeout=20)


async def questions(gateway: GatewayUnderTest) -> int:
    """How often Redis was asked for a session."""
    return (await gateway.sessions.info("commandstats")).get("cmdstat_pttl", {}).get("calls", 0)


async def test_a_redis_that_hangs_lets_nobody_in(start_gateway: Any, tmp_path: Path) -> None:
    async with running_redis(tmp_path) as own, start_gateway(redis_port=own.port) as gateway:
        token = await gateway.sign_in("agw-alice")
        assert (await gateway.get(TENANT, token=token)).status == 200
        os.kill(own.pid, signal.SIGSTOP)
        try:

            async def refused() -> None:
                assert (await gateway.get(TENANT, token=token)).status == 503

            await eventually(refused)
        finally:
            os.kill(own.pid, signal.SIGCONT)

        async def served() -> None:
            assert (await gateway.get(TENANT, token=token)).status == 200

        await eventually(served)


async def test_a_redis_that_tells_nothing_is_asked(start_gateway: Any, tmp_path: Path) -> None:
    async with running_redis(tmp_path) as own, redis.Redis(port=own.port) as store:
        await store.execute_command("ACL", "SETUSER", "default", "-client|tracking")
        async with start_gateway(redis_port=own.port) as gateway:
            token = await gateway.sign_in("agw-alice")
            assert (await gateway.get(TENANT, token=token)).status == 200
            await gateway.sign_out("agw-alice", token)

            async def refused() -> None:
                assert (await gateway.get(TENANT, token=token)).status == 401

            await eventually(refused)
            assert "Redis does not tell of sessions that end" in gateway.service.log
