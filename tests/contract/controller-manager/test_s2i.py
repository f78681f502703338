"""S2iBinaries and S2iRuns on a real cluster, with an object store that comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.s3 import ObjectStore
from harness.services import RunningService
from harness.waiting import eventually
from ks_controller_manager.s2ibinary.binaries import BINARY_LABEL, FINALIZER, S2I_BINARIES, S2I_RUNS
from kubekit.cluster import Cluster
from kubekit.resource import EVENTS, Object, Resource

pytestmark = pytest.mark.kubernetes

CONTROLLERS = ("s2ibinary-controller", "s2irun-controller")
LONG = 60


class Builds:
    """S2iBinaries and S2iRuns in a namespace of their own."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def file(self, name: str = "app") -> str:
        return f"{self.namespace}-{name}"

    async def binary(self, name: str = "app", phase: str = "Ready", namespace: str = "") -> Object:
        return await self._make(S2I_BINARIES, name, namespace, status={"phase": phase})

    async def run(self, name: str, binary: str) -> Object:
        labels = {BINARY_LABEL: binary} if binary else {}
        return await self._make(S2I_RUNS, name, "", labels, spec={"builderName": "b"})

    async def delete(self, resource: Resource, name: str = "app", namespace: str = "") -> None:
        await self.cluster.delete(resource, name, namespace or self.namespace)

    async def guarded(self, resource: Resource, name: str = "app") -> None:
        async def check() -> None:
            found = await self.cluster.get(resource, name, self.namespace)
            assert FINALIZER in found["metadata"].get("finalizers", [])

        await eventually(check, LONG)

    async def gone(self, resource: Resource, name: str = "app") -> None:
        async def check() -> None:
            found = (await self.cluster.list(resource, self.namespace)).items
            assert name not in [one["metadata"]["name"] for one in found]

        await eventually(check, LONG)

    async def said(self, reason: str) -> None:
        async def check() -> None:
            events = (await self.cluster.list(EVENTS, self.namespace)).items
            assert reason in {event["reason"] for event in events}

        await eventually(check, LONG)

    async def _make(
        self, resource: Resource, name: str, namespace: str, labels: Any = None, **more: Any
    ) -> Object:
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        body = {**kind, "metadata": {"name": name, "labels": labels or {}}, **more}
        return await self.cluster.create(resource, body, namespace or self.namespace)


@pytest_asyncio.fixture
async def builds(cluster: Cluster, tenants: Any) -> Builds:
    return Builds(cluster, (await tenants.namespace())["metadata"]["name"])


def config(store: str, **more: Any) -> dict[str, Any]:
    return {
        "controllers": {"enabled": list(CONTROLLERS)},
        "leaderElection": {"enabled": False},
        "s3": {"endpoint": store, "accessKeyID": "key", "secretAccessKey": "secret"},
        "s2i": {"retry": "500ms", **more},
    }


@pytest_asyncio.fixture
async def manager(
    account_kubeconfig: Path, managers: Callable[..., Any], object_store: ObjectStore
) -> AsyncIterator[RunningService]:
    async with managers(account_kubeconfig, **config(object_store.url)) as service:
        yield service
        refused = [line for line in service.log.splitlines() if "forbidden" in line.lower()]
        assert [line for line in refused if "because it is being terminated" not in line] == []


@pytest.mark.usefixtures("manager")
async def test_files_and_binaries_go_with_what_they_are_of(builds: Builds, object_store: ObjectStore) -> None:
    for name in ("app", "shared", "kept"):
        await builds.binary(name)
        await object_store.put(builds.file(name))
        await builds.guarded(S2I_BINARIES, name)
    # The file goes with its binary,
    await builds.delete(S2I_BINARIES, "app")
    await builds.gone(S2I_BINARIES, "app")
    assert not await object_store.has(builds.file("app"))
    # also where it is gone already;
    await builds.binary("app")
    await builds.guarded(S2I_BINARIES, "app")
    await builds.delete(S2I_BINARIES, "app")
    await builds.gone(S2I_BINARIES, "app")
    # the binary goes with its last run, and no other binary does.
    for name, binary in (("first", "shared"), ("second", "shared"), ("source", "")):
        await builds.run(name, binary)
    for name in ("first", "second"):
        await builds.guarded(S2I_RUNS, name)
    await builds.delete(S2I_RUNS, "first")
    await builds.gone(S2I_RUNS, "first")
    assert await object_store.has(builds.file("shared"))
    await builds.delete(S2I_RUNS, "second")
    await builds.gone(S2I_RUNS, "second")
    await builds.gone(S2I_BINARIES, "shared")
    assert not await object_store.has(builds.file("shared"))
    assert await object_store.has(builds.file("kept"))
    source = await builds.cluster.get(S2I_RUNS, "source", builds.namespace)
    assert "finalizers" not in source["metadata"]


@pytest.mark.usefixtures("manager")
async def test_a_file_that_two_binaries_share_stays_for_the_other(
    builds: Builds, tenants: Any, object_store: ObjectStore
) -> None:
    """s2i-shared-file"""
    other = f"{builds.namespace}-x"
    await tenants.namespace(name=other)
    await builds.binary("x-y")
    await builds.binary("y", namespace=other)
    await object_store.put(builds.file("x-y"))
    await builds.guarded(S2I_BINARIES, "x-y")
    await builds.delete(S2I_BINARIES, "x-y")
    await builds.gone(S2I_BINARIES, "x-y")
    assert await object_store.has(f"{other}-y")
    await builds.delete(S2I_BINARIES, "y", other)

    async def deleted() -> None:
        assert not await object_store.has(f"{other}-y")

    await eventually(deleted, LONG)


@pytest.mark.usefixtures("manager")
async def test_a_store_that_is_down_is_waited_for_and_it_is_said(
    builds: Builds, object_store: ObjectStore
) -> None:
    await builds.binary()
    await builds.guarded(S2I_BINARIES)
    await object_store.stop()
    try:
        await builds.delete(S2I_BINARIES)
        await builds.said("FileNotDeleted")

        async def told() -> None:
            found = await builds.cluster.get(S2I_BINARIES, "app", builds.namespace)
            condition = found["status"]["conditions"][0]
            assert (condition["status"], condition["reason"]) == ("False", "StoreUnreachable")
            assert FINALIZER in condition["message"]

        await eventually(told, LONG)
        # Told once: writing it wakes the controller, which has nothing new to write.
        versions = set[str]()
        for _ in range(4):
            await asyncio.sleep(0.5)
            found = await builds.cluster.get(S2I_BINARIES, "app", builds.namespace)
            versions.add(found["metadata"]["resourceVersion"])
        assert len(versions) == 1
    finally:
        await object_store.start()
    await builds.gone(S2I_BINARIES)


@pytest.mark.parametrize(
    ("store", "more"), [("127.0.0.1:1", {"giveUp": "1s"}), ("", {})], ids=["down", "none"]
)
async def test_no_binary_outlives_a_store_that_does_not_come_back(
    store: str, more: dict[str, str], builds: Builds, account_kubeconfig: Path, managers: Callable[..., Any]
) -> None:
    """s2i-give-up"""
    binary = await builds.binary()
    note = {"metadata": {"finalizers": [FINALIZER]}}
    await builds.cluster.patch(S2I_BINARIES, binary["metadata"]["name"], note, builds.namespace)
    async with managers(account_kubeconfig, **config(store, **more)):
        await builds.delete(S2I_BINARIES)
        await builds.gone(S2I_BINARIES)
        await builds.said("FileLeftBehind")
