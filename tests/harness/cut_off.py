"""ks-account behind proxies that cut it off from a back end after each message that it sends there.

The message arrives, its answer does not, and nothing arrives after it: what happens when a back end is killed
in the middle. The answer is 503 and says which it was; asked for again, the operation comes to its end
(ACCOUNT-35).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio as redis

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.cutting import CuttingProxy, cutting
from harness.redirected import address_in, redirect
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service
from harness.signed import Reply, SignedClient
from kubekit.cluster import Cluster

USERS = f"{IAM}/users"
ROLE = "view"
MANY = 60
"""Messages; more than any operation sends."""
_addresses = itertools.count(1)


@dataclass
class Stage:
    """A service whose back ends are behind proxies."""

    admin: SignedClient
    proxies: dict[str, CuttingProxy]
    store: redis.Redis
    cluster: Cluster
    kept: dict[str, str] = field(default_factory=dict[str, str])
    """A token of each user, for the operation that needs it."""

    async def make(self) -> str:
        """A user."""
        name = unique("cut")
        answer = await self.admin.post(USERS, new_user(name))
        assert answer.status == 200, answer.text
        return name

    def acting_as(self, name: str) -> SignedClient:
        """The user, at an address that nobody else is at."""
        return self.admin.acting_as(name, address=f"203.0.113.{next(_addresses) % 250}")

    async def sign_in(self, name: str, password: str = PASSWORD) -> Reply:
        return await self.acting_as(name).post(f"{IAM}/login", {"username": name, "password": password})

    async def profile(self, name: str) -> Any:
        return (await self.admin.get(f"{USERS}/{name}")).json

    async def forget_claims(self) -> None:
        """What a request held that could not let it go is over after 30 seconds; this does not wait."""
        async for key in self.store.scan_iter(match="kubesphere:claims:*"):
            await self.store.delete(key)


def new_user(name: str) -> dict[str, str]:
    """A user to be made."""
    return {"username": name, "email": f"{name}@x.io", "password": PASSWORD, "cluster_role": ROLE}


@asynccontextmanager
async def staged(
    directory: Path, cluster: Cluster, kubeconfig: Path, mariadb: RunningServer[Any], **account: Any
) -> AsyncIterator[Stage]:
    """A stage whose service has `account` in that section of its configuration."""
    (directory / "password").write_text(PASSWORD)
    async with AsyncExitStack() as stack:
        openldap = await stack.enter_async_context(running_openldap(directory))
        redis_server = await stack.enter_async_context(running_redis(directory))
        addresses = {
            "ldap": (openldap.host, openldap.port),
            "redis": (redis_server.host, redis_server.port),
            "mysql": (mariadb.host, mariadb.port),
            "kubernetes": address_in(kubeconfig),
        }
        proxies = {name: await stack.enter_async_context(cutting(*at)) for name, at in addresses.items()}
        redirect(kubeconfig, directory / "kubeconfig", proxies["kubernetes"].port)
        config = config_of(
            openldap,
            redis_server,
            kubernetes={"kubeconfig": str(directory / "kubeconfig")},
            authentication={"adminPasswordFile": str(directory / "password")},
            ldap={"host": f"127.0.0.1:{proxies['ldap'].port}"},
            redis={"port": proxies["redis"].port},
            mysql=_mysql(proxies["mysql"].port),
            server={"checkInterval": "1h"},
            kubectl={"enabled": False},
            account={"userRateLimit": 100_000, **account},
        )
        store = redis.Redis(host=redis_server.host, port=redis_server.port, decode_responses=True)
        stack.push_async_callback(store.aclose)
        service = await stack.enter_async_context(running_service("ks-account", config, directory))
        client = await ready(service)
        stack.push_async_callback(client.close)
        yield Stage(client.acting_as("admin"), proxies, store, cluster)


def _mysql(port: int) -> dict[str, str]:
    credentials = dict.fromkeys(("username", "password", "database"), "kubesphere")
    return {"host": f"127.0.0.1:{port}", **credentials}


Act = Callable[[Stage, str], Awaitable[Reply]]
Check = Callable[[Stage, str], Awaitable[None]]


@dataclass(frozen=True)
class Operation:
    """`act` is what is cut off, for a user, who is there unless `makes` says so; `done` holds after it."""

    act: Act
    done: Check
    makes: bool = False
    before: Act | None = None
    again: tuple[int, ...] = ()
    """What it may say when it is asked for again, beside 200, because it had come to its end."""


async def check(stage: Stage, operation: Operation, backend: str) -> None:
    """Cut the operation off after the first message, the second, and so on until it is not cut off."""
    proxy = stage.proxies[backend]
    for messages in range(1, MANY):
        user = unique("cut") if operation.makes else await stage.make()
        if not operation.makes:
            assert (await stage.sign_in(user)).status == 200
        if operation.before is not None:
            assert (await operation.before(stage, user)).status == 200
        proxy.cut_after(messages)
        answer = await operation.act(stage, user)
        was_cut = proxy.heal()
        await stage.forget_claims()
        if answer.status == 200:
            await operation.done(stage, user)
            if not was_cut:
                return
            continue
        assert was_cut, answer.text
        assert answer.status == 503, answer.text
        assert answer.message.startswith(f"{backend} is not available"), answer.text
        again = await operation.act(stage, user)
        assert again.status in (200, *operation.again), again.text
        await operation.done(stage, user)
    raise AssertionError(f"more than {MANY} messages")
