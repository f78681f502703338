"""Signing in through the gateway."""

from __future__ import annotations

import redis.asyncio as redis

from harness.platform import IAM, TENANT, Client, Platform
from harness.waiting import eventually

LOGIN = f"{IAM}/login"


async def test_the_initial_password_signs_in_and_the_session_is_where_v2_1_1_keeps_it(
    platform: Platform, admin: Client
) -> None:
    store = redis.from_url(platform.env["KS_REDIS_URL"])
    try:
        key = f"kubesphere:users:admin:token:{admin.token}"
        assert await store.exists(key)
        assert 0 < await store.ttl(key) <= 40 * 60
    finally:
        await store.aclose()


async def test_a_wrong_password_is_refused_in_the_same_words_as_an_unknown_user(platform: Platform) -> None:
    async with platform.anonymous() as stranger:
        wrong = await stranger.post(LOGIN, {"username": "admin", "password": "not-the-password"})
        unknown = await stranger.post(LOGIN, {"username": "nobody-here", "password": "not-the-password"})
    assert wrong.status == unknown.status == 401
    assert wrong.json["message"] == unknown.json["message"]


async def test_nothing_is_served_without_a_token(platform: Platform) -> None:
    async with platform.anonymous() as stranger:
        for path in (f"{TENANT}/workspaces", f"{IAM}/users", "/api/v1/namespaces", "/apis"):
            assert (await stranger.get(path)).status == 401, path


async def test_headers_that_claim_an_identity_are_worth_nothing(platform: Platform) -> None:
    claims = {
        "X-Token-Username": "admin",
        "X-KS-Identity": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "Impersonate-User": "admin",
        "X-Remote-User": "admin",
    }
    async with platform.anonymous() as stranger:
        assert (await stranger.get(f"{TENANT}/workspaces", headers=claims)).status == 401
        assert (await stranger.get("/api/v1/secrets", headers=claims)).status == 401


async def test_a_session_that_was_ended_is_refused(platform: Platform) -> None:
    store = redis.from_url(platform.env["KS_REDIS_URL"])
    try:
        async with platform.signed_in("admin", platform.admin_password) as client:
            assert (await client.get(f"{TENANT}/workspaces")).status == 200
            await store.delete(f"kubesphere:users:admin:token:{client.token}")

            async def refused() -> None:
                assert (await client.get(f"{TENANT}/workspaces")).status == 401

            await eventually(refused, timeout=5)
    finally:
        await store.aclose()
