"""The ingress router of a namespace, which lives in another namespace and so has to be taken away by hand."""

from __future__ import annotations

from contextlib import suppress

from ks_controller_manager.names import CONTROLS_NAMESPACE, ROUTER_PREFIX
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import DEPLOYMENTS, SERVICES


async def delete_router(cluster: Cluster, namespace: str) -> None:
    """Deletes the Service and the Deployment of the namespace's router; most namespaces have none."""
    for resource in (SERVICES, DEPLOYMENTS):
        with suppress(NotFound):
            await cluster.delete(resource, ROUTER_PREFIX + namespace, CONTROLS_NAMESPACE)
