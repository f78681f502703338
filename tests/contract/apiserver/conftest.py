"""ks-apiserver alone, as a real process on a real API server; the tests are its gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.kubernetes import KubernetesServer
from harness.services import RunningService, running_service
from harness.signed import SignedClient
from harness.tenancy import Tenancy, tenancy
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import NAMESPACES, ROLE_BINDINGS, WORKSPACES

SECRET = "a-secret-of-the-tests-that-is-long-enough"

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"

As = Callable[[Tenancy, str], SignedClient]
Settle = Callable[[Tenancy], Awaitable[None]]


@pytest.fixture(scope="session")
def apiserver_config() -> Callable[[Path], dict[str, Any]]:
    """The configuration of the service on a cluster."""

    def config(kubeconfig: Path) -> dict[str, Any]:
        return {
            "kubernetes": {"kubeconfig": str(kubeconfig)},
            "authentication": {"jwtSecret": SECRET},
            "monitoring": {"endpoint": "http://127.0.0.1:9"},
            "server": {"checkInterval": "500ms"},
            "operations": {"drainPatience": "1s"},
        }

    return config


@pytest_asyncio.fixture(scope="session")
async def cluster(kubernetes: KubernetesServer) -> AsyncIterator[Cluster]:
    """The cluster, as its administrator."""
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=500, burst=500)) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def apiserver(
    kubernetes: KubernetesServer,
    apiserver_config: Callable[[Path], dict[str, Any]],
    server_directory: Path,
    demo: Tenancy,
) -> AsyncIterator[RunningService]:
    """The service, ready, on a cluster that holds the demo tenancy."""
    config = apiserver_config(kubernetes.kubeconfig)
    async with running_service("ks-apiserver", config, server_directory / "apiserver") as service:
        client = SignedClient(service.url, SECRET)

        async def is_ready() -> None:
            answer = await client.get("/readyz")
            assert answer.status == 200, answer.text

        await eventually(is_ready, timeout=30)
        await client.close()
        yield service


@pytest_asyncio.fixture(scope="session")
async def as_(apiserver: RunningService) -> AsyncIterator[As]:
    """A client of the service for somebody of a tenancy: `as_(demo, "erin")`."""
    nobody = SignedClient(apiserver.url, SECRET)
    yield lambda made, person: nobody.acting_as(made.name(person))
    await nobody.close()


@pytest_asyncio.fixture(scope="session")
async def demo(cluster: Cluster) -> AsyncIterator[Tenancy]:
    """Two workspaces and their people, as they were when the answers of v2.1.1 were recorded.

    admin is administrator of the cluster, carol manages all workspaces. erin is admin of demo-ws and dave a
    viewer. alice is no member, but operator of demo-ns1 and bound to `view` in demo-ns2. bob has nothing.
    """
    async with tenancy(cluster) as made:
        await add_managers(made)
        await made.workspace("system-workspace", admin=["admin"])
        await asyncio.sleep(1.1)  # times of creation are whole seconds, and the order of these two counts
        demo = await made.workspace("demo-ws", "Demo", admin=["admin", "erin"], viewer=["dave"])
        people = {"admin": ["admin", "erin"], "viewer": ["dave"]}
        await made.namespace("demo-ns1", demo, **people, operator=["alice"])
        second = await made.namespace("demo-ns2", demo, **people)
        await made.bind_in(second, "alice-view", ["alice"], "ClusterRole", "view")
        yield made


async def add_managers(made: Tenancy) -> None:
    await made.bind_everywhere("admin", "cluster-admin")
    rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]}]
    await made.bind_everywhere("carol", await made.cluster_role("workspaces-manager", rules))


@asynccontextmanager
async def two_workspaces(cluster: Cluster, settle: Settle) -> AsyncIterator[Tenancy]:
    async with tenancy(cluster) as made:
        await add_managers(made)
        await made.workspace("demo-ws", admin=["admin", "erin"], regular=["rita"], viewer=["dave"])
        await made.workspace("other-ws", admin=["mallory"])
        await settle(made)
        yield made


@pytest_asyncio.fixture(scope="module")
async def tenants(cluster: Cluster, settle: Settle) -> AsyncIterator[Tenancy]:
    """Workspaces demo-ws and other-ws, which the service knows of, for tests that add to them.

    admin and carol as in `demo`. In demo-ws erin is admin, rita a regular member and dave a viewer; mallory
    is admin of other-ws. bob has nothing.
    """
    async with two_workspaces(cluster, settle) as made:
        yield made


@pytest_asyncio.fixture
async def fresh(cluster: Cluster, settle: Settle) -> AsyncIterator[Tenancy]:
    """As `tenants`, for one test alone."""
    async with two_workspaces(cluster, settle) as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def settle(as_: As, cluster: Cluster) -> Settle:
    """Returns once the service knows all that was made: of each kind of binding, it sees the last last."""

    async def settled(made: Tenancy) -> None:
        witness = f"witness-{len(made.made)}"
        bound = made.name(witness)
        await made.bind_in("default", bound, [f"{witness}-there"], "ClusterRole", "cluster-admin")
        await made.bind_everywhere(witness, "cluster-admin")
        everything = f"{TENANT}/{{}}?paging=limit=-1,page=1"

        async def seen() -> None:
            for resource in (WORKSPACES, NAMESPACES):
                answer = await as_(made, witness).get(everything.format(resource.plural))
                names = {item["metadata"]["name"] for item in answer.json.get("items", [])}
                assert {name for of, name in made.made if of == resource} <= names
            answer = await as_(made, f"{witness}-there").get(everything.format(NAMESPACES.plural))
            assert "default" in {item["metadata"]["name"] for item in answer.json.get("items", [])}

        await eventually(seen, timeout=120)
        await cluster.delete(ROLE_BINDINGS, bound, "default")

    return settled
