"""Guessing passwords is limited, and the owner of the account is not shut out by it (ACCOUNT-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
import redis.asyncio as redis

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.services import running_service
from harness.signed import Reply, SignedClient

LOGIN = f"{IAM}/login"
NewPerson = Callable[..., Awaitable[SignedClient]]


async def attempt(client: SignedClient, name: str, password: str = "not-the-password") -> Reply:
    return await client.post(LOGIN, {"username": name, "password": password})


async def test_the_sixth_attempt_is_refused_as_v2_1_1_refused_it(
    account: SignedClient, admin: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    guesser = account.at("203.0.113.50")
    assert [(await attempt(guesser, name)).status for _ in range(5)] == [401] * 5
    sixth = await attempt(guesser, name)
    assert sixth.status == 429
    assert sixth.message == "auth rate limit exceeded"
    assert 0 < int(sixth.headers["Retry-After"]) <= 30 * 60
    assert (await attempt(guesser, name, PASSWORD)).status == 429
    reset = {"username": name, "email": f"{name}@x.io", "password": "An0ther-one"}
    assert (await admin.put(f"{IAM}/users/{name}", reset)).status == 200
    assert (await attempt(guesser, name, "An0ther-one")).status == 200


async def test_an_email_or_capitals_do_not_evade_the_limit(
    account: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    guesser = account.at("203.0.113.51")
    typed = [name, name.upper(), f"{name}@x.io", f"{name}@X.IO", f" {name} "]
    assert [(await attempt(guesser, form)).status for form in typed] == [401] * 5
    assert [(await attempt(guesser, form, PASSWORD)).status for form in typed] == [429] * 5


async def test_somebody_who_does_not_exist_is_limited_alike(account: SignedClient) -> None:
    name, guesser = unique("nobody"), account.at("203.0.113.52")
    assert [(await attempt(guesser, name)).status for _ in range(6)] == [401] * 5 + [429]
    assert (await attempt(guesser, name.upper())).status == 429


async def test_one_address_does_not_shut_the_owner_out_at_another(
    account: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    guesser, owner = account.at("203.0.113.53"), account.at("203.0.113.54")
    for _ in range(8):
        await attempt(guesser, name)
    assert (await attempt(guesser, name, PASSWORD)).status == 429
    assert (await attempt(owner, name, PASSWORD)).status == 200


async def test_an_ipv6_network_counts_as_one_address(account: SignedClient, new_person: NewPerson) -> None:
    name = (await new_person()).identity.user
    for host in range(5):
        assert (await attempt(account.at(f"2001:db8:1:2::{host:x}"), name)).status == 401
    assert (await attempt(account.at("2001:db8:1:2:ffff::1"), name)).status == 429
    assert (await attempt(account.at("2001:db8:1:3::1"), name)).status == 401


async def test_a_right_password_forgives_the_wrong_ones_from_there(
    account: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    forgetful = account.at("203.0.113.55")
    for _ in range(3):
        assert [(await attempt(forgetful, name)).status for _ in range(4)] == [401] * 4
        assert (await attempt(forgetful, name, PASSWORD)).status == 200


async def test_the_count_ends_with_its_window_and_refusals_do_not_prolong_it(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    guesser = account.at("203.0.113.56")
    for _ in range(5):
        await attempt(guesser, name)
    key = f"kubesphere:authfailed:{name}"
    await store.pexpire(key, 60_000)
    for _ in range(5):
        assert (await attempt(guesser, name)).status == 429
    assert await store.pttl(key) <= 60_000
    await store.pexpire(key, 1)
    await asyncio.sleep(0.05)
    assert (await attempt(guesser, name, PASSWORD)).status == 200


async def test_no_counter_lives_for_ever(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    await attempt(account.at("203.0.113.57"), name)
    for key in (f"kubesphere:authfailed:{name}", "kubesphere:authfailed-address:203.0.113.57"):
        assert 0 < await store.ttl(key) <= 30 * 60


@pytest_asyncio.fixture
async def strict(
    openldap: RunningServer[Any],
    redis_server: RunningServer[Any],
    kubernetes: KubernetesServer,
    account: SignedClient,
    tmp_path: Path,
) -> AsyncIterator[SignedClient]:
    """A replica with low limits: 2 from an address, 6 of a user, 10 of an address."""
    limits = {"authRateLimit": "2/10m", "userRateLimit": 6, "addressRateLimit": 10}
    config = config_of(openldap, redis_server, kubernetes, account=limits)
    async with running_service("ks-account", config, tmp_path) as service:
        client = await ready(service)
        yield client
        await client.close()


async def test_many_addresses_are_limited_but_the_owner_still_gets_in(
    account: SignedClient, strict: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    home = strict.at("198.51.100.99")
    assert (await attempt(home, name, PASSWORD)).status == 200
    statuses = [(await attempt(strict.at(f"203.0.113.{60 + n // 2}"), name)).status for n in range(8)]
    assert statuses == [401] * 6 + [429] * 2
    assert (await attempt(strict.at("203.0.113.90"), name, PASSWORD)).status == 429, (
        "a new address has to wait"
    )
    assert (await attempt(home, name, PASSWORD)).status == 200, "the owner's address does not"


async def test_one_password_for_many_users_is_limited_by_the_address(strict: SignedClient) -> None:
    sprayer = strict.at("203.0.113.91")
    statuses = [(await attempt(sprayer, unique("somebody"))).status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


async def test_many_guesses_at_once_do_not_get_past_the_limit(
    strict: SignedClient, new_person: NewPerson
) -> None:
    """The right password, sent along with many wrong ones, is refused when those exceed the limit."""
    name = (await new_person()).identity.user
    guesser = strict.at("203.0.113.92")
    wrong = await asyncio.gather(*(attempt(guesser, name) for _ in range(40)))
    statuses = [answer.status for answer in wrong]
    assert (statuses.count(401), statuses.count(429)) == (2, 38)
    assert (await attempt(guesser, name, PASSWORD)).status == 429
