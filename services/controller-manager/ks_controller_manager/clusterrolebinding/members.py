"""The RoleBindings that a workspace's admins and viewers get in each of its namespaces.  Pure.

As in v2.1.1 these are RoleBindings `admin` and `viewer`, to the Roles of the same names, and list exactly
the subjects of the workspace's ClusterRoleBinding; regular members get none.
"""

from __future__ import annotations

from ks_controller_manager.names import (
    ADMIN,
    CREATOR_ANNOTATION,
    SYSTEM,
    VIEWER,
    WORKSPACE_LABEL,
    workspace_role,
)
from ks_controller_manager.rbac import binding_object, role_ref
from kubekit.objects import annotations, controller_of, labels
from kubekit.resource import WORKSPACES, Object

MEMBER_ROLES = (ADMIN, VIEWER)


def sources(workspace: str) -> dict[str, str]:
    """For each member role, the name of the ClusterRoleBinding that says who has it in `workspace`."""
    return {role: workspace_role(workspace, role) for role in MEMBER_ROLES}


def member_binding(namespace: str, role: str, source: Object) -> Object:
    """The RoleBinding of `role` in `namespace`, with the subjects of the ClusterRoleBinding `source`."""
    return binding_object(
        "RoleBinding",
        {"name": role, "namespace": namespace},
        role_ref("Role", role),
        source.get("subjects") or [],
    )


def workspace_of_binding(binding: Object) -> str | None:
    """The workspace whose members a ClusterRoleBinding names.

    None for one that the workspace does not control.
    """
    owner = controller_of(binding)
    workspace = labels(binding).get(WORKSPACE_LABEL)
    if workspace is None or owner is None or (owner["kind"], owner["name"]) != (WORKSPACES.kind, workspace):
        return None
    return workspace if binding["metadata"]["name"] in sources(workspace).values() else None


def made_by_platform(binding: Object, role: Object) -> bool:
    """Whether `binding` is a member binding of the platform, not a user's own of the same name.

    v2.1.1 marks the Role with its creator and the binding not at all, so the Role has to tell.
    """
    name = binding["metadata"]["name"]
    return (
        binding["roleRef"] == role_ref("Role", name) and annotations(role).get(CREATOR_ANNOTATION) == SYSTEM
    )


def written_by(binding: Object, manager: str) -> bool:
    """Whether a field manager wrote `binding`, which is as the cluster has it, managedFields and all."""
    fields: list[Object] = binding["metadata"].get("managedFields") or []
    return any(one.get("manager") == manager for one in fields)
