"""Services of the mesh on a real cluster: their VirtualServices and DestinationRules."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.services import RunningService
from harness.waiting import eventually
from ks_controller_manager.servicemesh.components import (
    DESTINATION_RULES,
    ISTIO,
    SERVICE_POLICIES,
    STRATEGIES,
    VIRTUAL_SERVICES,
)
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, NotFound
from kubekit.resource import CRDS, DEPLOYMENTS, EVENTS, PODS, SERVICES, Object, Resource

pytestmark = pytest.mark.kubernetes

CONTROLLERS = ("virtualservice-controller", "destinationrule-controller")
LABELS = {"app.kubernetes.io/name": "bookinfo", "app.kubernetes.io/version": "1", "app": "reviews"}
ENABLED = {"servicemesh.kubesphere.io/enabled": "true"}
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(resource: Resource) -> Object:
    """The resource as Istio defines it, without its schema."""
    names = {"plural": resource.plural, "kind": resource.kind, "singular": resource.kind.lower()}
    version = {"name": resource.version, "served": True, "storage": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": ANY}}}
    return {
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": names,
            "versions": [version | {"schema": schema}],
        },
    }


async def uninstall(cluster: Cluster) -> None:
    for resource in ISTIO:
        with suppress(NotFound):
            await cluster.delete(CRDS, f"{resource.plural}.{resource.group}")

    async def gone() -> None:
        left = {found["metadata"]["name"] for found in (await cluster.list(CRDS)).items}
        assert left.isdisjoint(f"{resource.plural}.{resource.group}" for resource in ISTIO)

    await eventually(gone, 30)


async def install(cluster: Cluster) -> None:
    for resource in ISTIO:
        with suppress(AlreadyExists):
            await cluster.create(CRDS, definition(resource))

    async def served() -> None:
        for resource in ISTIO:
            try:
                await cluster.list(resource)
            except NotFound as error:
                raise AssertionError(str(error)) from error

    await eventually(served, 30)


@pytest_asyncio.fixture(scope="module")
async def without_istio(cluster: Cluster) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A cluster without Istio, and what installs it."""
    await uninstall(cluster)
    try:
        yield lambda: install(cluster)
    finally:
        await uninstall(cluster)


@pytest_asyncio.fixture
async def istio(without_istio: Callable[[], Awaitable[None]]) -> None:
    """A cluster with the custom resources of Istio."""
    await without_istio()


class Component:
    """The component `reviews` of an application, in a namespace of its own."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def put(self, resource: Resource, body: Object, **metadata: Any) -> Object:
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        full = {"name": "reviews", "namespace": self.namespace, "labels": LABELS, "annotations": ENABLED}
        return await self.cluster.create(resource, {**kind, "metadata": full | metadata, **body})

    async def service(self, **metadata: Any) -> Object:
        ports = [{"name": "http-web", "port": 9080}]
        return await self.put(
            SERVICES, {"spec": {"selector": {"app": "reviews"}, "ports": ports}}, **metadata
        )

    async def version(self, version: str) -> None:
        """A Deployment of this version whose pod is ready."""
        labels = LABELS | {"version": version}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
        await self.put(DEPLOYMENTS, {"spec": spec}, name=f"reviews-{version}", labels=labels)

        async def made() -> str:
            pods = (await self.cluster.list(PODS, self.namespace, label_selector=f"version={version}")).items
            assert pods
            return pods[0]["metadata"]["name"]

        ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        await self.cluster.patch(PODS, await eventually(made), ready, self.namespace, subresource="status")

    async def strategy(self, name: str = "reviews", **spec: Any) -> Object:
        routes = [{"destination": {"host": "reviews", "subset": v}, "weight": 50} for v in ("v1", "v2")]
        template = {"spec": {"hosts": ["reviews"], "http": [{"route": routes}]}}
        return await self.put(
            STRATEGIES, {"spec": {"type": "Canary", "template": template, **spec}}, name=name
        )

    async def has(self, resource: Resource, **wanted: Any) -> Object:
        """Waits until these fields are in the spec of the object of this resource."""

        async def check() -> Object:
            try:
                found = await self.cluster.get(resource, "reviews", self.namespace)
            except NotFound as error:
                raise AssertionError(str(error)) from error
            assert {name: found["spec"].get(name) for name in wanted} == wanted
            return found

        return await eventually(check, 20)

    async def routed(self, **weights: int) -> Object:
        """Waits until the traffic goes to these subsets."""
        port = {"number": 9080}
        route = [
            {"destination": {"host": "reviews", "subset": subset, "port": port}, "weight": weight}
            for subset, weight in weights.items()
        ]
        return await self.has(VIRTUAL_SERVICES, hosts=["reviews"], http=[{"route": route}])

    async def says(self, reason: str) -> None:
        async def check() -> None:
            events = (await self.cluster.list(EVENTS, self.namespace)).items
            assert reason in [e["reason"] for e in events if e["involvedObject"]["kind"] == "Service"]

        await eventually(check)


def subsets(*versions: str) -> list[dict[str, Any]]:
    return [{"name": version, "labels": {"version": version}} for version in versions]


@pytest_asyncio.fixture
async def reviews(cluster: Cluster, tenants: Any) -> Component:
    return Component(cluster, (await tenants.namespace())["metadata"]["name"])


async def test_istio_may_come_later(
    without_istio: Callable[[], Awaitable[None]], reviews: Component, chosen: RunningService
) -> None:
    await reviews.service()
    await reviews.version("v1")

    async def ready() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{chosen.url}/readyz") as answer:
            assert answer.status == 200, await answer.text()

    await eventually(ready)
    await without_istio()
    await reviews.has(DESTINATION_RULES, host="reviews", subsets=subsets("v1"))
    await reviews.routed(v1=100)


@pytest.mark.usefixtures("istio", "chosen")
async def test_a_canary_from_its_start_to_its_governor(reviews: Component) -> None:
    service = await reviews.service()
    await reviews.version("v1")
    found = await reviews.routed(v1=100)
    assert found["metadata"]["labels"] == LABELS
    assert found["metadata"]["ownerReferences"][0]["uid"] == service["metadata"]["uid"]

    await reviews.strategy(strategyPolicy="WaitForWorkloadReady", principal="v1")
    await reviews.version("v2")
    await reviews.has(DESTINATION_RULES, subsets=subsets("v1", "v2"))
    await reviews.routed(v1=50, v2=50)
    governor = {"spec": {"governor": "v2"}}
    await reviews.cluster.patch(STRATEGIES, "reviews", governor, reviews.namespace)
    await reviews.routed(v2=100)
    await reviews.cluster.delete(DEPLOYMENTS, "reviews-v1", reviews.namespace)
    await reviews.has(DESTINATION_RULES, subsets=subsets("v2"))
    await reviews.cluster.delete(STRATEGIES, "reviews", reviews.namespace)
    await reviews.routed(v2=100)


@pytest.mark.usefixtures("istio", "chosen")
async def test_a_service_policy_is_followed_until_it_goes(reviews: Component) -> None:
    await reviews.service()
    await reviews.version("v1")
    balance = {"loadBalancer": {"simple": "RANDOM"}}
    await reviews.put(SERVICE_POLICIES, {"spec": {"template": {"spec": {"trafficPolicy": balance}}}})
    await reviews.has(DESTINATION_RULES, trafficPolicy=balance, subsets=subsets("v1"))
    await reviews.cluster.delete(SERVICE_POLICIES, "reviews", reviews.namespace)
    await reviews.has(DESTINATION_RULES, trafficPolicy=None, subsets=subsets("v1"))


@pytest.mark.usefixtures("istio", "chosen")
async def test_mesh_edits_by_hand_are_set_right(reviews: Component) -> None:
    await reviews.service()
    await reviews.version("v1")
    await reviews.routed(v1=100)
    stray = {"spec": {"http": [{"route": [{"destination": {"host": "elsewhere"}}]}]}}
    await reviews.cluster.patch(VIRTUAL_SERVICES, "reviews", stray, reviews.namespace)
    await reviews.routed(v1=100)
    await reviews.cluster.delete(VIRTUAL_SERVICES, "reviews", reviews.namespace)
    await reviews.routed(v1=100)


@pytest.mark.usefixtures("istio", "chosen")
async def test_mesh_owners_take_what_was_made_for_them_along(reviews: Component) -> None:
    await reviews.service()
    await reviews.version("v1")
    await reviews.strategy()
    await reviews.put(SERVICE_POLICIES, {"spec": {}})
    await reviews.routed(v1=50, v2=50)

    async def adopted() -> None:
        for resource in (STRATEGIES, SERVICE_POLICIES):
            found = await reviews.cluster.get(resource, "reviews", reviews.namespace)
            assert found["metadata"].get("ownerReferences")

    await eventually(adopted)
    await reviews.cluster.delete(SERVICES, "reviews", reviews.namespace)

    async def gone() -> None:
        for resource in (VIRTUAL_SERVICES, DESTINATION_RULES, STRATEGIES, SERVICE_POLICIES):
            assert (await reviews.cluster.list(resource, reviews.namespace)).items == []

    await eventually(gone, 90)


@pytest.mark.usefixtures("istio", "chosen")
async def test_two_strategies_are_refused_and_it_is_said(reviews: Component) -> None:
    await reviews.service()
    await reviews.version("v1")
    await reviews.routed(v1=100)
    await reviews.strategy("one", strategyPolicy="Paused")
    await reviews.strategy("two")
    await reviews.says("SeveralStrategyObjects")


@pytest.mark.usefixtures("istio", "chosen")
async def test_two_services_of_one_component_do_not_fight(reviews: Component) -> None:
    await reviews.service()
    await reviews.version("v1")
    await reviews.routed(v1=100)
    await reviews.service(name="reviews-too")
    await reviews.says("OwnedByAnother")
    await reviews.routed(v1=100)


@pytest.mark.usefixtures("istio")
async def test_a_restart_writes_nothing(reviews: Component, chosen: RunningService) -> None:
    await reviews.service()
    await reviews.version("v1")
    before = await reviews.routed(v1=100)
    await chosen.stop()
    await chosen.start()
    await reviews.put(SERVICE_POLICIES, {"spec": {"template": {"spec": {"trafficPolicy": {"tls": {}}}}}})
    await reviews.has(DESTINATION_RULES, trafficPolicy={"tls": {}})
    after = await reviews.routed(v1=100)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
