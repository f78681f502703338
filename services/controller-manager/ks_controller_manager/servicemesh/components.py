"""Components of applications in the service mesh, as the labels and annotations of v2.1.1 say it.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kubekit.objects import annotations, labels
from kubekit.resource import Object, Resource

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1alpha3", "virtualservices", "VirtualService", True)
DESTINATION_RULES = Resource("networking.istio.io", "v1alpha3", "destinationrules", "DestinationRule", True)
STRATEGIES = Resource("servicemesh.kubesphere.io", "v1alpha2", "strategies", "Strategy", True)
SERVICE_POLICIES = Resource("servicemesh.kubesphere.io", "v1alpha2", "servicepolicies", "ServicePolicy", True)

ISTIO = frozenset({VIRTUAL_SERVICES, DESTINATION_RULES})
"""A cluster may do without these; then nothing is written."""

APP_LABEL = "app"
VERSION_LABEL = "version"
APPLICATION_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/version", APP_LABEL)
ENABLED_ANNOTATION = "servicemesh.kubesphere.io/enabled"

COMPONENT_INDEX = "servicemesh.component"
"""Index of objects by `component_key`."""

SELECTOR_INDEX = "servicemesh.selector"
"""Index of Services by `selector_keys`."""


def is_component(found: Mapping[str, str]) -> bool:
    """Whether these labels make something a component of an application."""
    return all(name in found for name in APPLICATION_LABELS)


def enabled(obj: Object) -> bool:
    """Whether its owner put the object into the mesh."""
    return annotations(obj).get(ENABLED_ANNOTATION) == "true"


def in_mesh(service: Object) -> bool:
    """Whether the Service gets objects of Istio: a component with ports and pods, put into the mesh."""
    spec = service.get("spec") or {}
    return (
        is_component(labels(service))
        and enabled(service)
        and bool(spec.get("ports"))
        and bool(spec.get("selector"))
    )


def component_of(obj: Object) -> str:
    """The component that the object is, or is about; empty where it names none."""
    return labels(obj).get(APP_LABEL, "")


def component_key(obj: Object) -> str | None:
    """What finds the objects about one component of one namespace."""
    component = component_of(obj)
    return component_in(obj["metadata"]["namespace"], component) if component else None


def component_in(namespace: str, component: str) -> str:
    """The value of `component_key` for a component."""
    return f"{namespace}/{component}"


def selector_keys(service: Object) -> list[str]:
    """What finds the Services that may select a set of labels: one of their pairs."""
    selector: dict[str, str] = (service.get("spec") or {}).get("selector") or {}
    return label_keys(service["metadata"]["namespace"], dict(sorted(selector.items())[:1]))


def label_keys(namespace: str, found: Mapping[str, str]) -> list[str]:
    """The values of `selector_keys` that labels may be found under."""
    return [f"{namespace}/{name}={value}" for name, value in found.items()]


def subset_name(version: str) -> str:
    """The subset of a version: without the characters that v2.1.1 strips."""
    return version.translate(str.maketrans("", "", "._-"))
