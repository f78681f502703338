"""The VirtualService of a Service: what its strategy asks for, else all traffic to one version.  Pure.

Fields are those of Istio's networking.istio.io/v1alpha3:
https://istio.io/latest/docs/reference/config/networking/virtual-service/
"""

from __future__ import annotations

import copy
from typing import Any

from ks_controller_manager.servicemesh.components import VIRTUAL_SERVICES, component_of, subset_name
from kubekit.objects import labels
from kubekit.resource import Object

_KINDS = ("http", "tcp", "tls")


def virtual_service(service: Object, rule: Object, strategy: Object | None, present: Object | None) -> Object:
    """The VirtualService for `service`, whose versions are the subsets of `rule`, of which it needs one.

    It keeps what `present` says beside hosts and routes. It has no routes where nothing can be routed: see
    `has_routes`.
    """
    ready = [subset["name"] for subset in rule["spec"]["subsets"]]
    asked: dict[str, Any] = (strategy or {}).get("spec") or {}
    if strategy is not None and _applies(asked, ready):
        routes = _by_strategy(service, asked)
    else:
        routes = _to_one_version(service, _default(asked, ready))
    kept = {name: value for name, value in ((present or {}).get("spec") or {}).items() if name not in _KINDS}
    return {
        "apiVersion": VIRTUAL_SERVICES.api_version,
        "kind": VIRTUAL_SERVICES.kind,
        "metadata": {
            "name": component_of(service),
            "namespace": service["metadata"]["namespace"],
            "labels": labels(service),
        },
        # Who may write strategies need not be one who may take over the traffic of other hosts or gateways.
        "spec": kept | {"hosts": [service["metadata"]["name"]]} | routes,
    }


def has_routes(wanted: Object) -> bool:
    """Whether Istio could use it."""
    return any(wanted["spec"].get(kind) for kind in _KINDS)


def _applies(asked: dict[str, Any], ready: list[str]) -> bool:
    when = asked.get("strategyPolicy")
    if when == "Paused":
        return False
    return when != "WaitForWorkloadReady" or _subsets(_template(asked)) <= set(ready)


def _default(asked: dict[str, Any], ready: list[str]) -> str:
    """The version that takes all traffic: the one that the strategy refers to, else the first."""
    principal = subset_name(asked.get("principal") or "")
    return principal if principal in ready else ready[0]


def _to_one_version(service: Object, subset: str) -> dict[str, Any]:
    """All traffic to `subset`, by the first port for HTTP and the last for TCP before it, as in v2.1.1."""
    host = service["metadata"]["name"]
    routes: dict[str, Any] = {}
    for port in service["spec"]["ports"]:
        if port.get("protocol", "TCP") != "TCP":
            continue
        destination = {"host": host, "subset": subset, "port": {"number": port["port"]}}
        route = [{"route": [{"destination": destination, "weight": 100}]}]
        if _is_http(port.get("name", "")):
            routes["http"] = route
            break
        routes["tcp"] = route
    return routes


def _is_http(name: str) -> bool:
    """Istio takes the protocol of a port from its name."""
    return name == "http" or name.startswith("http-")


def _by_strategy(service: Object, asked: dict[str, Any]) -> dict[str, Any]:
    """The routes of the strategy's template, or all traffic to its governor once it has one."""
    template = _template(asked)
    routes = copy.deepcopy({kind: template[kind] for kind in _KINDS if template.get(kind)})
    governor = subset_name(asked.get("governor") or "")
    if governor:
        destination = {"host": service["metadata"]["name"], "subset": governor}
        route = [{"route": [{"destination": destination, "weight": 100}]}]
        if "http" in routes:
            routes["http"] = route
        elif "tcp" in routes:
            routes["tcp"] = route
    _fill_ports(routes, service["spec"]["ports"][0]["port"])
    return routes


def _fill_ports(spec: dict[str, Any], port: int) -> None:
    for destination in _destinations(spec, ("http", "tcp")):
        if not (destination.get("port") or {}).get("number"):
            destination["port"] = {"number": port}


def _subsets(spec: dict[str, Any]) -> set[str]:
    return {destination.get("subset") or "" for destination in _destinations(spec, _KINDS)} - {""}


def _destinations(spec: dict[str, Any], kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """Where its routes lead, mirrors included."""
    rules = [rule for kind in kinds for rule in spec.get(kind) or []]
    weighted = [
        one["destination"] for rule in rules for one in rule.get("route") or [] if "destination" in one
    ]
    return weighted + [rule["mirror"] for rule in rules if rule.get("mirror")]


def _template(asked: dict[str, Any]) -> dict[str, Any]:
    return (asked.get("template") or {}).get("spec") or {}
