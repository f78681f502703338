"""The ClusterRoles and ClusterRoleBindings that a workspace implies.  Pure.

Names, labels, annotations and rules are those of v2.1.1, but that admins and viewers cannot watch all
namespaces of the cluster: see workspace-watch in docs/compatibility/controller-manager.md.
"""

from __future__ import annotations

from ks_controller_manager.names import (
    ADMIN,
    ALIAS_ANNOTATION,
    CREATOR_ANNOTATION,
    DESCRIPTION_ANNOTATION,
    REGULAR,
    SYSTEM,
    VIEWER,
    WORKSPACE_LABEL,
    workspace_role,
)
from ks_controller_manager.rbac import Rule, binding_object, role_object, role_ref, rule, user
from kubekit.apply import keep_items
from kubekit.resource import Object

ROLES = (ADMIN, REGULAR, VIEWER)

_DESCRIPTIONS = {
    ADMIN: "Allows admin access to perform any action on any resource, "
    "it gives full control over every resource in the workspace.",
    REGULAR: "Normal user in the workspace, can create namespace and DevOps project.",
    VIEWER: "Allows viewer access to view all resources in the workspace.",
}

_APPS = "openpitrix.io"


def cluster_roles(workspace: Object) -> list[Object]:
    """The admin, regular and viewer ClusterRoles of `workspace`."""
    name: str = workspace["metadata"]["name"]
    return [role_object("ClusterRole", _role_metadata(name, role), _rules(name)[role]) for role in ROLES]


def bindings(workspace: Object) -> list[Object]:
    """The three ClusterRoleBindings of `workspace`, with nobody in them but its manager as an admin.

    Who else is a member is the present bindings' own to say: they are merged by `with_members`.
    """
    name: str = workspace["metadata"]["name"]
    manager: str = workspace.get("spec", {}).get("manager", "")
    return [
        binding_object(
            "ClusterRoleBinding",
            {"name": workspace_role(name, role), "labels": {WORKSPACE_LABEL: name}},
            role_ref("ClusterRole", workspace_role(name, role)),
            [user(manager)] if manager and role == ADMIN else [],
        )
        for role in ROLES
    ]


def with_members(present: Object, wanted: Object) -> Object:
    """`wanted` as it is to be written over `present`: a binding keeps the members that it has."""
    if wanted["kind"] != "ClusterRoleBinding":
        return wanted
    return keep_items(present, wanted, "subjects", ("kind", "name", "namespace"))


def _role_metadata(workspace: str, role: str) -> dict[str, object]:
    return {
        "name": workspace_role(workspace, role),
        "labels": {WORKSPACE_LABEL: workspace},
        "annotations": {
            ALIAS_ANNOTATION: f"workspace-{role}",
            DESCRIPTION_ANNOTATION: _DESCRIPTIONS[role],
            CREATOR_ANNOTATION: SYSTEM,
        },
    }


def _rules(workspace: str) -> dict[str, list[Rule]]:
    only = [workspace]
    return {
        ADMIN: [
            rule("*", ["*"], ["workspaces", "workspaces/*"], only),
            rule("list", ["iam.kubesphere.io"], ["users"]),
            rule("get list", [_APPS], ["categories"]),
            rule(
                "*",
                [_APPS],
                [
                    "applications",
                    "apps",
                    "apps/versions",
                    "apps/events",
                    "apps/action",
                    "apps/audits",
                    "repos",
                    "repos/action",
                    "attachments",
                ],
            ),
        ],
        REGULAR: [
            rule("get", ["*"], ["workspaces"], only),
            rule("create", ["tenant.kubesphere.io"], ["workspaces/namespaces", "workspaces/devops"], only),
            rule("get", ["iam.kubesphere.io"], ["workspaces/members"], only),
            rule("get list", [_APPS], ["apps/events", "apps/action", "apps/audits", "categories"]),
            rule(
                "*",
                [_APPS],
                ["applications", "apps", "apps/versions", "repos", "repos/action", "attachments"],
            ),
        ],
        VIEWER: [
            rule("get list", ["*"], ["workspaces", "workspaces/*"], only),
            rule(
                "get list",
                [_APPS],
                [
                    "applications",
                    "apps",
                    "apps/events",
                    "apps/action",
                    "apps/audits",
                    "apps/versions",
                    "repos",
                    "categories",
                    "attachments",
                ],
            ),
        ],
    }
