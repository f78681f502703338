"""How an installed component stands now, whatever its record says."""

from __future__ import annotations

from ks_installer.diagnosis import reason_of_workload
from ks_installer.discovery import Discovery
from ks_installer.readiness import waiting_for
from ks_installer.state import READY, Record
from kubekit.cluster import Cluster
from kubekit.errors import NotFound

NOT_READY = "NotReady"


async def standing_of(cluster: Cluster, record: Record) -> tuple[str, str]:
    """Phase and message, as the component's objects are now, not as they were when it was applied."""
    if record.phase != READY:
        return record.phase, record.message
    discovery = Discovery(cluster)
    for ref in record.refs():
        resource = await discovery.resource(ref.api_version, ref.kind)
        try:
            live = await cluster.get(resource, ref.name, ref.namespace or None) if resource else None
        except NotFound:
            live = None
        if live is None:
            return NOT_READY, f"{ref.title}: it is not there"
        if reason := waiting_for(live):
            return NOT_READY, f"{ref.title}: {await reason_of_workload(cluster, live) or reason}"
    return READY, ""
