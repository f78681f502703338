"""The names that KubeSphere v2.1.1 gave to what its controllers write.

Clients and existing clusters rely on them.
"""

WORKSPACE_LABEL = "kubesphere.io/workspace"
ALIAS_ANNOTATION = "kubesphere.io/alias-name"
DESCRIPTION_ANNOTATION = "kubesphere.io/description"
CREATOR_ANNOTATION = "kubesphere.io/creator"

WORKSPACE_FINALIZER = "finalizers.tenant.kubesphere.io"
NAMESPACE_FINALIZER = "finalizers.kubesphere.io/namespaces"

SYSTEM = "system"
"""The creator of what the platform makes itself."""

SYSTEM_WORKSPACE = "system-workspace"
"""Holds the namespaces of Kubernetes and of the platform."""

CONTROLS_NAMESPACE = "kubesphere-controls-system"
ROUTER_PREFIX = "kubesphere-router-"
"""The ingress router of namespace x is `kubesphere-router-x` in CONTROLS_NAMESPACE."""

ADMIN = "admin"
OPERATOR = "operator"
VIEWER = "viewer"
REGULAR = "regular"


def workspace_role(workspace: str, role: str) -> str:
    """The name of a workspace's ClusterRole, and of the binding that makes members of it."""
    return f"workspace:{workspace}:{role}"
