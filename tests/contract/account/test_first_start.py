"""The first start on an empty directory, and all later ones (ACCOUNT-19)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import jwt
import ldap3
import pytest
from redis.asyncio import Redis

from harness.account import IAM, PASSWORD, SECRET, config_of, ready
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import RunningService, running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import CLUSTER_ROLE_BINDINGS

LOGIN = f"{IAM}/login"


def entries(openldap: RunningServer[Any]) -> list[str]:
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    with ldap3.Connection(
        server, openldap.definition.manager_dn, openldap.definition.manager_password, raise_exceptions=True
    ) as connection:
        connection.search("dc=kubesphere,dc=io", "(objectClass=*)", attributes=["1.1"])
        return sorted(entry["dn"].removesuffix(",dc=kubesphere,dc=io") for entry in connection.response or [])


async def signs_in(client: SignedClient, password: str) -> bool:
    answer = await client.post(LOGIN, {"username": "admin", "password": password})
    assert answer.status in (200, 401), answer.text
    return answer.status == 200


async def test_several_replicas_start_at_once_on_nothing(
    kubernetes: KubernetesServer, cluster: Cluster, tmp_path: Path
) -> None:
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        config = config_of(openldap, redis, kubernetes)
        services = [RunningService("ks-account", config, tmp_path / str(n), None) for n in range(3)]
        try:
            await asyncio.gather(*(service.start() for service in services))
            clients = [await ready(service) for service in services]
            assert entries(openldap) == [
                "cn=ks-decoy,ou=Users",
                "dc=kubesphere,dc=io",
                "ou=Groups",
                "ou=Users",
                "uid=admin,ou=Users",
            ]
            printed = [re.findall(r"initial password of the user admin is (\S+)", s.log) for s in services]
            passwords = [password for found in printed for password in found]
            assert len(passwords) == 1, "one replica makes the administrator, and prints the password once"
            for client in clients:
                assert await signs_in(client, passwords[0])
                await client.close()
            binding = await cluster.get(CLUSTER_ROLE_BINDINGS, "admin")
            assert binding["roleRef"]["name"] == "cluster-admin"
            assert [subject["name"] for subject in binding["subjects"]] == ["admin"]
        finally:
            await asyncio.gather(*(service.stop() for service in services))


async def test_a_restart_keeps_the_password_that_was_changed(
    kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("First-one1\n")
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        given = {"adminPasswordFile": str(tmp_path / "password")}
        config = config_of(openldap, redis, kubernetes, authentication=given)
        async with running_service("ks-account", config, tmp_path) as service:
            client = await ready(service)
            assert await signs_in(client, "First-one1")
            body = {"username": "admin", "email": "admin@kubesphere.io", "password": "Second-one2"}
            changed = {**body, "current_password": "First-one1"}
            assert (await client.acting_as("admin").put(f"{IAM}/users/admin", changed)).status == 200
            await service.stop()
            await service.start()
            await client.close()
            client = await ready(service)
            assert await signs_in(client, "Second-one2")
            assert not await signs_in(client, "First-one1")
            await service.kill()
            await service.start()
            await client.close()
            client = await ready(service)
            assert await signs_in(client, "Second-one2")
            await client.close()


async def test_a_password_that_is_made_goes_where_it_was_asked_for(
    kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    file = tmp_path / "made"
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        config = config_of(openldap, redis, kubernetes, authentication={"adminPasswordFile": str(file)})
        async with running_service("ks-account", config, tmp_path) as service:
            client = await ready(service)
            password = file.read_text().strip()
            assert file.stat().st_mode & 0o077 == 0
            assert password not in service.log
            assert await signs_in(client, password)
            await client.close()


async def test_the_start_waits_for_what_is_not_there_yet(
    kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        await openldap.stop()
        await redis.stop()
        config = config_of(openldap, redis, kubernetes)
        async with running_service("ks-account", config, tmp_path) as service:
            client = SignedClient(service.url, "unused")

            async def named() -> None:
                answer = await client.get("/readyz")
                assert answer.status == 503
                down = {n for n, state in answer.json["dependencies"].items() if not state["ready"]}
                assert down >= {"ldap", "redis", "first-start"}, answer.text
                assert str(openldap.port) in answer.json["dependencies"]["ldap"]["reason"]

            await eventually(named)
            await openldap.start()
            await redis.start()
            await (await ready(service)).close()
            await client.close()


@pytest.mark.parametrize(
    ("section", "values", "reason"),
    [
        ("ldap", {"managerPassword": "wrong"}, "check ldap.managerDN and ldap.managerPassword"),
        ("kubernetes", {"kubeconfig": "/nowhere/kubeconfig"}, "/nowhere/kubeconfig"),
    ],
)
async def test_what_is_configured_wrongly_is_named(
    openldap: RunningServer[Any],
    redis_server: RunningServer[Any],
    kubernetes: KubernetesServer,
    tmp_path: Path,
    section: str,
    values: dict[str, Any],
    reason: str,
) -> None:
    config = config_of(openldap, redis_server, kubernetes, **{section: values})
    async with running_service("ks-account", config, tmp_path) as service:
        client = SignedClient(service.url, "unused")

        async def named() -> None:
            assert reason in (await client.get("/readyz")).text

        await eventually(named)
        await client.close()


async def test_sessions_of_v2_1_1_go_on_and_can_be_ended(
    kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        store = Redis(host=redis.host, port=redis.port, decode_responses=True)
        token = jwt.encode({"username": "admin", "email": "a@x.io", "iat": 1_700_000_000}, SECRET, "HS256")
        key = f"kubesphere:users:admin:token:{token}"
        given = {"adminPasswordFile": str(tmp_path / "password")}
        config = config_of(openldap, redis, kubernetes, authentication=given)
        async with running_service("ks-account", config, tmp_path) as service:
            await (await ready(service)).close()
            await service.stop()
            await store.flushall()
            await store.set(key, token, ex=2400)
            await service.start()
            client = await ready(service)
            review = await client.post(f"{IAM}/authenticate", {"spec": {"token": token}})
            assert review.json["status"]["authenticated"]
            assert await signs_in(client, PASSWORD)
            assert not await store.exists(key), "a new login ends the session before"
            await client.close()
        await store.aclose()
