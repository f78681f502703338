"""Workspaces and namespaces made all at once, and what a controller manager did about them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from urllib.request import urlopen

import orjson

from harness.load import cpu_seconds
from harness.services import RunningService
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
    Object,
    Resource,
)

AT_ONCE = 48
"""Requests at a time, as many as a busy API server is asked by its clients."""

OF_A_WORKSPACE: dict[Resource, int] = {CLUSTER_ROLES: 3, CLUSTER_ROLE_BINDINGS: 3}
OF_A_NAMESPACE: dict[Resource, int] = {ROLES: 3, ROLE_BINDINGS: 3}
"""Objects that each is to have: of the three bindings of a namespace, one is its creator's."""

_WRITES = re.compile(
    r'^rest_client_requests_total\{code="(\d+)",method="(POST|PUT|PATCH|DELETE)"\} (\S+)', re.M
)


@dataclass(frozen=True, slots=True)
class Size:
    """So many workspaces, and namespaces spread over them."""

    workspaces: int
    namespaces: int

    @property
    def derived(self) -> int:
        """Roles and bindings that follow from them."""
        return 6 * (self.workspaces + self.namespaces)

    @property
    def writes(self) -> int:
        """Of a manager that writes each object once, and its status once where it has one."""
        return self.derived + 2 * (self.workspaces + self.namespaces)

    def __str__(self) -> str:
        return f"{self.workspaces} workspaces, {self.namespaces:,} namespaces"


@dataclass(frozen=True, slots=True)
class Settled:
    """Seconds until every role and binding was there, the manager's CPU seconds for it, and its writes."""

    seconds: float
    cpu: float
    writes: int
    refused: int


async def at_once(calls: Iterable[Awaitable[object]]) -> None:
    """Awaits all of them, AT_ONCE at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[object]) -> None:
        async with places:
            await call

    await asyncio.gather(*(one(call) for call in calls))


async def make(cluster: Cluster, prefix: str, size: Size) -> None:
    """Makes them at once; the names of all start with `prefix`."""
    names = [f"{prefix}-w{number}" for number in range(size.workspaces)]
    namespaces = [
        _namespace(f"{prefix}-n{number}", names[number % size.workspaces])
        for number in range(size.namespaces)
    ]
    await at_once(
        [
            *(cluster.create(WORKSPACES, _workspace(name)) for name in names),
            *(cluster.create(NAMESPACES, namespace) for namespace in namespaces),
        ]
    )


async def settle(cluster: Cluster, manager: RunningService, prefix: str, size: Size) -> Settled:
    """Makes them under the eyes of the manager, which elects no leader, and waits until all has followed."""
    before = await counts(cluster)
    writes, cpu, started = writes_of(manager), cpu_seconds(manager.pid), time.monotonic()
    await make(cluster, prefix, size)

    async def all_there() -> None:
        now = await counts(cluster)
        for resource, each in OF_A_WORKSPACE.items():
            assert now[resource] - before[resource] == each * size.workspaces
        for resource, each in OF_A_NAMESPACE.items():
            assert now[resource] - before[resource] == each * size.namespaces

    await eventually(all_there, timeout=280, interval=0.1)
    seconds = time.monotonic() - started
    await at_rest(manager)
    done = writes_of(manager)
    return Settled(
        seconds,
        cpu_seconds(manager.pid) - cpu,
        done[0] - writes[0],
        done[1] - writes[1],
    )


async def counts(cluster: Cluster) -> dict[Resource, int]:
    """How many objects of each kind there are, without listing them."""
    kinds = [*OF_A_WORKSPACE, *OF_A_NAMESPACE]
    return dict(zip(kinds, await asyncio.gather(*(_count(cluster, kind) for kind in kinds)), strict=True))


def writes_of(manager: RunningService) -> tuple[int, int]:
    """The writes that a manager has sent, and how many of them the cluster did not take."""
    with urlopen(f"{manager.url}/metrics", timeout=10) as answer:
        found = _WRITES.findall(answer.read().decode())
    counted = [(int(code), int(float(number))) for code, _, number in found]
    return sum(number for _, number in counted), sum(number for code, number in counted if code >= 300)


async def at_rest(manager: RunningService, seconds: float = 1.0) -> None:
    """Waits until the manager has used next to no CPU for so many seconds."""

    async def idle() -> None:
        before = cpu_seconds(manager.pid)
        await asyncio.sleep(seconds)
        assert cpu_seconds(manager.pid) - before < 0.05 * seconds

    await eventually(idle, timeout=120)


async def _count(cluster: Cluster, resource: Resource) -> int:
    listed = orjson.loads(await cluster.request("GET", resource.path(), params={"limit": "1"}))
    return len(listed["items"]) + listed["metadata"].get("remainingItemCount", 0)


def _workspace(name: str) -> Object:
    body = {"apiVersion": WORKSPACES.api_version, "kind": WORKSPACES.kind, "metadata": {"name": name}}
    return body | {"spec": {"manager": "admin"}}


def _namespace(name: str, workspace: str) -> Object:
    labels, annotations = {"kubesphere.io/workspace": workspace}, {"kubesphere.io/creator": "alice"}
    return {"metadata": {"name": name, "labels": labels, "annotations": annotations}}
