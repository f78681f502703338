"""Caches beside a real API server: one that is killed, one that holds thousands, one that learns a new
API.
"""

import asyncio
import os
import secrets
from collections import Counter
from pathlib import Path

import pytest

from harness.kubernetes import KubernetesServer, running_kubernetes
from harness.waiting import eventually
from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import KubernetesError, Unreachable
from kubekit.resource import CONFIG_MAPS, CRDS, NAMESPACES, Object, Resource
from kubekit.store import Key

pytestmark = pytest.mark.kubernetes

MANY = 5_000


def config_map(name: str, value: str) -> Object:
    return {"metadata": {"name": name}, "data": {"value": value}}


class Told:
    """Checks that what a subscriber hears is consistent, and keeps what follows from it."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.values: dict[str, str] = {}
        self.times: Counter[tuple[str, str, str]] = Counter()
        cache.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        name = change.key.name
        self.times[change.type, name, change.object["metadata"]["resourceVersion"]] += 1
        assert (name in self.values) == (change.type != "added"), change
        if change.new is None:
            del self.values[name]
        else:
            self.values[name] = change.new.get("data", {}).get("value", "")

    async def agrees_with(self, cluster: Cluster, namespace: str) -> None:
        listed = await cluster.list(CONFIG_MAPS, namespace)
        there = {item["metadata"]["name"]: item.get("data", {}).get("value", "") for item in listed.items}

        def agreed() -> None:
            assert self.values == there
            assert {key.name for key in self.cache.keys(namespace)} == set(there)

        await eventually(agreed, timeout=40)
        assert not [change for change, times in self.times.items() if times > 1]


async def made(cluster: Cluster, namespace: str, names: list[str]) -> None:
    places = asyncio.Semaphore(24)

    async def make(name: str) -> None:
        async with places:
            await cluster.create(CONFIG_MAPS, config_map(name, "1"), namespace)

    await asyncio.gather(*(make(name) for name in names))


async def test_a_killed_api_server_costs_no_change_and_repeats_none(tmp_path: Path) -> None:
    if os.environ.get("KS_TEST_KUBECONFIG"):
        pytest.skip("KS_TEST_KUBECONFIG names a cluster that others use: its API server is not killed")
    async with running_kubernetes(tmp_path) as server:
        await _kill_twice(server)


async def _kill_twice(server: KubernetesServer) -> None:
    namespace = "killed"
    async with Cluster(ClusterConfig(kubeconfig=str(server.kubeconfig), qps=0, timeout=5)) as cluster:
        await cluster.create(NAMESPACES, {"metadata": {"name": namespace}})
        await made(cluster, namespace, [f"before-{number}" for number in range(50)])
        cache = cluster.cache(CONFIG_MAPS, namespace=namespace)
        await cache.synced(20)
        told = Told(cache)
        stop = asyncio.Event()
        writing = asyncio.create_task(_write_until(cluster, namespace, stop))
        for _ in range(2):
            await asyncio.sleep(1)
            await server.stop_apiserver(hard=True)
            with pytest.raises(Unreachable):
                await cluster.check()
            await server.start_apiserver()
        await asyncio.sleep(1)
        stop.set()
        written = await writing
        assert written > 0
        await told.agrees_with(cluster, namespace)

        async def well() -> None:
            try:
                await cluster.check()
            except KubernetesError as error:
                raise AssertionError(str(error)) from error

        await eventually(well, timeout=30)


async def _write_until(cluster: Cluster, namespace: str, stop: asyncio.Event) -> int:
    """Creates, changes and deletes without pause; what a dead server refuses is tried no more."""
    written = number = 0
    while not stop.is_set():
        number += 1
        name = f"during-{number}"
        try:
            await cluster.create(CONFIG_MAPS, config_map(name, "1"), namespace)
            await cluster.patch(CONFIG_MAPS, name, {"data": {"value": "2"}}, namespace)
            if number % 3 == 0:
                await cluster.delete(CONFIG_MAPS, name, namespace)
            written += 1
        except KubernetesError:
            await asyncio.sleep(0.05)
    return written


@pytest.mark.timeout(300)
async def test_thousands_of_objects_are_listed_watched_and_paged(cluster: Cluster, namespace: str) -> None:
    await made(cluster, namespace, [f"many-{number:05d}" for number in range(MANY)])
    cache = cluster.cache(CONFIG_MAPS, namespace=namespace)
    await cache.synced(60)
    told = Told(cache)
    await cluster.patch(CONFIG_MAPS, "many-00007", {"data": {"value": "2"}}, namespace)
    await cluster.delete(CONFIG_MAPS, "many-00008", namespace)
    await told.agrees_with(cluster, namespace)
    page = (
        cache.select(namespace).where(lambda row: row.name.startswith("many-")).order_by("name").page(10, 5)
    )
    assert page.total == MANY - 1
    assert [obj["metadata"]["name"] for obj in page.objects()][:4] == [
        "many-00005",
        "many-00006",
        "many-00007",
        "many-00009",
    ]


async def test_a_crd_that_appears_late_fills_its_cache_and_takes_it_along_when_it_goes(
    cluster: Cluster,
) -> None:
    group = f"g{secrets.token_hex(4)}.example.org"
    widgets = Resource(group, "v1", "widgets", "Widget", False)
    cache = cluster.cache(widgets)

    def served(expected: bool) -> None:
        assert cache.served is expected

    await eventually(lambda: served(False))
    await cluster.create(CRDS, crd(widgets))
    try:
        await cache.synced(30)
        await cluster.create(
            widgets, {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "one"}}
        )
        await eventually(lambda: _holds(cache, True))
    finally:
        await cluster.delete(CRDS, f"widgets.{group}")
    await eventually(lambda: served(False), timeout=30)
    _holds(cache, False)


def _holds(cache: Cache, expected: bool) -> None:
    assert (Key(None, "one") in cache) is expected


def crd(resource: Resource) -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Cluster",
            "names": {"plural": resource.plural, "singular": resource.kind.lower(), "kind": resource.kind},
            "versions": [{"name": resource.version, "served": True, "storage": True, "schema": schema}],
        },
    }
