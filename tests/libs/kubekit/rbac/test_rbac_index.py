"""`RbacIndex` on a real cluster: ready when it can answer, and in step with what changes."""

import asyncio
import random
import secrets

import pytest
import pytest_asyncio

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import AlreadyExists, NotFound
from kubekit.rbac import ALL, Policy, RbacIndex, RbacNotReady, RequestInfo
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
)

pytestmark = pytest.mark.kubernetes

RUN = f"rbac-churn-{secrets.token_hex(3)}"
USERS = [f"{RUN}-{name}" for name in ("alice", "bob")]
NAMES = [f"{RUN}-{number}" for number in range(6)]
CHANGES = 300


@pytest_asyncio.fixture
async def cluster(kubernetes):
    config = ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=2000, burst=2000)
    async with Cluster(config) as cluster:
        yield cluster


@pytest_asyncio.fixture
async def namespace(cluster):
    await cluster.create(NAMESPACES, {"metadata": {"name": RUN}})
    yield RUN
    await cluster.delete(NAMESPACES, RUN)
    for kind in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
        for item in (await cluster.list(kind, label_selector=f"rbac-test={RUN}")).items:
            await cluster.delete(kind, item["metadata"]["name"])


@pytest_asyncio.fixture
async def index(cluster):
    index = RbacIndex(cluster)
    await index.open()
    async with asyncio.timeout(30):
        await index.synced()
    yield index
    await index.close()


class Churn:
    """Creates, replaces and deletes roles and bindings at random."""

    def __init__(self, cluster, namespace, seed):
        self.cluster, self.namespace, self.random = cluster, namespace, random.Random(seed)

    async def change(self):
        kind = self.random.choice((CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS))
        name = self.random.choice(NAMES)
        try:
            await self.cluster.delete(kind, name, self.namespace if kind.namespaced else None)
        except NotFound:
            pass
        if self.random.random() < 0.8:
            try:
                await self.cluster.create(kind, self.item(kind, name))
            except AlreadyExists:
                pass

    def item(self, kind, name):
        metadata = {"name": name, "labels": {"rbac-test": RUN}}
        if kind.namespaced:
            metadata["namespace"] = self.namespace
        if kind in (ROLES, CLUSTER_ROLES):
            resource = self.random.choice(["pods", "configmaps", "*"])
            return {
                "metadata": metadata,
                "rules": [{"verbs": ["list"], "apiGroups": [""], "resources": [resource]}],
            }
        role = self.random.choice(["Role", "ClusterRole"]) if kind is ROLE_BINDINGS else "ClusterRole"
        return {
            "metadata": metadata,
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": role,
                "name": self.random.choice(NAMES),
            },
            "subjects": [{"kind": "User", "name": self.random.choice(USERS)}],
        }


async def test_the_index_ends_where_a_fresh_look_begins(cluster, namespace, index):
    churns = [Churn(cluster, namespace, seed) for seed in range(5)]

    async def run(churn):
        for _ in range(CHANGES // len(churns)):
            await churn.change()

    await asyncio.gather(*map(run, churns))
    fresh = Policy()
    for kind in (CLUSTER_ROLES, ROLES, CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
        put = fresh.put_role if kind in (CLUSTER_ROLES, ROLES) else fresh.put_binding
        for item in (await cluster.list(kind)).items:
            put(item)

    async def alike():
        for user in USERS:
            for scope in ("", namespace):
                assert set(index.rules(user, (), scope)) == set(fresh.rules(user, (), scope))
            assert set(index.bindings_of(user, ())) == set(fresh.bindings_of(user, ()))
            for resource in (PODS, CONFIG_MAPS):
                request = RequestInfo.of("GET", resource.path())
                assert index.namespaces(user, (), "list", resource) == fresh.namespaces(user, (), request)

    await eventually(alike, timeout=30)
    print(f"\n{5 * (CHANGES // 5)} changes followed")


async def test_nobody_is_allowed_anything_before_roles_and_bindings_are_read():
    cluster = Cluster(ClusterConfig(master="http://127.0.0.1:9"))
    index = RbacIndex(cluster)
    with pytest.raises(RbacNotReady, match="roles and bindings"):
        await index.check()
    await index.open()
    with pytest.raises(RbacNotReady, match="clusterroles"):
        index.allows("admin", ("system:masters",), RequestInfo.of("GET", "/api/v1/pods"))
    await index.close()


async def test_an_administrator_of_the_cluster_reaches_every_namespace(index):
    assert index.namespaces("anyone", ("system:masters",), "list", PODS) is ALL
    await index.check()
