"""Each operation, cut off from the directory or from Redis after each message that it sends there.

The message arrives, its answer does not, and nothing arrives after it: what happens when a back end is killed
in the middle. The answer is 503 and says which it was; asked for again, the operation comes to its end
(ACCOUNT-35).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio as redis

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.cutting import CuttingProxy, cutting
from harness.kubernetes import KubernetesServer
from harness.servers import running_openldap, running_redis
from harness.services import running_service
from harness.signed import Reply, SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS

USERS = f"{IAM}/users"
ROLE = "view"
OTHER = "An0ther-password"
MANY = 40
"""Messages; more than any operation sends."""


@dataclass
class Stage:
    """A service whose back ends are behind proxies."""

    admin: SignedClient
    proxies: dict[str, CuttingProxy]
    store: redis.Redis
    cluster: Cluster
    refresh_tokens: dict[str, str] = field(default_factory=dict[str, str])

    async def make(self) -> str:
        """A user."""
        name = unique("cut")
        answer = await self.admin.post(USERS, _new(name))
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


_addresses = itertools.count(1)


def _new(name: str) -> dict[str, str]:
    return {"username": name, "email": f"{name}@x.io", "password": PASSWORD, "cluster_role": ROLE}


@pytest_asyncio.fixture(scope="module")
async def stage(
    kubernetes: KubernetesServer, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    directory = tmp_path_factory.mktemp("cut-off")
    (directory / "password").write_text(PASSWORD)
    async with (
        running_openldap(directory) as openldap,
        running_redis(directory) as redis_server,
        cutting(openldap.host, openldap.port) as ldap_proxy,
        cutting(redis_server.host, redis_server.port) as redis_proxy,
    ):
        config = config_of(
            openldap,
            redis_server,
            kubernetes,
            authentication={"adminPasswordFile": str(directory / "password")},
            ldap={"host": f"127.0.0.1:{ldap_proxy.port}"},
            redis={"port": redis_proxy.port},
            server={"checkInterval": "1h"},
            kubectl={"enabled": False},
            account={"userRateLimit": 100_000},
        )
        store = redis.Redis(host=redis_server.host, port=redis_server.port, decode_responses=True)
        async with running_service("ks-account", config, directory) as service:
            client = await ready(service)
            proxies = {"ldap": ldap_proxy, "redis": redis_proxy}
            yield Stage(client.acting_as("admin"), proxies, store, cluster)
            await client.close()
        await store.aclose()


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


async def _create(stage: Stage, name: str) -> Reply:
    return await stage.admin.post(USERS, _new(name))


async def _is_whole(stage: Stage, name: str) -> None:
    assert (await stage.sign_in(name)).status == 200
    binding = await stage.cluster.get(CLUSTER_ROLE_BINDINGS, name)
    assert binding["roleRef"]["name"] == ROLE


async def _describe_otherwise(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@other.io", "description": "other", "lang": "zh"}
    return await stage.admin.put(f"{USERS}/{name}", body)


async def _is_other(stage: Stage, name: str) -> None:
    shown = await stage.profile(name)
    assert (shown["email"], shown["description"], shown["lang"]) == (f"{name}@other.io", "other", "zh")


async def _change_own_password(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@x.io", "password": OTHER, "current_password": PASSWORD}
    return await stage.acting_as(name).put(f"{USERS}/{name}", body)


async def _reset_password(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@x.io", "password": OTHER}
    return await stage.admin.put(f"{USERS}/{name}", body)


async def _has_other_password(stage: Stage, name: str) -> None:
    assert not await stage.store.exists(f"kubesphere:users:{name}:sessions"), "the sessions ended"
    assert (await stage.sign_in(name, PASSWORD)).status == 401
    assert (await stage.sign_in(name, OTHER)).status == 200


async def _lock(stage: Stage, name: str) -> Reply:
    return await stage.admin.put(f"{USERS}/{name}/lock", {})


async def _is_locked(stage: Stage, name: str) -> None:
    assert (await stage.sign_in(name)).status == 403
    assert (await stage.profile(name))["locked"] is True


async def _unlock(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}/lock")


async def _delete(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}")


async def _is_gone(stage: Stage, name: str) -> None:
    assert (await stage.admin.get(f"{USERS}/{name}")).status == 404
    assert (await stage.sign_in(name)).status == 401
    left = [key async for key in stage.store.scan_iter(match=f"kubesphere:users:{name}:*")]
    assert left == []
    with pytest.raises(NotFound):
        await stage.cluster.get(CLUSTER_ROLE_BINDINGS, name)


async def _sign_in(stage: Stage, name: str) -> Reply:
    return await stage.sign_in(name)


async def _is_signed_in(stage: Stage, name: str) -> None:
    assert (await stage.admin.get(f"{USERS}/{name}/logs")).json


async def _grant(stage: Stage, name: str) -> Reply:
    body = {"grant_type": "password", "username": name, "password": PASSWORD}
    return await stage.acting_as(name).post(f"{IAM}/token", body)


async def _keep_refresh_token(stage: Stage, name: str) -> Reply:
    answer = await _grant(stage, name)
    stage.refresh_tokens[name] = answer.json["refresh_token"]
    return answer


async def _refresh(stage: Stage, name: str) -> Reply:
    body = {"grant_type": "refresh_token", "refresh_token": stage.refresh_tokens[name]}
    return await stage.acting_as(name).post(f"{IAM}/token", body)


async def _is_used_up(stage: Stage, name: str) -> None:
    """A refresh token is good once, also where its answer got lost; its owner signs in again."""
    assert (await _refresh(stage, name)).status == 401
    assert (await stage.sign_in(name)).status == 200


async def _make_api_token(stage: Stage, name: str) -> Reply:
    body = {"name": "ci", "verbs": ["get"], "workspaces": ["*"], "lifetime": "1h"}
    return await stage.acting_as(name).post(f"{USERS}/{name}/apitokens", body)


async def _has_api_token(stage: Stage, name: str) -> None:
    """Whose token got lost on the way finds it in the list, and can revoke it."""
    listed = (await stage.acting_as(name).get(f"{USERS}/{name}/apitokens")).json["items"]
    assert [each["name"] for each in listed] == ["ci"]
    revoked = await stage.acting_as(name).delete(f"{USERS}/{name}/apitokens/{listed[0]['id']}")
    assert revoked.status == 200
    assert (await _make_api_token(stage, name)).status == 200


async def _end_sessions(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}/sessions")


async def _has_no_session(stage: Stage, name: str) -> None:
    assert not await stage.store.exists(f"kubesphere:users:{name}:sessions")


async def _read(stage: Stage, name: str) -> Reply:
    return await stage.admin.get(f"{USERS}/{name}")


async def _list(stage: Stage, name: str) -> Reply:
    return await stage.admin.get(f"{USERS}?conditions=username={name}")


async def _is_shown(stage: Stage, name: str) -> None:
    assert (await _list(stage, name)).json["items"][0]["username"] == name


OPERATIONS = {
    "create": Operation(_create, _is_whole, makes=True, again=(409,)),
    "update": Operation(_describe_otherwise, _is_other),
    "change the own password": Operation(_change_own_password, _has_other_password),
    "reset a password": Operation(_reset_password, _has_other_password),
    "lock": Operation(_lock, _is_locked),
    "unlock": Operation(_unlock, _is_whole),
    "delete": Operation(_delete, _is_gone, again=(404,)),
    "sign in": Operation(_sign_in, _is_signed_in),
    "token": Operation(_grant, _is_signed_in),
    "refresh": Operation(_refresh, _is_used_up, before=_keep_refresh_token, again=(401,)),
    "API token": Operation(_make_api_token, _has_api_token, again=(409,)),
    "end sessions": Operation(_end_sessions, _has_no_session),
    "read": Operation(_read, _is_shown),
    "list": Operation(_list, _is_shown),
}


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


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["ldap", "redis"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_that_is_cut_off_says_so_and_can_be_asked_for_again(
    stage: Stage, name: str, backend: str
) -> None:
    await check(stage, OPERATIONS[name], backend)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["ldap", "redis"])
async def test_a_membership_whose_change_is_cut_off_can_be_asked_for_again(
    stage: Stage, workspace: str, backend: str
) -> None:
    members = f"{IAM}/workspaces/{workspace}/members"

    async def known() -> None:
        assert (await stage.admin.get(f"{members}/admin")).status == 200

    async def invite(stage: Stage, name: str) -> Reply:
        return await stage.admin.post(members, {"username": name, "workspace_role": "workspace-viewer"})

    async def remove(stage: Stage, name: str) -> Reply:
        return await stage.admin.delete(f"{members}/{name}")

    def shows(status: int) -> Check:
        async def shown(stage: Stage, name: str) -> None:
            async def so() -> None:
                assert (await stage.admin.get(f"{members}/{name}")).status == status

            await eventually(so)

        return shown

    async def is_member(stage: Stage, name: str) -> Reply:
        answer = await invite(stage, name)
        await shows(200)(stage, name)
        return answer

    await eventually(known)
    await check(stage, Operation(invite, shows(200)), backend)
    await check(stage, Operation(remove, shows(404), before=is_member, again=(404,)), backend)
