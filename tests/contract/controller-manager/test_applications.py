"""Applications on a real cluster: their status, their components' owners, and kinds that come and go."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from harness.waiting import eventually
from ks_controller_manager.application.kinds import APPLICATIONS
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLES, CRDS, DEPLOYMENTS, EVENTS, SECRETS, SERVICES, Object, Resource

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("chosen_once")]

CONTROLLERS = ("application-controller",)
LABELS = {"app.kubernetes.io/name": "shop"}
SERVICE, DEPLOYMENT = {"group": "", "kind": "Service"}, {"group": "apps/v1", "kind": "Deployment"}
LONG = 60


class Shop:
    """An Application in a namespace of its own, and what it consists of."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def declare(self, *kinds: dict[str, str], **spec: Any) -> Object:
        kind = {"apiVersion": APPLICATIONS.api_version, "kind": "Application"}
        wanted = {"componentKinds": list(kinds), "selector": {"matchLabels": LABELS}} | spec
        body = {**kind, "metadata": {"name": "shop"}, "spec": wanted}
        return await self.cluster.create(APPLICATIONS, body, self.namespace)

    async def service(self, name: str = "web", **labels: str) -> None:
        body = {"metadata": {"name": name, "labels": labels or LABELS}, "spec": {"ports": [{"port": 80}]}}
        await self.cluster.create(SERVICES, body, self.namespace)

    async def deployment(self, replicas: int) -> None:
        template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        body = {"metadata": {"name": "web", "labels": LABELS}, "spec": spec}
        await self.cluster.create(DEPLOYMENTS, body, self.namespace)

    async def status(self) -> dict[str, Any]:
        found = await self.cluster.get(APPLICATIONS, "shop", self.namespace)
        return found.get("status") or {}

    async def condition(self, kind: str) -> tuple[str, str]:
        conditions = (await self.status())["conditions"]
        return next((one["status"], one["message"]) for one in conditions if one["type"] == kind)

    async def becomes(self, ready: str) -> None:
        async def check() -> None:
            assert (await self.status()).get("componentsReady") == ready

        await eventually(check, LONG)

    async def owners(self, resource: Resource, name: str = "web") -> list[Object]:
        found = await self.cluster.get(resource, name, self.namespace)
        return found["metadata"].get("ownerReferences") or []


@pytest_asyncio.fixture
async def shop(cluster: Cluster, tenants: Any) -> Shop:
    namespace = (await tenants.namespace())["metadata"]["name"]
    return Shop(cluster, namespace)


async def test_an_application_tells_which_of_its_components_are_ready(shop: Shop) -> None:
    await shop.service()
    await shop.service("other", app="other")
    await shop.deployment(replicas=1)
    application = await shop.declare(SERVICE, DEPLOYMENT)
    await shop.becomes("1/2")
    assert (await shop.condition("Ready"))[0] == "False"
    scale = {"spec": {"replicas": 0}}
    await shop.cluster.patch(DEPLOYMENTS, "web", scale, shop.namespace)
    await shop.becomes("2/2")
    assert (await shop.condition("Ready"))[0] == "True"
    assert (await shop.condition("Error"))[0] == "False"
    found = await shop.status()
    assert found["observedGeneration"] == application["metadata"]["generation"]
    link = f"/apis/apps/v1/namespaces/{shop.namespace}/deployments/web"
    assert [one["link"] for one in found["components"] if one["kind"] == "Deployment"] == [link]

    await shop.service("more")
    await shop.becomes("3/3")
    relabelled = {"metadata": {"labels": dict.fromkeys(LABELS)}}
    await shop.cluster.patch(SERVICES, "more", relabelled, shop.namespace)
    await shop.becomes("2/2")

    async def told() -> None:
        events = (await shop.cluster.list(EVENTS, shop.namespace)).items
        reasons = {one["reason"] for one in events if one["involvedObject"]["kind"] == "Application"}
        assert {"ComponentsNotReady", "ComponentsReady"} <= reasons

    await eventually(told, LONG)


async def test_what_an_application_owns_goes_with_it_and_nothing_else(shop: Shop) -> None:
    await shop.service()
    await shop.service("other", app="other")
    await shop.deployment(replicas=0)
    application = await shop.declare(SERVICE, DEPLOYMENT, addOwnerRef=True)
    await shop.becomes("2/2")

    async def owned() -> None:
        for resource in (SERVICES, DEPLOYMENTS):
            uids = [owner["uid"] for owner in await shop.owners(resource)]
            assert uids == [application["metadata"]["uid"]]

    await eventually(owned, LONG)
    assert await shop.owners(SERVICES, "other") == []
    await shop.cluster.delete(APPLICATIONS, "shop", shop.namespace)

    async def gone() -> None:
        assert [
            one["metadata"]["name"] for one in (await shop.cluster.list(SERVICES, shop.namespace)).items
        ] == ["other"]
        assert (await shop.cluster.list(DEPLOYMENTS, shop.namespace)).items == []

    await eventually(gone, 90)


async def test_without_asking_an_application_owns_nothing(shop: Shop) -> None:
    await shop.service()
    await shop.declare(SERVICE)
    await shop.becomes("1/1")
    assert await shop.owners(SERVICES) == []


async def test_what_the_platform_may_not_read_is_said_and_the_rest_is_shown(shop: Shop) -> None:
    """application-components"""
    await shop.service()
    await shop.cluster.create(SECRETS, {"metadata": {"name": "key", "labels": LABELS}}, shop.namespace)
    await shop.declare({"group": "", "kind": "Secret"}, {"group": "", "kind": "Namespace"}, SERVICE)
    await shop.becomes("1/1")
    failed, message = await shop.condition("Error")
    assert failed == "True"
    assert "kubesphere.io/application-components" in message
    assert "Namespace is no kind of objects in a namespace" in message


@pytest_asyncio.fixture
async def gadgets(cluster: Cluster, tenants: Any) -> AsyncIterator[Resource]:
    """A custom resource that nobody has defined yet, and the right of the platform to read it."""
    group = f"{tenants.name('gadgets')}.example.org"
    label = {"kubesphere.io/application-components": "true"}
    rules = [{"apiGroups": [group], "resources": ["gadgets"], "verbs": ["get", "list", "watch", "patch"]}]
    await cluster.create(CLUSTER_ROLES, {"metadata": {"name": group, "labels": label}, "rules": rules})
    yield Resource(group, "v1", "gadgets", "Gadget", True)
    for resource, name in ((CRDS, f"gadgets.{group}"), (CLUSTER_ROLES, group)):
        with suppress(NotFound):
            await cluster.delete(resource, name)


def definition_of(resource: Resource) -> Object:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": resource.version, "served": True, "storage": True}
    return {
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {"kind": resource.kind, "plural": resource.plural},
            "versions": [{**version, "schema": {"openAPIV3Schema": anything}}],
        },
    }


async def test_custom_resources_count_once_the_cluster_has_them(shop: Shop, gadgets: Resource) -> None:
    await shop.service()
    await shop.declare(SERVICE, {"group": gadgets.group, "kind": gadgets.kind})
    await shop.becomes("1/1")
    definition = await shop.cluster.create(CRDS, definition_of(gadgets))
    body = {
        "apiVersion": gadgets.api_version,
        "kind": gadgets.kind,
        "metadata": {"name": "g", "labels": LABELS},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    }

    async def created() -> None:
        with suppress(NotFound):
            await shop.cluster.create(gadgets, body, shop.namespace)
            return
        raise AssertionError("not served yet")

    await eventually(created, LONG)
    await shop.becomes("1/2")
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await shop.cluster.patch(gadgets, "g", ready, shop.namespace)
    await shop.becomes("2/2")
    await shop.cluster.delete(CRDS, definition["metadata"]["name"])
    await shop.becomes("1/1")


async def test_a_restart_writes_nothing(shop: Shop, chosen_once: Any) -> None:
    await shop.service()
    await shop.deployment(replicas=0)
    await shop.declare(SERVICE, DEPLOYMENT, addOwnerRef=True)

    async def versions() -> list[str]:
        kinds = ((APPLICATIONS, "shop"), (SERVICES, "web"), (DEPLOYMENTS, "web"))
        found = [await shop.cluster.get(resource, name, shop.namespace) for resource, name in kinds]
        assert all(one["metadata"].get("ownerReferences") for one in found[1:])
        # Kubernetes' own controllers have written what they had to.
        conditions = found[2]["status"].get("conditions", [])
        assert "NewReplicaSetAvailable" in [one["reason"] for one in conditions]
        return [one["metadata"]["resourceVersion"] for one in found]

    before = await eventually(versions, LONG)
    await chosen_once.stop()
    await chosen_once.start()
    second = Shop(shop.cluster, shop.namespace)
    await second.service("more")
    await second.becomes("3/3")
    after = await versions()
    assert after[1:] == before[1:]
