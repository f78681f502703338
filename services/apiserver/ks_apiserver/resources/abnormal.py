"""How many workloads are not as they should be."""

from typing import Any

from ks_apiserver.resources import status
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.search import Search
from servicekit.identity import Identity
from servicekit.paging import Conditions

ABNORMAL = {
    "daemonsets": status.UPDATING,
    "deployments": status.UPDATING,
    "jobs": status.FAILED,
    "persistentvolumeclaims": f"{status.PENDING}|{status.LOST}",
    "statefulsets": status.UPDATING,
}
"""The status, by kind, that counts as abnormal."""


async def abnormal_workloads(
    search: Search, access: Access, caller: Identity, namespace: str | None = None
) -> dict[str, Any]:
    """Counts by kind, in a namespace or in all, for a caller who may list `abnormalworkloads` there."""
    access.require_lister(caller, "abnormalworkloads", namespace)
    counts = {
        kind: await search.count(kind, namespace, Conditions(match={"status": wrong}))
        for kind, wrong in ABNORMAL.items()
    }
    return {"namespace": namespace or "", "data": counts}
