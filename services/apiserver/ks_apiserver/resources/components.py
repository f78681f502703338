"""The platform's components: the services of its namespaces, and how many pods behind each are healthy."""

from collections.abc import Iterator, Mapping
from typing import Any

from ks_apiserver.conditions import LABEL
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.kinds import KINDS
from ks_apiserver.resources.objects import Objects
from kubekit.cache import Cache
from kubekit.resource import NODES, SERVICES, Object
from servicekit.errors import NotFound
from servicekit.identity import Identity

NAMESPACES = (
    "kubesphere-system",
    "kubesphere-logging-system",
    "kubesphere-monitoring-system",
    "openpitrix-system",
    "kube-system",
    "istio-system",
    "kubesphere-devops-system",
    "porter-system",
)
"""Where components live; the first that has a name is the one that is meant by it."""


class Components:
    """Read from caches."""

    def __init__(self, objects: Objects, access: Access) -> None:
        self._objects = objects
        self._access = access

    async def all(self, caller: Identity) -> list[dict[str, Any]]:
        """Every component, for a caller who may list them."""
        self._access.require_lister(caller, "components")
        return await self._all()

    async def one(self, caller: Identity, name: str) -> dict[str, Any]:
        """One component by the name of its service. Raises Forbidden and NotFound."""
        self._access.require_reader(caller, "components", name)
        services = await self._objects.plain(SERVICES)
        found = next((found for each in NAMESPACES if (found := services.get(name, each))), None)
        if found is None:
            raise NotFound(f'service "{name}" not found')
        if not _selector(found):
            raise NotFound(f"component {name} has no selector")
        return component(found, await self._objects.cached(KINDS["pods"]))

    async def health(self, caller: Identity) -> dict[str, Any]:
        """Every component, and how many nodes are ready, for a caller who may list `componenthealth`."""
        self._access.require_lister(caller, "componenthealth")
        nodes = list((await self._objects.plain(NODES)).all())
        counts = {"totalNodes": len(nodes), "healthyNodes": sum(map(is_ready, nodes))}
        return {"kubesphereStatus": await self._all(), "nodeStatus": counts}

    async def _all(self) -> list[dict[str, Any]]:
        services = await self._objects.plain(SERVICES)
        pods = await self._objects.cached(KINDS["pods"])
        found = (service for namespace in NAMESPACES for service in services.all(namespace))
        return [component(service, pods) for service in found if _selector(service)]


def component(service: Object, pods: Cache) -> dict[str, Any]:
    """What is answered of a service that selects pods."""
    metadata, selector = service["metadata"], _selector(service)
    behind = list(_selected(pods, metadata["namespace"], selector))
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "selfLink": SERVICES.path(metadata["namespace"], metadata["name"]),
        "label": selector,
        "startedAt": metadata["creationTimestamp"],
        "totalBackends": len(behind),
        "healthyBackends": sum(map(is_healthy, behind)),
    }


def is_healthy(pod: Object) -> bool:
    """Whether the pod runs, and all its containers are ready."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    return status.get("phase") == "Running" and all(container.get("ready") for container in containers)


def is_ready(node: Object) -> bool:
    """Whether the node's condition Ready is true."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _selector(service: Object) -> Mapping[str, str]:
    return (service.get("spec") or {}).get("selector") or {}


def _selected(pods: Cache, namespace: str, selector: Mapping[str, str]) -> Iterator[Object]:
    first, *others = [f"{key}={value}" for key, value in selector.items()]
    found = pods.select(namespace, index=(LABEL, first))
    if others:
        found = found.where(lambda row: set(others) <= set(row.values(LABEL)))
    yield from found.page().objects()
