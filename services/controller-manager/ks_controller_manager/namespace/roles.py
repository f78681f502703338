"""The Roles in each namespace of a workspace, and the binding of whoever created it.  Pure.

Names, annotations and rules are those of v2.1.1, with these differences, which
docs/compatibility/controller-manager.md explains: a viewer reads no Secrets (viewer-secrets), and only the
admin and the operator may run commands in pods (operator-exec).
"""

from __future__ import annotations

from ks_controller_manager.names import (
    ADMIN,
    CREATOR_ANNOTATION,
    DESCRIPTION_ANNOTATION,
    OPERATOR,
    SYSTEM,
    VIEWER,
)
from ks_controller_manager.rbac import Rule, binding_object, role_object, role_ref, rule, user
from kubekit.resource import Object

_DESCRIPTIONS = {
    ADMIN: "Allows admin access to perform any action on any resource, "
    "it gives full control over every resource in the namespace.",
    OPERATOR: "The maintainer of the namespace "
    "who can manage resources other than users and roles in the namespace.",
    VIEWER: "Allows viewer access to view all resources in the namespace.",
}

_PLATFORM_GROUPS = [
    "alerting.kubesphere.io",
    "app.k8s.io",
    "devops.kubesphere.io",
    "iam.kubesphere.io",
    "logging.kubesphere.io",
    "monitoring.kubesphere.io",
    "openpitrix.io",
    "operations.kubesphere.io",
    "servicemesh.kubesphere.io",
]

# Of the core group and its aggregation, all that a namespace holds but Secrets, and of the subresources
# only those that tell: `get` on pods/exec, pods/proxy and the like reaches into the workload.
_CORE_READABLE = [
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "namespaces/status",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "pods",
    "pods/log",
    "pods/status",
    "podtemplates",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "replicationcontrollers/status",
    "resourcequotas",
    "resourcequotas/status",
    "serviceaccounts",
    "services",
    "services/status",
]

# What resources.kubesphere.io lists from other groups of Kubernetes, and what it computes.
_AGGREGATED_READABLE = [
    "abnormalworkloads",
    "applications",
    "cronjobs",
    "daemonsets",
    "daemonsets/revisions",
    "deployments",
    "deployments/revisions",
    "horizontalpodautoscalers",
    "ingresses",
    "jobs",
    "quotas",
    "roles",
    "router",
    "s2ibuilders",
    "s2iruns",
    "statefulsets",
    "statefulsets/revisions",
]

_WORKLOAD_GROUPS = [
    "apps",
    "autoscaling",
    "batch",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "metrics.k8s.io",
    "monitoring.coreos.com",
    "network.kubesphere.io",
    "networking.istio.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "tenant.kubesphere.io",
]


def roles(namespace: str) -> list[Object]:
    """The admin, operator and viewer Roles of `namespace`."""
    return [
        role_object(
            "Role",
            {
                "name": role,
                "namespace": namespace,
                "annotations": {DESCRIPTION_ANNOTATION: _DESCRIPTIONS[role], CREATOR_ANNOTATION: SYSTEM},
            },
            rules,
        )
        for role, rules in _RULES.items()
    ]


def creator_binding(namespace: Object) -> Object | None:
    """Makes whoever created `namespace` its admin.

    None where nobody is named, or nobody who can have a binding.
    """
    meta = namespace["metadata"]
    creator: str = (meta.get("annotations") or {}).get(CREATOR_ANNOTATION, "")
    if not creator or "/" in creator or "%" in creator:
        return None
    metadata = {"name": f"{ADMIN}-{creator}", "namespace": meta["name"]}
    return binding_object("RoleBinding", metadata, role_ref("Role", ADMIN), [user(creator)])


_RULES: dict[str, list[Rule]] = {
    ADMIN: [rule("*", ["*"], ["*"])],
    OPERATOR: [
        rule("get list watch", ["*"], ["*"]),
        rule(
            "*",
            [
                "apps",
                "extensions",
                "batch",
                "logging.kubesphere.io",
                "monitoring.kubesphere.io",
                "iam.kubesphere.io",
                "autoscaling",
                "alerting.kubesphere.io",
                "openpitrix.io",
                "app.k8s.io",
                "servicemesh.kubesphere.io",
                "operations.kubesphere.io",
                "devops.kubesphere.io",
            ],
            ["*"],
        ),
        rule(
            "*",
            ["", "resources.kubesphere.io"],
            [
                "jobs",
                "cronjobs",
                "daemonsets",
                "deployments",
                "horizontalpodautoscalers",
                "ingresses",
                "endpoints",
                "configmaps",
                "events",
                "persistentvolumeclaims",
                "pods",
                "podtemplates",
                "pods",
                "secrets",
                "services",
            ],
        ),
        rule("create", [""], ["pods/exec", "pods/attach", "pods/portforward"]),
    ],
    VIEWER: [
        rule("get list watch", ["", "resources.kubesphere.io"], _CORE_READABLE),
        rule("get list watch", ["resources.kubesphere.io"], _AGGREGATED_READABLE),
        rule("get list watch", _WORKLOAD_GROUPS + _PLATFORM_GROUPS, ["*"]),
    ],
}
