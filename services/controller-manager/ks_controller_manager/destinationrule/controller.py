"""Keeps a DestinationRule for each Service of the mesh, with its ready versions as subsets."""

from __future__ import annotations

from collections.abc import Iterable

from ks_controller_manager.destinationrule.rules import destination_rule
from ks_controller_manager.selectors import matches
from ks_controller_manager.servicemesh.components import (
    DESTINATION_RULES,
    SELECTOR_INDEX,
    SERVICE_POLICIES,
    is_component,
    label_keys,
    selector_keys,
)
from ks_controller_manager.servicemesh.controller import MeshController
from kubekit.cluster import Cluster
from kubekit.controller import Key
from kubekit.objects import labels
from kubekit.resource import DEPLOYMENTS, SERVICES, Object

_LABEL_INDEX = "servicemesh.labels"


class DestinationRuleController(MeshController):
    """Services; the Deployments that they select wake them, and the ServicePolicy of their component."""

    name = "destinationrule-controller"
    writes = DESTINATION_RULES
    follows = SERVICE_POLICIES

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {DEPLOYMENTS: self._selecting}
        super().__init__(cluster)
        self.cache[SERVICES].add_index(SELECTOR_INDEX, selector_keys)
        self.cache[DEPLOYMENTS].add_index(_LABEL_INDEX, _component_labels)

    def wanted(self, service: Object) -> Object | None:
        metadata = service["metadata"]
        present = self.cache[DESTINATION_RULES].get(metadata["name"], metadata["namespace"])
        selected = [
            deployment
            for value in selector_keys(service)
            for deployment in self.cache[DEPLOYMENTS].by(_LABEL_INDEX, value)
        ]
        return destination_rule(service, selected, self.followed(service), present)

    def _selecting(self, deployment: Object) -> Iterable[Key]:
        for value in _component_labels(deployment):
            for service in self.cache[SERVICES].by(SELECTOR_INDEX, value):
                if matches({"matchLabels": service["spec"]["selector"]}, labels(deployment)):
                    yield Key(service["metadata"]["namespace"], service["metadata"]["name"])


def _component_labels(deployment: Object) -> list[str]:
    found = labels(deployment)
    return label_keys(deployment["metadata"]["namespace"], found) if is_component(found) else []
