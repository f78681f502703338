"""Fixtures every test may use: the session's servers, each started when a test first asks for it.

A test that stops one of them starts it again; a test that changes its configuration runs its own instead."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from devstack import settings
from devstack.servers import MariaDB, OpenLDAP, Prometheus, Redis
from devstack.stack import Stack
from harness.kubernetes import KubernetesServer, running_kubernetes
from harness.platform import Platform
from harness.s3 import ObjectStore, running_object_store
from harness.servers import (
    RunningServer,
    running_mariadb,
    running_openldap,
    running_prometheus,
    running_redis,
)


@pytest.fixture(scope="session")
def server_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's servers keep their files and logs."""
    return tmp_path_factory.mktemp("servers")


@pytest_asyncio.fixture(scope="session")
async def redis_server(server_directory: Path) -> AsyncIterator[RunningServer[Redis]]:
    """A Redis without a password."""
    async with running_redis(server_directory) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def openldap(server_directory: Path) -> AsyncIterator[RunningServer[OpenLDAP]]:
    """An OpenLDAP with dc=kubesphere,dc=io; its manager is cn=admin,dc=kubesphere,dc=io, password admin."""
    async with running_openldap(server_directory) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def mariadb(server_directory: Path) -> AsyncIterator[RunningServer[MariaDB]]:
    """A MariaDB with an empty database kubesphere; user and password kubesphere."""
    async with running_mariadb(server_directory) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def prometheus(server_directory: Path) -> AsyncIterator[RunningServer[Prometheus]]:
    """A Prometheus that scrapes itself every second."""
    async with running_prometheus(server_directory) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def object_store(server_directory: Path) -> AsyncIterator[ObjectStore]:
    """A store that speaks S3, with an empty bucket s2i-binaries."""
    async with running_object_store(server_directory) as store:
        yield store


@pytest_asyncio.fixture(scope="session")
async def kubernetes(server_directory: Path) -> AsyncIterator[KubernetesServer]:
    """A Kubernetes without nodes: the one that KS_TEST_KUBECONFIG names, else one of the tests' own."""
    async with running_kubernetes(server_directory) as cluster:
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def kubernetes_node(server_directory: Path) -> AsyncIterator[KubernetesServer]:
    """A Kubernetes with a node, on which pods run: one for a module, as a machine runs one node at a time."""
    async with running_kubernetes(server_directory, node=True) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform, brought up on free ports, with a node where root runs the tests.

    KS_TEST_STATE names the state folder of one that is up already: it is used, and left running.
    """
    given = os.environ.get("KS_TEST_STATE")
    if given:
        stack = Stack(settings.remembered(Path(given).absolute()))
        yield Platform(env=stack.env(), state=stack.settings.state)
        return
    stack = Stack(settings.Settings(state=tmp_path_factory.mktemp("platform"), ports=settings.Ports.free()))
    try:
        yield Platform(env=stack.up(), state=stack.settings.state)
    finally:
        stack.down()
