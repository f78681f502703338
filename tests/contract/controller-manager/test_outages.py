"""The controller manager while Kubernetes, or a part of it, is away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.kubernetes import LocalKubernetes
from harness.services import RunningService, running_service
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import KubernetesError
from kubekit.resource import CLUSTER_ROLES, NAMESPACES, ROLE_BINDINGS, WORKSPACES

pytestmark = pytest.mark.kubernetes


@pytest_asyncio.fixture(scope="module")
async def admin(own_kubernetes: LocalKubernetes) -> AsyncIterator[Cluster]:
    async with Cluster(ClusterConfig(kubeconfig=str(own_kubernetes.kubeconfig))) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def installed(
    own_kubernetes: LocalKubernetes, install_platform: Callable[[Path], Awaitable[None]]
) -> None:
    """The platform is installed, by an earlier test or now."""
    await install_platform(own_kubernetes.kubeconfig)


@pytest.fixture
def manager_of(own_kubernetes: LocalKubernetes, tmp_path: Path) -> Callable[[], Any]:
    config = {
        "kubernetes": {"kubeconfig": str(own_kubernetes.kubeconfig), "timeout": "3s"},
        "server": {"checkInterval": "500ms", "checkTimeout": "2s"},
        "log": {"format": "text"},
    }
    return lambda: running_service("ks-controller-manager", config, tmp_path / "manager")


async def unready(manager: RunningService) -> str:
    """Everything that /readyz gives as a reason."""
    async with aiohttp.ClientSession() as session, session.get(f"{manager.url}/readyz") as answer:
        body = await answer.json()
        assert answer.status == (503 if body["status"] == "unavailable" else 200)
    return "; ".join(need["reason"] for need in body["dependencies"].values() if not need["ready"])


async def says(manager: RunningService, reason: str) -> None:
    async def check() -> None:
        told = await unready(manager)
        assert (reason in told) if reason else not told, told

    await eventually(check, 30)


async def make(cluster: Cluster, name: str) -> None:
    body = {"apiVersion": WORKSPACES.api_version, "kind": "Workspace", "metadata": {"name": name}}
    await cluster.create(WORKSPACES, body | {"spec": {"manager": "mia"}})
    labels = {"kubesphere.io/workspace": name}
    await cluster.create(NAMESPACES, {"metadata": {"name": f"{name}-n", "labels": labels}})


async def settled(cluster: Cluster, name: str) -> None:
    async def check() -> None:
        try:
            await cluster.get(CLUSTER_ROLES, f"workspace:{name}:viewer")
            bindings = (await cluster.list(ROLE_BINDINGS, f"{name}-n")).items
        except KubernetesError as error:
            raise AssertionError(str(error)) from error
        assert [b["metadata"]["name"] for b in bindings] == ["admin", "viewer"]

    await eventually(check, 30)


async def test_missing_definitions_are_waited_for(
    own_kubernetes: LocalKubernetes,
    admin: Cluster,
    manager_of: Callable[[], Any],
    install_platform: Callable[[Path], Awaitable[None]],
) -> None:
    """missing-definitions"""
    async with manager_of() as manager:
        # The last of those that are missing, by name.
        await says(manager, "workspaces.tenant.kubesphere.io; install the platform")
        await install_platform(own_kubernetes.kubeconfig)
        await make(admin, "after-install")
        await settled(admin, "after-install")
        await says(manager, "")


@pytest.mark.usefixtures("installed")
async def test_a_cluster_that_is_down_at_the_start_is_waited_for(
    own_kubernetes: LocalKubernetes, admin: Cluster, manager_of: Callable[[], Any]
) -> None:
    await own_kubernetes.stop_apiserver(hard=True)
    async with manager_of() as manager:
        await says(manager, own_kubernetes.url)
        await own_kubernetes.start_apiserver()
        await make(admin, "after-start")
        await settled(admin, "after-start")
        await says(manager, "")


@pytest.mark.usefixtures("installed")
async def test_a_cluster_that_goes_away_is_picked_up_where_it_was_left(
    own_kubernetes: LocalKubernetes, admin: Cluster, manager_of: Callable[[], Any]
) -> None:
    async with manager_of() as manager:
        await says(manager, "")
        for number in range(4):
            await make(admin, f"before-crash{number}")
        await own_kubernetes.stop_apiserver(hard=True)
        await says(manager, own_kubernetes.url)
        await own_kubernetes.start_apiserver()
        for number in range(4):
            await settled(admin, f"before-crash{number}")
        await says(manager, "")
