"""The NetworkPolicy that a WorkspaceNetworkPolicy asks for in each namespace of its workspace.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ks_controller_manager.names import WORKSPACE_LABEL
from kubekit.resource import NETWORK_POLICIES, Object, Resource

WORKSPACE_NETWORK_POLICIES = Resource(
    "network.kubesphere.io", "v1alpha1", "workspacenetworkpolicies", "WorkspaceNetworkPolicy", False
)

POLICY_LABEL = "networking.kubesphere.io/wsnp"
"""Names the WorkspaceNetworkPolicy that a NetworkPolicy was made for."""

_PEERS = {"ingress": "from", "egress": "to"}
_KINDS_OF_PEER = ("podSelector", "namespaceSelector", "ipBlock")
_PORT = ("protocol", "port", "endPort")
_MEANT_EMPTY = {*_KINDS_OF_PEER, "workspaceSelector"}

WorkspacesOf = Callable[[Object], Iterable[str]]
"""The names of the workspaces that a label selector selects."""


def workspace_of(policy: Object) -> str | None:
    """The workspace that the policy is about."""
    return (policy.get("spec") or {}).get("workspace") or None


def name_of(policy: Object) -> str:
    """The name of its NetworkPolicies."""
    return f"{policy['metadata']['name']}-np"


def selects_workspaces(policy: Object) -> bool:
    """Whether what it asks for depends on which workspaces there are."""
    spec = policy.get("spec") or {}
    return any(
        "workspaceSelector" in peer
        for direction, peers in _PEERS.items()
        for rule in spec.get(direction) or []
        for peer in rule.get(peers) or []
    )


def spec(policy: Object, workspaces_of: WorkspacesOf) -> dict[str, Any]:
    """The spec of its NetworkPolicies, with the defaults that the API server would fill in."""
    asked = policy.get("spec") or {}
    rules = {
        direction: [
            translated
            for rule in asked.get(direction) or []
            if (translated := _rule(rule, peers, workspaces_of)) is not None
        ]
        for direction, peers in _PEERS.items()
    }
    types = asked.get("policyTypes") or ["Ingress", *(["Egress"] if asked.get("egress") else [])]
    return canonical({"podSelector": {}, **rules, "policyTypes": types})


def network_policy(policy: Object, namespace: str, wanted: dict[str, Any]) -> Object:
    """The NetworkPolicy for one namespace, with the spec `wanted`."""
    return {
        "apiVersion": NETWORK_POLICIES.api_version,
        "kind": NETWORK_POLICIES.kind,
        "metadata": {
            "name": name_of(policy),
            "namespace": namespace,
            "labels": {POLICY_LABEL: policy["metadata"]["name"]},
        },
        "spec": wanted,
    }


def canonical(value: Any) -> Any:
    """A copy without what the API server drops, so that equal specs are equal.

    Empty lists and maps go, except where empty means everything: selectors, and rules and peers in lists.
    """
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if not isinstance(value, dict):
        return value
    copied = {name: canonical(item) for name, item in value.items()}
    return {name: item for name, item in copied.items() if item not in (None, [], {}) or name in _MEANT_EMPTY}


def _rule(rule: dict[str, Any], peers: str, workspaces_of: WorkspacesOf) -> dict[str, Any] | None:
    """The rule, or None when its peers are workspaces of which there are none.

    Without peers it would admit everybody.
    """
    ports = [
        {"protocol": "TCP"} | {name: port[name] for name in _PORT if port.get(name) is not None}
        for port in rule.get("ports") or []
    ]
    asked = rule.get(peers) or []
    found = [peer for one in asked if (peer := _peer(one, workspaces_of)) is not None]
    if asked and not found:
        return None
    return {"ports": ports, peers: found}


def _peer(peer: dict[str, Any], workspaces_of: WorkspacesOf) -> dict[str, Any] | None:
    known = {name: peer[name] for name in _KINDS_OF_PEER if peer.get(name) is not None}
    selector = peer.get("workspaceSelector")
    if selector is None:
        return known
    if not canonical(selector):
        return {"namespaceSelector": {}} | known
    workspaces = sorted(workspaces_of(selector))
    if not workspaces:
        return None
    return known | {"namespaceSelector": _narrowed(known.get("namespaceSelector") or {}, workspaces)}


def _narrowed(selector: dict[str, Any], workspaces: list[str]) -> dict[str, Any]:
    """The namespace selector, for namespaces of these workspaces only."""
    labels: dict[str, str] = selector.get("matchLabels") or {}
    if len(workspaces) == 1 and labels.get(WORKSPACE_LABEL, workspaces[0]) == workspaces[0]:
        return {**selector, "matchLabels": labels | {WORKSPACE_LABEL: workspaces[0]}}
    among = {"key": WORKSPACE_LABEL, "operator": "In", "values": workspaces}
    expressions: list[dict[str, Any]] = selector.get("matchExpressions") or []
    return {**selector, "matchExpressions": [*expressions, among]}
