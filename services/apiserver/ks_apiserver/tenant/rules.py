"""What a caller may do in a workspace or namespace, in the named permissions that a console shows.

They tell callers about their own rights, so nobody is refused: who has none is answered an empty list, also
where there is no such workspace or namespace.
"""

from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.tenant.access import EVERYTHING
from kubekit.rbac import RbacIndex, Rule, effective_groups
from kubekit.rbac.demands import missing
from kubekit.rbac.permissions import NAMESPACE, WORKSPACE, SimpleRule
from servicekit.identity import Identity

_ALL_WORKSPACES = Rule(verbs=("*",), api_groups=("*",), resources=("workspaces", "workspaces/*"))
_ROLES = ("admin", "regular", "viewer")
"""Of a workspace, the one that allows most first."""


class OwnRules:
    """Answers from the cluster's roles and bindings. Everything raises Unavailable until these were read."""

    def __init__(self, rbac: RbacIndex) -> None:
        self._rbac = rbac

    def in_workspace(self, caller: Identity, workspace: str) -> list[SimpleRule]:
        """The permissions of the caller's role in the workspace, or in all of them."""
        who = caller.user, effective_groups(caller.user, caller.groups)
        with translated():
            held = self._rbac.rules(*who)
            bindings = self._rbac.bindings_of(*who)
        if missing(held, [EVERYTHING]) is None:
            return WORKSPACE["workspace-admin"]
        if missing(held, [_ALL_WORKSPACES]) is None:
            return WORKSPACE["workspaces-manager"]
        bound = {binding.role.name for binding in bindings if not binding.key.namespace}
        roles = (role for role in _ROLES if f"workspace:{workspace}:{role}" in bound)
        return next((WORKSPACE[f"workspace-{role}"] for role in roles), [])

    def in_namespace(self, caller: Identity, namespace: str) -> list[SimpleRule]:
        """The permissions that the caller's roles give in the namespace."""
        with translated():
            groups = effective_groups(caller.user, caller.groups)
            return NAMESPACE.of(self._rbac.rules(caller.user, groups, namespace))
