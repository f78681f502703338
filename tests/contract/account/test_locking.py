"""Locking users out (ACCOUNT-30), and passwords that must be changed first (ACCOUNT-31)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest_asyncio
import redis.asyncio as redis

from harness.account import IAM, PASSWORD, SECRET, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import running_openldap, running_redis
from harness.services import running_service
from harness.signed import SignedClient

NewPerson = Callable[..., Awaitable[SignedClient]]
LOGIN = f"{IAM}/login"


def _lock(user: str) -> str:
    return f"{IAM}/users/{user}/lock"


async def _login(client: SignedClient, user: str, password: str = PASSWORD) -> Any:
    return await client.post(LOGIN, {"username": user, "password": password})


async def test_a_user_who_is_locked_is_out_at_once_and_back_in_when_unlocked(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    token = (await _login(account, name)).json["access_token"]
    form = {"grant_type": "password", "username": name, "password": PASSWORD}
    pair = (await account.post(f"{IAM}/token", form)).json
    assert (await admin.request("PUT", _lock(name))).status == 200

    assert not await store.exists(f"kubesphere:users:{name}:token:{token}")
    assert not await store.exists(f"kubesphere:users:{name}:token:{pair['access_token']}")
    refresh = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert (await account.post(f"{IAM}/token", refresh)).status == 401
    assert (await account.post(f"{IAM}/token", form)).status == 403
    refused = await _login(account, name)
    assert (refused.status, refused.json["reason"]) == (403, "AccountLocked")
    assert (await admin.get(f"{IAM}/users/{name}")).json["locked"] is True
    assert (await admin.request("PUT", _lock(name))).status == 200, "locking again changes nothing"

    assert (await admin.delete(_lock(name))).status == 200
    assert (await _login(account, name)).status == 200
    assert "locked" not in (await admin.get(f"{IAM}/users/{name}")).json


async def test_only_who_knows_the_password_learns_that_an_account_is_locked(
    account: SignedClient, admin: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    await admin.request("PUT", _lock(name))
    wrong, unknown = await _login(account, name, "not-the-one"), await _login(account, unique("nobody"))
    assert (wrong.status, wrong.message) == (unknown.status, unknown.message) == (401, wrong.message)


async def test_the_lock_outlives_redis(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    await admin.request("PUT", _lock(name))
    await store.delete(*[key async for key in store.scan_iter(match=f"kubesphere:users:{name}:*")])
    assert (await _login(account, name)).status == 403


async def test_no_login_that_was_under_way_survives_the_lock(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    logins = [asyncio.create_task(_login(account, name)) for _ in range(12)]
    assert (await admin.request("PUT", _lock(name))).status == 200
    await asyncio.gather(*logins)
    live = [key async for key in store.scan_iter(match=f"kubesphere:users:{name}:token:*")]
    assert live == []


async def test_nobody_locks_themselves_the_last_administrator_or_somebody_mightier(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, cluster_role: Callable[..., Any]
) -> None:
    assert (await admin.request("PUT", _lock("admin"))).status == 403
    other = await new_person("cluster-admin")
    assert (await admin.request("PUT", _lock(other.identity.user))).status == 200
    # The other is locked, so the first is the last who can act.
    last = await other.request("PUT", _lock("admin"))
    assert (last.status, last.json["reason"]) == (409, "LastAdministrator")
    rule = {"verbs": ["*"], "apiGroups": ["iam.kubesphere.io"], "resources": ["users", "users/lock"]}
    clerk = await new_person(await cluster_role(rule))
    assert (await clerk.request("PUT", _lock("admin"))).status == 403
    assert (await clerk.request("PUT", _lock(unique("nobody")))).status == 404
    stranger = await new_person()
    assert (await stranger.request("PUT", _lock(clerk.identity.user))).status == 403
    assert (await stranger.request("DELETE", _lock(clerk.identity.user))).status == 403


@pytest_asyncio.fixture(scope="module")
async def fresh(kubernetes: KubernetesServer, tmp_path_factory: Any) -> AsyncIterator[SignedClient]:
    """A platform that starts for the first time; the administrator's password is PASSWORD."""
    directory: Path = tmp_path_factory.mktemp("fresh")
    (directory / "password").write_text(PASSWORD)
    given = {"adminPasswordFile": str(directory / "password")}
    async with running_openldap(directory) as openldap, running_redis(directory) as redis_server:
        config = config_of(openldap, redis_server, kubernetes, authentication=given)
        async with running_service("ks-account", config, directory) as service:
            client = await ready(service)
            yield client
            await client.close()


async def test_the_first_password_serves_for_setting_another_and_for_nothing_else(
    fresh: SignedClient,
) -> None:
    answer = await _login(fresh, "admin")
    assert answer.status == 200
    assert answer.json["password_change_required"] is True
    token = answer.json["access_token"]
    assert jwt.decode(token, SECRET, ["HS256"])["must_change_password"] is True, "the gateway goes by this"
    review = {"apiVersion": "v1", "kind": "TokenReview", "spec": {"token": token}}
    reviewed = await fresh.post(f"{IAM}/authenticate", review)
    assert reviewed.json["status"]["authenticated"] is False
    form = {"grant_type": "password", "username": "admin", "password": PASSWORD}
    pair = (await fresh.post(f"{IAM}/token", form)).json
    assert pair["password_change_required"] is True
    assert jwt.decode(pair["access_token"], SECRET, ["HS256"])["must_change_password"] is True

    admin = fresh.acting_as("admin")
    profile = (await admin.get(f"{IAM}/users/admin")).json
    assert profile["password_change_required"] is True
    change = {"username": "admin", "email": profile["email"]}
    same = await admin.put(f"{IAM}/users/admin", {**change, "password": PASSWORD})
    assert (same.status, same.json["reason"]) == (400, "PasswordNotNew")
    assert (await admin.put(f"{IAM}/users/admin", {**change, "description": "x"})).status == 200
    assert "password_change_required" in (await _login(fresh, "admin")).json, (
        "a change of the profile is none"
    )

    assert (await admin.put(f"{IAM}/users/admin", {**change, "password": "An0ther-one"})).status == 200
    answer = await _login(fresh, "admin", "An0ther-one")
    assert answer.json.keys() == {"access_token"}
    assert "must_change_password" not in jwt.decode(answer.json["access_token"], SECRET, ["HS256"])
    assert (await _login(fresh, "admin")).status == 401
