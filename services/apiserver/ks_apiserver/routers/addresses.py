"""At which address the router of a node port is reached. Pure."""

from collections.abc import Iterable

from kubekit.objects import labels
from kubekit.resource import Object

_CONTROL_PLANE = ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane")


def with_address(service: Object, nodes: Iterable[Object]) -> Object:
    """The Service, with the address of a node in its status where no load balancer gives it one.

    As in v2.1.1 that is the last node of the control plane by name; else the last of all, as the port is open
    on each.
    """
    status = service.setdefault("status", {}).setdefault("loadBalancer", {})
    if service["spec"]["type"] != "LoadBalancer" and not status.get("ingress"):
        address = _address(nodes)
        if address:
            status["ingress"] = [{"ip": address}]
    return service


def _address(nodes: Iterable[Object]) -> str | None:
    """The internal address of the node that is chosen."""
    known = sorted(nodes, key=lambda node: (_leads(node), node["metadata"]["name"]), reverse=True)
    addresses = (known[0].get("status") or {}).get("addresses") or () if known else ()
    return next((each["address"] for each in addresses if each["type"] == "InternalIP"), None)


def _leads(node: Object) -> bool:
    return any(label in labels(node) for label in _CONTROL_PLANE)
