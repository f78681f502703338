"""The DestinationRule of a Service: a subset for each version that is ready.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ks_controller_manager.selectors import matches
from ks_controller_manager.servicemesh.components import (
    DESTINATION_RULES,
    VERSION_LABEL,
    enabled,
    is_component,
    subset_name,
)
from kubekit.objects import labels
from kubekit.resource import Object

Subset = dict[str, Any]


def destination_rule(
    service: Object, deployments: Iterable[Object], policy: Object | None, present: Object | None
) -> Object:
    """The rule for `service`, whose `policy` a user may have given; it keeps what else `present` says."""
    template: dict[str, Any] = ((policy or {}).get("spec") or {}).get("template") or {}
    asked: dict[str, Any] = template.get("spec") or {}
    kept: dict[str, Any] = dict((present or {}).get("spec") or {})
    kept.pop("trafficPolicy", None)
    order: list[Subset] = kept.pop("subsets", None) or []
    spec = {"host": service["metadata"]["name"]} | kept
    ready = _ordered(subsets(service, deployments), order)
    if ready:
        spec["subsets"] = [_with_policy(subset, asked) for subset in ready]
    if asked.get("trafficPolicy"):
        spec["trafficPolicy"] = asked["trafficPolicy"]
    metadata = service["metadata"]
    return {
        "apiVersion": DESTINATION_RULES.api_version,
        "kind": DESTINATION_RULES.kind,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": labels(service),
        },
        "spec": spec,
    }


def subsets(service: Object, deployments: Iterable[Object]) -> list[Subset]:
    """A subset for each version of the Service's Deployments that is ready, the oldest Deployment's first."""
    selector: dict[str, str] = (service.get("spec") or {}).get("selector") or {}
    selected = [
        one for one in deployments if is_version(one) and matches({"matchLabels": selector}, labels(one))
    ]
    selected.sort(key=lambda one: (one["metadata"].get("creationTimestamp") or "", one["metadata"]["name"]))
    found: dict[str, Subset] = {}
    for deployment in selected:
        version = labels(deployment)[VERSION_LABEL]
        name = subset_name(version)
        # Istio refuses a rule that names a subset twice.
        found.setdefault(name, {"name": name, "labels": {VERSION_LABEL: version}})
    return list(found.values())


def is_version(deployment: Object) -> bool:
    """Whether the Deployment is a version of a component in the mesh, with pods that are ready."""
    selected: dict[str, str] = deployment["spec"]["selector"].get("matchLabels") or {}
    return (
        is_component(labels(deployment))
        and is_component(selected)
        and enabled(deployment)
        and bool((deployment.get("status") or {}).get("readyReplicas"))
        and bool(labels(deployment).get(VERSION_LABEL))
    )


def _ordered(found: list[Subset], present: list[Subset]) -> list[Subset]:
    """In the order of `present`: traffic that no strategy directs goes to the first subset."""
    places = {subset.get("name"): place for place, subset in enumerate(present)}
    return sorted(found, key=lambda subset: places.get(subset["name"], len(places)))


def _with_policy(subset: Subset, asked: dict[str, Any]) -> Subset:
    for one in asked.get("subsets") or []:
        if one.get("name") == subset["name"] and one.get("trafficPolicy"):
            subset = {**subset, "trafficPolicy": one["trafficPolicy"]}
    return subset
