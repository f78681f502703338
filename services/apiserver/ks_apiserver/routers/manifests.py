"""The objects of a namespace's router, as v2.1.1 names and labels them. Pure.

Each router has an account of its own, whose rights end at its namespace: the ClusterRole `kubesphere-router`
bound there, and in the platform's namespace what names its own objects.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from kubekit.objects import owner_reference
from kubekit.resource import Object

CONTROLS_NAMESPACE = "kubesphere-controls-system"
PREFIX = "kubesphere-router-"
PROJECT = "project"
"""Label: the namespace that a router serves."""
SELECTOR = "app=kubesphere,component=ks-router,tier=backend"
"""Labels of the Services of all routers."""
ROLE = "kubesphere-router"
"""The ClusterRole of every router in its namespace, and the name of the RoleBinding that gives it."""
MESH = "servicemesh.kubesphere.io/enabled"
_INJECT = "sidecar.istio.io/inject"
_RBAC = "rbac.authorization.k8s.io"

Kind = Literal["NodePort", "LoadBalancer"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The router of `namespace`, as its users want it."""

    namespace: str
    kind: Kind
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        """Of everything that belongs to it in the platform's namespace."""
        return PREFIX + self.namespace


def service(wanted: Wanted) -> Object:
    """Where it is reached."""
    made = _template("service")
    made["metadata"] |= {
        "name": wanted.name,
        "namespace": CONTROLS_NAMESPACE,
        "annotations": dict(wanted.annotations),
        "labels": {**made["metadata"]["labels"], PROJECT: wanted.namespace},
    }
    made["spec"]["type"] = wanted.kind
    made["spec"]["selector"][PROJECT] = wanted.namespace
    return made


def deployment(wanted: Wanted, image: str) -> Object:
    """What serves."""
    made = _template("deployment")
    made["metadata"] |= {"name": wanted.name, "namespace": CONTROLS_NAMESPACE}
    made["metadata"]["labels"][PROJECT] = wanted.namespace
    made["spec"]["selector"]["matchLabels"][PROJECT] = wanted.namespace
    template = made["spec"]["template"]
    template["metadata"]["labels"][PROJECT] = wanted.namespace
    template["metadata"]["annotations"][_INJECT] = str(wanted.annotations.get(MESH) == "true").lower()
    template["spec"]["serviceAccountName"] = wanted.name
    container: dict[str, Any] = template["spec"]["containers"][0]
    container["image"] = image
    container["args"] += [
        f"--watch-namespace={wanted.namespace}",
        f"--configmap=$(POD_NAMESPACE)/{wanted.name}",
        f"--election-id={wanted.name}",
        f"--publish-service={CONTROLS_NAMESPACE}/{wanted.name}"
        if wanted.kind == "LoadBalancer"
        else "--report-node-internal-ip-address",
    ]
    return made


def account(wanted: Wanted, owner: Object) -> list[Object]:
    """Who it is, and what it may do in the platform's namespace; `owner` is its Deployment, as stored."""
    metadata = {
        "name": wanted.name,
        "namespace": CONTROLS_NAMESPACE,
        "labels": {PROJECT: wanted.namespace},
        "ownerReferences": [owner_reference(owner, controller=False)],
    }
    own = {"resourceNames": [wanted.name]}
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps", "services"],
            "verbs": ["get", "list", "watch"],
            **own,
        },
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "update"], **own},
    ]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        _binding(metadata, "Role", wanted.name, wanted),
    ]


def binding(wanted: Wanted) -> Object:
    """What it may do in the namespace that it serves."""
    return _binding({"name": ROLE, "namespace": wanted.namespace}, "ClusterRole", ROLE, wanted)


def _binding(metadata: Object, kind: str, role: str, wanted: Wanted) -> Object:
    subject = {"kind": "ServiceAccount", "name": wanted.name, "namespace": CONTROLS_NAMESPACE}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role},
        "subjects": [subject],
    }


def _template(name: str) -> Object:
    return copy.deepcopy(_read(name))


@cache
def _read(name: str) -> Object:
    text = resources.files("ks_apiserver.routers").joinpath("templates", f"{name}.yaml").read_text("utf-8")
    return yaml.safe_load(text)
