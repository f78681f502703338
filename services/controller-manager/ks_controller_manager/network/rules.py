"""The NetworkPolicy that a NamespaceNetworkPolicy asks for.  Pure.

A NamespaceNetworkPolicy is written as a policy of Calico, which can say more than a NetworkPolicy: what a
NetworkPolicy cannot say is refused as a whole, as half of a policy would open or close what it should not.
"""

from __future__ import annotations

import ipaddress
from itertools import product
from typing import Any

from ks_controller_manager.network.expressions import NotExpressible, selectors
from ks_controller_manager.network.policies import canonical
from kubekit.resource import NETWORK_POLICIES, Object, Resource

NAMESPACE_NETWORK_POLICIES = Resource(
    "network.kubesphere.io", "v1alpha1", "namespacenetworkpolicies", "NamespaceNetworkPolicy", True
)

FINALIZER = "nsnp.finalizers.networking.kubesphere.io"
"""Put there by v2.1.1, which had to clean up by hand."""

MAX_RULES = 500
"""Of a NetworkPolicy, however many alternatives a rule has."""

_PEER_FIELDS = frozenset({"nets", "notNets", "selector", "namespaceSelector", "ports"})
_RULE_FIELDS = frozenset({"action", "protocol", "source", "destination"})
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_ANYWHERE = ("0.0.0.0/0", "::/0")
_NAMESPACE_NAME = {"projectcalico.org/name": "kubernetes.io/metadata.name"}

Rule = dict[str, Any]


def network_policy(policy: Object) -> Object:
    """The NetworkPolicy, in the namespace of the policy. Raises NotExpressible."""
    metadata = policy["metadata"]
    return {
        "apiVersion": NETWORK_POLICIES.api_version,
        "kind": NETWORK_POLICIES.kind,
        "metadata": {"name": f"{metadata['name']}-nsnp", "namespace": metadata["namespace"]},
        "spec": spec(policy.get("spec") or {}),
    }


def spec(asked: dict[str, Any]) -> dict[str, Any]:
    """The spec of the NetworkPolicy, with what the API server would fill in. Raises NotExpressible."""
    pods = selectors(asked.get("selector") or "")
    if not pods:
        raise NotExpressible("spec.selector selects nothing")
    if len(pods) != 1:
        raise NotExpressible("spec.selector has alternatives: write a policy for each of them")
    ingress, egress = asked.get("ingress") or [], asked.get("egress") or []
    default = ["Ingress"] if not egress else ["Ingress", "Egress"] if ingress else ["Egress"]
    wanted = {
        "podSelector": pods[0],
        "ingress": _rules(ingress, "source", "from", "spec.ingress"),
        "egress": _rules(egress, "destination", "to", "spec.egress"),
        "policyTypes": asked.get("types") or default,
    }
    return canonical(wanted)


def _rules(asked: list[Rule], peer: str, field: str, where: str) -> list[Rule]:
    found: list[Rule] = []
    for number, rule in enumerate(_allowing(asked, where)):
        place = f"{where}[{number}]"
        _only(rule, _RULE_FIELDS, place)
        found += _rule(rule, peer, field, place)
    if len(found) > MAX_RULES:
        raise NotExpressible(f"{where} becomes more than {MAX_RULES} rules")
    return found


def _allowing(asked: list[Rule], where: str) -> list[Rule]:
    """The rules that let traffic through. What comes after the last of them is refused without being told."""
    actions = [rule.get("action") for rule in asked]
    last = max((number for number, action in enumerate(actions) if action == "Allow"), default=-1)
    for number, action in enumerate(actions):
        if action not in ("Allow", "Deny") or (action == "Deny" and number < last):
            why = "before one that allows" if action == "Deny" else "at all"
            raise NotExpressible(f"{where}[{number}]: the action {action} cannot be taken {why}")
    return asked[: last + 1]


def _rule(rule: Rule, peer: str, field: str, where: str) -> list[Rule]:
    other = "destination" if peer == "source" else "source"
    near = {name: value for name, value in (rule.get(other) or {}).items() if value}
    far = rule.get(peer) or {}
    _only(far, _PEER_FIELDS - ({"ports"} if peer == "source" else set()), f"{where}.{peer}")
    _only(near, {"ports"} if peer == "source" else set(), f"{where}.{other}")
    asked = near.get("ports") if peer == "source" else far.get("ports")
    translated: Rule = {"ports": _ports(asked or [], rule.get("protocol"), where)}
    peers = _peers(far, f"{where}.{peer}")
    if peers is None:
        return [translated]
    # Without peers a rule would let everybody through, not nobody.
    return [translated | {field: peers}] if peers else []


def _ports(asked: list[Any], protocol: Any, where: str) -> list[dict[str, Any]]:
    if protocol is not None and protocol not in _PROTOCOLS:
        raise NotExpressible(f"{where}.protocol: {protocol} is none of {', '.join(_PROTOCOLS)}")
    if not asked:
        return [{"protocol": protocol}] if protocol else []
    if protocol is None:
        raise NotExpressible(f"{where}.protocol: needed, as there are ports")
    return [{"protocol": protocol} | _port(port, where) for port in asked]


def _port(port: Any, where: str) -> dict[str, Any]:
    """A number, a name, or a range as in "8000:9000"."""
    if isinstance(port, int):
        return {"port": port}
    first, _, last = str(port).partition(":")
    if not last:
        return {"port": int(first) if first.isdecimal() else first}
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise NotExpressible(f"{where}: {port!r} is no range of ports")
    return {"port": int(first), "endPort": int(last)}


def _peers(asked: dict[str, Any], where: str) -> list[dict[str, Any]] | None:
    """Whom a rule is about; None for everybody."""
    nets, excluded = asked.get("nets") or [], asked.get("notNets") or []
    chosen = asked.get("selector"), asked.get("namespaceSelector")
    if (nets or excluded) and any(chosen):
        raise NotExpressible(f"{where}: addresses and selectors cannot be asked for at once")
    if nets or excluded:
        return _blocks(nets or list(_ANYWHERE), excluded, where)
    if not any(chosen):
        return None
    pods, namespaces = selectors(chosen[0] or ""), selectors(chosen[1] or "")
    return [
        ({"podSelector": pod} if chosen[0] else {})
        | ({"namespaceSelector": _named(namespace)} if chosen[1] else {})
        for pod, namespace in product(pods, namespaces)
    ]


def _blocks(nets: list[str], excluded: list[str], where: str) -> list[dict[str, Any]]:
    """The blocks of addresses, each without what it holds of the excluded ones."""
    outside = [_network(net, where) for net in excluded]
    blocks = []
    for net in (_network(net, where) for net in nets):
        within = [str(one) for one in outside if one.version == net.version and one.subnet_of(net)]  # pyright: ignore
        if not any(one.version == net.version and net.subnet_of(one) for one in outside):  # pyright: ignore
            blocks.append({"ipBlock": {"cidr": str(net), "except": within}})
    if not blocks:
        raise NotExpressible(f"{where}: notNets leaves nothing of nets")
    return blocks


def _network(text: str, where: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise NotExpressible(f"{where}: {text!r} is no block of addresses") from error


def _named(selector: dict[str, Any]) -> dict[str, Any]:
    """The selector of namespaces, with the label that Calico gives them for their name as Kubernetes' own."""
    labels = {_NAMESPACE_NAME.get(key, key): value for key, value in selector.get("matchLabels", {}).items()}
    expressions = [
        {**one, "key": _NAMESPACE_NAME.get(one["key"], one["key"])}
        for one in selector.get("matchExpressions", [])
    ]
    return {**selector, **({"matchLabels": labels} if labels else {})} | (
        {"matchExpressions": expressions} if expressions else {}
    )


def _only(found: dict[str, Any], known: frozenset[str] | set[str], where: str) -> None:
    for name, value in found.items():
        if name not in known and value not in (None, "", [], {}):
            raise NotExpressible(f"{where}.{name} has no counterpart in a NetworkPolicy")
