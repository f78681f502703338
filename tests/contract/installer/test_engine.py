"""Components of a test's own: what is pruned, and what is said of something that does not become ready."""

from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO

import pytest

from ks_installer.catalogue import Component
from ks_installer.engine import Engine
from ks_installer.errors import NotReady
from ks_installer.objects import labelled
from ks_installer.progress import JsonProgress
from ks_installer.state import FAILED, READY, State
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, Object

pytestmark = pytest.mark.kubernetes

NAMESPACE = "engine-tests"


def config_map(name: str, namespace: str = NAMESPACE) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def deployment(name: str) -> Object:
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": "nothing"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def component(name: str, *manifests: Object, patches: tuple[Object, ...] = ()) -> Component:
    return Component(name, "", (), 30, tuple(labelled(obj, name) for obj in manifests), patches)


async def names(cluster: Cluster) -> set[str]:
    found = (await cluster.list(CONFIG_MAPS, NAMESPACE)).items
    return {obj["metadata"]["name"] for obj in found} - {"kube-root-ca.crt"}


@pytest.fixture
async def state(cluster: Cluster) -> AsyncIterator[State]:
    """A record of its own, of nothing yet, in a namespace that is there."""
    meta = {"name": NAMESPACE}
    await cluster.apply(NAMESPACES, {"metadata": meta}, field_manager="tests")
    await cluster.apply(NAMESPACES, {"metadata": {"name": "kubesphere-system"}}, field_manager="tests")
    state = State(cluster)
    yield state
    for name in list(state.records):
        await state.forget(name)
    for obj in (await cluster.list(CONFIG_MAPS, NAMESPACE)).items:
        await cluster.patch(
            CONFIG_MAPS, obj["metadata"]["name"], {"metadata": {"finalizers": None}}, NAMESPACE
        )
        await cluster.delete(CONFIG_MAPS, obj["metadata"]["name"], NAMESPACE)


@pytest.fixture
def engine(cluster: Cluster, state: State) -> Engine:
    return Engine(cluster, state, JsonProgress(StringIO()))


async def test_what_is_no_longer_wanted_is_pruned(engine: Engine, cluster: Cluster) -> None:
    await engine.apply([component("x", config_map("a"), config_map("b"))])
    assert await names(cluster) == {"a", "b"}
    await engine.apply([component("x", config_map("a"))])
    assert await names(cluster) == {"a"}
    await engine.apply([component("y", config_map("c"))])
    assert await names(cluster) == {"c"}


async def test_what_somebody_took_over_is_not_pruned(engine: Engine, cluster: Cluster) -> None:
    await engine.apply([component("x", config_map("a"), config_map("b"))])
    theirs = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}
    await cluster.patch(CONFIG_MAPS, "b", theirs, NAMESPACE)
    await engine.apply([component("x", config_map("a"))])
    assert await names(cluster) == {"a", "b"}


async def test_patches_add_fields_and_give_them_back(engine: Engine, cluster: Cluster) -> None:
    await cluster.create(CONFIG_MAPS, {**config_map("theirs"), "data": {"own": "1"}})
    patch = {**config_map("theirs"), "data": {"ours": "2"}}
    absent = {**config_map("absent"), "data": {"ours": "2"}}
    await engine.apply([component("x", patches=(patch, absent))])
    assert (await cluster.get(CONFIG_MAPS, "theirs", NAMESPACE))["data"] == {"own": "1", "ours": "2"}
    await engine.apply([component("x")])
    assert (await cluster.get(CONFIG_MAPS, "theirs", NAMESPACE))["data"] == {"own": "1"}
    assert await names(cluster) == {"theirs"}


async def test_a_workload_that_does_not_start_is_named_with_its_reason(
    engine: Engine, cluster: Cluster, state: State
) -> None:
    stuck = replace(component("x", deployment("stuck")), timeout=4)
    try:
        with pytest.raises(NotReady, match=f"x is not ready: Deployment {NAMESPACE}/stuck: ") as raised:
            await engine.apply([stuck])
        assert "scheduled" in str(raised.value) or "0 of 1 replicas" in str(raised.value)
        assert (state.records["x"].phase, state.records["x"].message) == (FAILED, str(raised.value))
        await cluster.patch(DEPLOYMENTS, "stuck", {"spec": {"replicas": 0}}, NAMESPACE)
        body = deployment("stuck")
        body["spec"]["replicas"] = 0
        await engine.apply([component("x", body)])
        assert state.records["x"].phase == READY
    finally:
        await cluster.delete(DEPLOYMENTS, "stuck", NAMESPACE)


async def test_a_kind_that_is_not_served_is_named(engine: Engine) -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
    with pytest.raises(NotReady, match=r"Thing t: example.com/v1 Thing is not served by the cluster"):
        await engine.apply([replace(component("x", unknown), timeout=1)])


async def test_what_does_not_go_is_named_with_its_finalizer(cluster: Cluster, state: State) -> None:
    engine = Engine(cluster, state, JsonProgress(StringIO()), timeout=2)
    await engine.apply([component("x", config_map("held"))])
    await cluster.patch(CONFIG_MAPS, "held", {"metadata": {"finalizers": ["example.com/hold"]}}, NAMESPACE)
    with pytest.raises(
        NotReady, match=r"ConfigMap .*/held: it is being deleted; finalizers left: example.com/hold"
    ):
        await engine.remove("x")
    await cluster.patch(CONFIG_MAPS, "held", {"metadata": {"finalizers": None}}, NAMESPACE)
    await engine.remove("x")
    with pytest.raises(NotFound):
        await cluster.get(CONFIG_MAPS, "held", NAMESPACE)
