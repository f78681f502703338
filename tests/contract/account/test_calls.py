"""How often back ends are asked: as often for a user of many workspaces as for a user of one."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.cutting import CuttingProxy, cutting
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES

WORKSPACES = int(os.environ.get("KS_TEST_WORKSPACES", "60"))
"""Of the user who is a member of many."""
AT_ONCE = 32
PATIENCE = 120
REQUESTS = re.compile(r"^rest_client_requests_total\{.*\} ([\d.e+]+)$", re.MULTILINE)


@dataclass
class Counted:
    """A service whose calls are counted."""

    client: SignedClient
    proxies: dict[str, CuttingProxy]

    async def calls(self) -> dict[str, int]:
        """Messages to each back end so far, and requests to Kubernetes."""
        metrics = (await self.client.get("/metrics")).text
        kubernetes = sum(int(float(count)) for count in REQUESTS.findall(metrics))
        assert kubernetes, metrics
        return {**{name: proxy.passed for name, proxy in self.proxies.items()}, "kubernetes": kubernetes}

    async def calls_of(self, path: str) -> dict[str, int]:
        """Those of a GET: the fewest of three times, as a watch may be renewed meanwhile."""
        admin = self.client.acting_as("admin")
        counts: list[dict[str, int]] = []
        for _ in range(3):
            before = await self.calls()
            assert (await admin.get(path)).status == 200
            after = await self.calls()
            counts.append({name: after[name] - before[name] for name in after})
        return {name: min(count[name] for count in counts) for name in counts[0]}


@pytest_asyncio.fixture
async def counted(
    kubernetes: KubernetesServer,
    openldap: RunningServer[Any],
    redis_server: RunningServer[Any],
    account: SignedClient,
    tmp_path: Any,
) -> AsyncIterator[Counted]:
    """It stands beside `account`, which has made the first administrator."""
    async with (
        cutting(openldap.host, openldap.port) as ldap_proxy,
        cutting(redis_server.host, redis_server.port) as redis_proxy,
    ):
        config = config_of(
            openldap,
            redis_server,
            kubernetes,
            ldap={"host": f"127.0.0.1:{ldap_proxy.port}"},
            redis={"port": redis_proxy.port},
            server={"checkInterval": "1h"},
            kubectl={"enabled": False},
        )
        async with running_service("ks-account", config, tmp_path) as service:
            client = await ready(service)
            yield Counted(client, {"ldap": ldap_proxy, "redis": redis_proxy})
            await client.close()


@pytest_asyncio.fixture
async def busy(kubernetes: KubernetesServer) -> AsyncIterator[Cluster]:
    """The cluster, without a limit on requests."""
    config = ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=0, pool=AT_ONCE)
    async with Cluster(config) as cluster:
        yield cluster


async def _join(cluster: Cluster, user: str, workspaces: list[str]) -> None:
    """Make the user a regular member of each, as the controllers and an invitation do."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def join(workspace: str) -> None:
        name = f"workspace:{workspace}:regular"
        metadata = {"name": name, "labels": {"kubesphere.io/workspace": workspace}}
        rule = {
            "verbs": ["get"],
            "apiGroups": ["*"],
            "resources": ["workspaces"],
            "resourceNames": [workspace],
        }
        subject = {"kind": "User", "apiGroup": CLUSTER_ROLES.group, "name": user}
        role = {"apiGroup": CLUSTER_ROLES.group, "kind": "ClusterRole", "name": name}
        async with turns:
            await cluster.create(CLUSTER_ROLES, {"metadata": metadata, "rules": [rule]})
            binding = {"metadata": metadata, "roleRef": role, "subjects": [subject]}
            await cluster.create(CLUSTER_ROLE_BINDINGS, binding)

    await asyncio.gather(*map(join, workspaces))


async def _leave(cluster: Cluster, workspaces: list[str]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def leave(workspace: str) -> None:
        async with turns:
            for resource in (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES):
                await cluster.delete(resource, f"workspace:{workspace}:regular")

    await asyncio.gather(*map(leave, workspaces))


async def test_the_memberships_of_a_user_take_no_call_for_each_workspace(
    counted: Counted, busy: Cluster, admin: SignedClient
) -> None:
    workspaces = {unique("one"): 1, unique("many"): WORKSPACES}
    made = {user: [f"{user}-{n}" for n in range(count)] for user, count in workspaces.items()}
    calls: dict[str, list[dict[str, int]]] = {}
    try:
        for user, names in made.items():
            body = {"username": user, "email": f"{user}@x.io", "password": PASSWORD}
            assert (await admin.post(f"{IAM}/users", body)).status == 200
            await _join(busy, user, names)
            roles = f"{IAM}/users/{user}/roles"

            async def shown(path: str = roles, count: int = len(names)) -> None:
                answer = await counted.client.acting_as("admin").get(path)
                assert len(answer.json["clusterRole"]) == count

            await eventually(shown, timeout=PATIENCE)
            calls[user] = [await counted.calls_of(path) for path in (roles, f"{IAM}/users/{user}")]
    finally:
        for user, names in made.items():
            await _leave(busy, names)
            await admin.delete(f"{IAM}/users/{user}")
    one, many = calls.values()
    assert one == many
    assert all(sum(each.values()) <= 4 for each in many), many
