"""Clusters that the tests of kubekit talk to, and namespaces of their own."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.fake_api_server import FakeApiServer, running_fake_api_server
from harness.kubernetes import KubernetesServer
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import NAMESPACES


@pytest.fixture
async def cluster(kubernetes: KubernetesServer) -> AsyncIterator[Cluster]:
    """A real cluster, as its administrator."""
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=0)) as opened:
        yield opened


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = f"kubekit-{secrets.token_hex(4)}"
    await cluster.create(NAMESPACES, {"metadata": {"name": name}})
    yield name
    await cluster.delete(NAMESPACES, name)


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeApiServer]:
    """A server of pods that forgets, breaks and refuses when told."""
    async with running_fake_api_server(tmp_path) as (server, _):
        yield server


@pytest.fixture
async def fake_cluster(fake: FakeApiServer, tmp_path: Path) -> AsyncIterator[Cluster]:
    """The fake server's cluster."""
    async with Cluster(ClusterConfig(kubeconfig=str(tmp_path / "fake-kubeconfig"), page_size=3)) as opened:
        yield opened
