"""What a request costs in the gateway, next to nginx and Caddy as plain proxies, in one run.

An nginx answers 1 KiB of JSON; wrk asks over 32 kept connections: directly, through proxies that only proxy,
and through ks-apigateway, which authenticates and authorises each request. One process and one core each.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from devstack.servers import Redis
from harness.gateway_bench import PROXY, STATIC, Peer, caddy, gateway, nginx, rounds
from harness.kubernetes import KubernetesServer
from harness.load import Load
from harness.servers import RunningServer
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import CLUSTER_ROLE_BINDINGS, NAMESPACES, ROLE_BINDINGS, Resource

ROUNDS = int(os.environ.get("KS_BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("KS_BENCH_SECONDS", "2"))
"""Of each round."""
BODY = '{"items":["' + "x" * 1000 + '"]}'
SETTLED = 5.0
"""Seconds in which the gateway learns of what was made."""
WIDE, NARROW, PLACES = 1000, 2000, 200
"""ClusterRoleBindings, RoleBindings, and namespaces for these."""
_RBAC = "rbac.authorization.k8s.io"


@pytest_asyncio.fixture(scope="module")
async def peers(
    redis_server: RunningServer[Redis],
    kubernetes: KubernetesServer,
    tmp_path_factory: "Any",
) -> AsyncIterator[dict[str, Peer]]:
    """All that is compared, running."""
    directory: Path = tmp_path_factory.mktemp("peers")
    async with (
        nginx(directory / "static", STATIC.format(body=BODY)) as back,
        nginx(directory / "nginx", PROXY, back.port) as plain,
        caddy(directory / "caddy", back.port) as other,
        gateway(directory / "gateway", redis_server, kubernetes, back.port) as (_, ours),
    ):
        back.name = "the upstream itself"
        yield {"back": back, "nginx": plain, "caddy": other, "gateway": ours}


def show(results: dict[str, Load], peers: dict[str, Peer]) -> None:
    """Prints the table."""
    titles = ("req/s", "p50 ms", "p99 ms", "CPU us", "of nginx", "of Caddy")
    print(f"\n{'proxied request, 32 connections':34}" + "".join(f"{title:>10}" for title in titles))
    of_nginx, of_caddy = results[peers["nginx"].name].cpu, results[peers["caddy"].name].cpu
    for name, each in results.items():
        figures = f"{each.rate:10.0f}{each.p50:10.2f}{each.p99:10.2f}{each.cpu * 1000:10.1f}"
        print(f"{name:34}{figures}{each.cpu / of_nginx:10.2f}{each.cpu / of_caddy:10.2f}")


async def test_a_proxied_request(peers: dict[str, Peer]) -> None:
    """Authenticated and authorised, against proxies that do neither."""
    show(await rounds(peers.values(), ROUNDS, SECONDS), peers)


async def test_many_bindings_cost_a_request_nothing(
    peers: dict[str, Peer], kubernetes: KubernetesServer
) -> None:
    """The same with as many bindings as a large cluster has; nginx says how busy the machine was."""
    before = await of_nginx(peers)
    async with many_bindings(kubernetes):
        await asyncio.sleep(SETTLED)
        after = await of_nginx(peers)
    print(
        f"\nCPU of a request as nginx's: {before:.2f}; with {WIDE} ClusterRoleBindings and {NARROW} ", end=""
    )
    print(f"RoleBindings {after:.2f}: {after / before:.2f} of that")


async def of_nginx(peers: dict[str, Peer]) -> float:
    """What a request costs, as a multiple of what it costs in nginx."""
    plain, ours = peers["nginx"], peers["gateway"]
    found = await rounds((plain, ours), ROUNDS, SECONDS)
    return found[ours.name].cpu / found[plain.name].cpu


@contextlib.asynccontextmanager
async def many_bindings(kubernetes: KubernetesServer) -> AsyncIterator[None]:
    """Bindings of users that ask for nothing."""
    config = ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=2000, burst=2000)
    places = [f"bench-{number}" for number in range(PLACES)]
    async with Cluster(config) as cluster:
        try:
            await _each(cluster.create(NAMESPACES, _named("v1", "Namespace", name)) for name in places)
            await _each(cluster.create(CLUSTER_ROLE_BINDINGS, _binding(number)) for number in range(WIDE))
            await _each(
                cluster.create(ROLE_BINDINGS, _binding(number, places[number % PLACES]))
                for number in range(NARROW)
            )
            yield
        finally:
            await _gone(cluster, CLUSTER_ROLE_BINDINGS, [f"bench-{number}" for number in range(WIDE)])
            await _gone(cluster, NAMESPACES, places)


async def _gone(cluster: Cluster, resource: Resource, names: list[str]) -> None:
    await _each((cluster.delete(resource, name) for name in names), strict=False)


async def _each(calls: Any, *, strict: bool = True) -> None:
    """Awaits `calls`, a few at a time."""
    places = asyncio.Semaphore(32)

    async def one(call: Any) -> None:
        async with places:
            await call

    found = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    failed = [each for each in found if isinstance(each, BaseException)]
    assert not (strict and failed), failed[0]


def _named(version: str, kind: str, name: str, **metadata: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}}


def _binding(number: int, namespace: str = "") -> dict[str, Any]:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    metadata = {"namespace": namespace} if namespace else {}
    return {
        **_named(f"{_RBAC}/v1", kind, f"bench-{number}", **metadata),
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": f"bench-user-{number}"}],
    }
