"""Why a pod does not run, from what Kubernetes lets the caller read."""

from typing import Any

from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.explain.reasons import MOST_EVENTS, is_running, reasons
from ks_apiserver.resources.access import Access
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import Forbidden
from kubekit.resource import EVENTS, PODS, RESOURCE_QUOTAS, Object, Resource
from servicekit.identity import Identity


class Explain:
    """Everything is read as the caller, at the moment of the question."""

    def __init__(self, cluster: Cluster, access: Access) -> None:
        self._cluster = cluster
        self._access = access

    async def pod(self, caller: Identity, namespace: str, name: str) -> dict[str, Any]:
        """What keeps a pod from running, with its events. `unseen` names what the caller may not read.

        Raises Forbidden and NotFound.
        """
        self._access.require_reader(caller, "pods", name, namespace)
        as_user = Impersonation(caller.user, caller.groups)
        with translated():
            pod = await self._cluster.get(PODS, name, namespace, as_user=as_user)
        unseen: list[str] = []
        of_pod = f"involvedObject.uid={pod['metadata']['uid']}"
        events = await self._listed(EVENTS, namespace, as_user, unseen, of_pod)
        quotas = await self._listed(RESOURCE_QUOTAS, namespace, as_user, unseen)
        events.sort(key=_last_seen, reverse=True)
        return {
            "name": name,
            "namespace": namespace,
            "phase": (pod.get("status") or {}).get("phase") or "",
            "node": pod["spec"].get("nodeName") or "",
            "running": is_running(pod),
            "reasons": reasons(pod, events, quotas),
            "events": [_event(event) for event in events[:MOST_EVENTS]],
            **({"unseen": unseen} if unseen else {}),
        }

    async def _listed(
        self,
        resource: Resource,
        namespace: str,
        as_user: Impersonation,
        unseen: list[str],
        field_selector: str | None = None,
    ) -> list[Object]:
        with translated():
            try:
                found = await self._cluster.list(
                    resource, namespace, field_selector=field_selector, limit=500, as_user=as_user
                )
            except Forbidden:
                unseen.append(resource.plural)
                return []
        return found.items


def _last_seen(event: Object) -> str:
    seen = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return seen or ""


def _event(event: Object) -> dict[str, Any]:
    return {
        "type": event.get("type") or "",
        "reason": event.get("reason") or "",
        "message": event.get("message") or "",
        "count": event.get("count") or 1,
        "lastSeen": _last_seen(event),
    }
