"""What namespaces may use, use and have left, with counts of what no quota counts."""

from collections.abc import Iterable, Mapping
from typing import Any

from ks_apiserver.resources.access import Access
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.quantities import left, smaller
from ks_apiserver.resources.search import Search
from kubekit.resource import RESOURCE_QUOTAS, Object
from servicekit.identity import Identity
from servicekit.paging import Conditions

COUNTED = {
    "count/cronjobs.batch": "cronjobs",
    "count/daemonsets.apps": "daemonsets",
    "count/deployments.apps": "deployments",
    "count/ingresses.extensions": "ingresses",
    "count/jobs.batch": "jobs",
    "count/pods": "pods",
    "count/s2ibuilders.devops.kubesphere.io": "s2ibuilders",
    "count/services": "services",
    "count/statefulsets.apps": "statefulsets",
    "persistentvolumeclaims": "persistentvolumeclaims",
}
"""The kind that each count is of; always answered, under the names that v2.1.1 gives them."""
_WHOLE_CLUSTER = '""'
"""What stands for a namespace in the answer about all of them."""


class Quotas:
    """Read from caches."""

    def __init__(self, objects: Objects, search: Search, access: Access) -> None:
        self._objects = objects
        self._search = search
        self._access = access

    async def of_cluster(self, caller: Identity) -> dict[str, Any]:
        """Counts in all namespaces, for a caller who may list quotas in all."""
        self._access.require_lister(caller, "quotas")
        return {"namespace": _WHOLE_CLUSTER, "data": {"used": await self._counts(None)}}

    async def of_namespace(self, caller: Identity, namespace: str) -> dict[str, Any]:
        """The quotas of a namespace as one, for a caller who may list them there."""
        self._access.require_lister(caller, "quotas", namespace)
        quotas = list((await self._objects.plain(RESOURCE_QUOTAS)).all(namespace))
        hard, used = smallest(quotas, "hard"), smallest(quotas, "used")
        rest = {name: left(limit, used[name]) for name, limit in hard.items() if name in used}
        parts = {"hard": hard, "used": {**await self._counts(namespace), **used}, "left": rest}
        return {"namespace": namespace, "data": {name: part for name, part in parts.items() if part}}

    async def _counts(self, namespace: str | None) -> dict[str, str]:
        return {
            name: str(await self._search.count(kind, namespace, Conditions()))
            for name, kind in COUNTED.items()
        }


def smallest(quotas: Iterable[Object], part: str) -> Mapping[str, str]:
    """Of each resource in `status.hard` or `status.used`, the smallest amount in any quota, as in v2.1.1."""
    found: dict[str, str] = {}
    for quota in quotas:
        for name, amount in ((quota.get("status") or {}).get(part) or {}).items():
            found[name] = smaller(found[name], amount) if name in found else amount
    return found
