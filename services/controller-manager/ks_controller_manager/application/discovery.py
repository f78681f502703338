"""Which resource of the cluster serves a kind: custom resources from their definitions, others as it says.

Definitions are watched, so a kind is known as soon as it is served. Of what the API server and its
extensions serve otherwise, the list is asked for when something is missing in it.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import orjson

from ks_controller_manager.application.kinds import Kind
from kubekit.cluster import Cluster
from kubekit.resource import CRDS, Object, Resource

REFRESH = 60.0
"""Seconds between two looks at what the cluster serves."""

_ACCEPT = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
_INDEX = "kind"


class Discovery:
    """Resources by kind. A kind that is not served is looked for again when asked for after a while."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.definitions = cluster.cache(CRDS, trim=definition)
        self.definitions.add_index(_INDEX, lambda found: str(kind_of(found)))
        self._served: dict[Kind, Resource] = {}
        self._asked: float | None = None

    async def resource(self, kind: Kind) -> Resource | None:
        """The resource that serves `kind`, None where the cluster does not. Raises KubernetesError."""
        await self.definitions.synced()
        for found in self.definitions.by(_INDEX, str(kind)):
            if found["established"]:
                return Resource(kind.group, found["version"], found["plural"], kind.kind, found["namespaced"])
        if kind not in self._served and (self._asked is None or monotonic() - self._asked > REFRESH):
            self._served = await self._ask()
            self._asked = monotonic()
        return self._served.get(kind)

    async def _ask(self) -> dict[Kind, Resource]:
        """What is served but by definitions, in the version that the cluster names first."""
        served: dict[Kind, Resource] = {}
        for path in ("/api", "/apis"):
            answer = orjson.loads(await self._cluster.request("GET", path, headers=_ACCEPT))
            for group in answer["items"]:
                name = (group.get("metadata") or {}).get("name", "")
                for version in group.get("versions") or []:
                    for resource in _resources(name, version):
                        served.setdefault(Kind(name, resource.kind), resource)
        for found in self.definitions.all():
            served.pop(kind_of(found), None)
        return served


def definition(crd: Object) -> Object:
    """All that is kept of a CustomResourceDefinition; with their schemas they take megabytes."""
    spec: dict[str, Any] = crd["spec"]
    conditions: list[dict[str, Any]] = (crd.get("status") or {}).get("conditions") or []
    metadata = crd["metadata"]
    version = next(one["name"] for one in sorted(spec["versions"], key=_preference))
    return {
        "metadata": {name: metadata[name] for name in ("name", "uid", "resourceVersion")},
        "group": spec["group"],
        "kind": spec["names"]["kind"],
        "plural": spec["names"]["plural"],
        "namespaced": spec["scope"] == "Namespaced",
        "version": version,
        "established": any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
        and not metadata.get("deletionTimestamp"),
    }


def kind_of(found: Object) -> Kind:
    """The kind that a kept definition defines."""
    return Kind(found["group"], found["kind"])


def _preference(version: dict[str, Any]) -> tuple[bool, bool]:
    """Versions that are served first, among them the one that is stored."""
    return not version.get("served"), not version.get("storage")


def _resources(group: str, version: dict[str, Any]) -> list[Resource]:
    return [
        Resource(
            group,
            version["version"],
            found["resource"],
            found["responseKind"]["kind"],
            found.get("scope") == "Namespaced",
        )
        for found in version.get("resources") or []
        if {"list", "watch"} <= set(found.get("verbs") or [])
    ]
