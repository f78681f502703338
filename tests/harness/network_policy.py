"""Whether NetworkPolicies let one pod reach another, as a network that enforces them decides.

https://kubernetes.io/docs/concepts/services-networking/network-policies/; of what the API has, the parts that
the platform's own policies are made of: ingress, selectors of pods and namespaces, ports by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubekit.resource import Object

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Pod:
    """A pod in a namespace, by its labels."""

    namespace: str
    labels: Mapping[str, str]


def reaches(policies: Iterable[Object], source: Pod, target: Pod, port: str) -> bool:
    """Whether `source` may connect to the port called `port` of `target`."""
    of_target = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == target.namespace
        and "Ingress" in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], target.labels)
    ]
    if not of_target:
        return True
    rules = [rule for policy in of_target for rule in policy["spec"].get("ingress", [])]
    return any(_lets_in(rule, source, target, port) for rule in rules)


def _lets_in(rule: Mapping[str, Any], source: Pod, target: Pod, port: str) -> bool:
    ports = [each["port"] for each in rule.get("ports", [])]
    if ports and port not in ports:
        return False
    peers = rule.get("from", [])
    return not peers or any(_is_peer(peer, source, target) for peer in peers)


def _is_peer(peer: Mapping[str, Any], source: Pod, target: Pod) -> bool:
    if unknown := peer.keys() - {"podSelector", "namespaceSelector"}:
        raise ValueError(f"{', '.join(unknown)} of a peer is not understood")
    if "namespaceSelector" in peer:
        in_namespace = _selects(peer["namespaceSelector"], {NAMESPACE_LABEL: source.namespace})
    else:
        in_namespace = source.namespace == target.namespace
    return in_namespace and _selects(peer.get("podSelector", {}), source.labels)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if unknown := selector.keys() - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"{', '.join(unknown)} of a selector is not understood")
    expressions = selector.get("matchExpressions", [])
    if any(each["operator"] != "Exists" for each in expressions):
        raise ValueError("of expressions only Exists is understood")
    wanted = selector.get("matchLabels", {})
    return wanted.items() <= labels.items() and all(each["key"] in labels for each in expressions)
