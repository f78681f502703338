"""Which kinds of objects an Application consists of.  Pure.

The fields are those of app.k8s.io/v1beta1:
https://github.com/kubernetes-sigs/application/blob/master/docs/api.md
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kubekit.resource import Object, Resource

APPLICATIONS = Resource("app.k8s.io", "v1beta1", "applications", "Application", True)

MAX_KINDS = 32
"""Kinds of one Application that are looked at; each that is new to the cluster's applications is watched."""

KIND_INDEX = "component-kinds"
"""Index of Applications by `kind_keys`."""

_ONLY_A_VERSION = re.compile(r"[vV][0-9]")

_MOVED = {
    "DaemonSet": "apps",
    "Deployment": "apps",
    "Ingress": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "ReplicaSet": "apps",
}
"""Where the kinds of the group extensions, which Kubernetes 1.22 gave up, are served since."""


class Kind(NamedTuple):
    """A kind of some group, whatever its version; the core group is empty."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


def kinds(application: Object) -> list[Kind]:
    """The kinds that the Application names, each once, in its order, at most MAX_KINDS."""
    named: list[Any] = (application.get("spec") or {}).get("componentKinds") or []
    found = dict.fromkeys(_kind(one) for one in named if one.get("kind"))
    return list(found)[:MAX_KINDS]


def kind_keys(application: Object) -> list[str]:
    """What finds the Applications that a kind concerns, anywhere and in one namespace."""
    namespace = application["metadata"]["namespace"]
    return [key for kind in kinds(application) for key in (str(kind), kind_in(namespace, kind))]


def kind_in(namespace: str, kind: Kind) -> str:
    """The value of `kind_keys` for a kind in one namespace."""
    return f"{namespace}/{kind}"


def selector(application: Object) -> dict[str, Any] | None:
    """What selects the components; None selects nothing, an empty one everything in the namespace."""
    return (application.get("spec") or {}).get("selector")


def _kind(named: dict[str, Any]) -> Kind:
    group, kind = _without_version(named.get("group") or ""), named["kind"]
    return Kind(_MOVED.get(kind, group) if group == "extensions" else group, kind)


def _without_version(group: str) -> str:
    """The group of "apps/v1", "apps" or "v1": applications are written in each of these ways."""
    return "" if _ONLY_A_VERSION.match(group) else group.partition("/")[0]
