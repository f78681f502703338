"""Keeps a VirtualService for each Service of the mesh, as the strategy of its component asks for."""

from __future__ import annotations

from collections.abc import Iterable

from ks_controller_manager.servicemesh.components import (
    DESTINATION_RULES,
    STRATEGIES,
    VIRTUAL_SERVICES,
    component_of,
)
from ks_controller_manager.servicemesh.controller import MeshController, NotApplicable
from ks_controller_manager.virtualservice import routes
from kubekit.cluster import Cluster
from kubekit.controller import Key
from kubekit.objects import key_of
from kubekit.resource import Object


class VirtualServiceController(MeshController):
    """Services; their DestinationRule wakes them, and the Strategy of their component."""

    name = "virtualservice-controller"
    writes = VIRTUAL_SERVICES
    follows = STRATEGIES

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {DESTINATION_RULES: _its_service}
        super().__init__(cluster)

    def wanted(self, service: Object) -> Object | None:
        namespace = service["metadata"]["namespace"]
        rule = self.cache[DESTINATION_RULES].get(service["metadata"]["name"], namespace)
        if rule is None or not rule["spec"].get("subsets"):
            return None  # no version is ready yet
        wanted = routes.virtual_service(
            service,
            rule,
            self.followed(service),
            self.cache[VIRTUAL_SERVICES].get(component_of(service), namespace),
        )
        if not routes.has_routes(wanted):
            raise NotApplicable(
                "NothingToRoute", "the Service has no port for TCP, and no strategy with routes: add one"
            )
        return wanted


def _its_service(rule: Object) -> Iterable[Key]:
    yield key_of(rule)
