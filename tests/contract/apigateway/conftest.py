"""A gateway for all tests here, and the means to start one that is set differently."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from devstack.servers import Redis
from harness.gateway import GatewayUnderTest, running_gateway
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.waiting import eventually

StartGateway = Callable[..., AbstractAsyncContextManager[GatewayUnderTest]]

ADMIN = "agw-admin"
"""Bound to cluster-admin."""


async def ready(gateway: GatewayUnderTest) -> None:
    """Returns when the gateway has everything it needs."""
    async with aiohttp.ClientSession() as session:

        async def check() -> None:
            async with session.get(f"{gateway.ops_url}/readyz") as answer:
                assert answer.status == 200, await answer.text()

        await eventually(check, timeout=30)


@pytest_asyncio.fixture(scope="session")
async def gateway(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayUnderTest]:
    """A gateway with the configuration of production; it is ready."""
    directory = tmp_path_factory.mktemp("gateway")
    async with running_gateway(directory, redis_server.port, kubernetes.kubeconfig) as running:
        await ready(running)
        yield running
        assert not running.failures


@pytest.fixture(scope="session")
def start_gateway(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path_factory: pytest.TempPathFactory
) -> StartGateway:
    """Starts a gateway of the test's own: `async with start_gateway(clients={...}) as gateway`."""

    def start(**section: Any) -> AbstractAsyncContextManager[GatewayUnderTest]:
        redis_port = section.pop("redis_port", redis_server.port)
        kubeconfig = section.pop("kubeconfig", kubernetes.kubeconfig)
        return running_gateway(tmp_path_factory.mktemp("gateway"), redis_port, kubeconfig, **section)

    return start


@pytest_asyncio.fixture
async def alice(gateway: GatewayUnderTest) -> str:
    """A token of somebody without any rights."""
    return await gateway.sign_in("agw-alice")


@pytest_asyncio.fixture(scope="session")
async def admin(gateway: GatewayUnderTest, kubernetes: KubernetesServer) -> AsyncIterator[str]:
    """A token of an administrator of the cluster."""
    from kubekit.cluster import Cluster, ClusterConfig
    from kubekit.errors import NotFound
    from kubekit.resource import CLUSTER_ROLE_BINDINGS

    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "agw-tests-admin"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
        },
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": ADMIN}],
    }  # fmt: skip
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster:
        await cluster.apply(CLUSTER_ROLE_BINDINGS, binding, field_manager="tests")
        token = await gateway.sign_in(ADMIN)

        async def allowed() -> None:
            answer = await gateway.get("/kapis/resources.kubesphere.io/v1alpha2/nodes", token=token)
            assert answer.status == 200

        try:
            await eventually(allowed)
            yield token
        finally:
            try:
                await cluster.delete(CLUSTER_ROLE_BINDINGS, "agw-tests-admin")
            except NotFound:
                pass
