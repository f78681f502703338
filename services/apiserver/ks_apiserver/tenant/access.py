"""Who may do what in the tenant API: every decision of it, and none elsewhere.

What nothing here allows is refused. The rules are those that the roles of a workspace state: rights on
`workspaces` and on their sub-resources, with the workspace as resource name. In namespaces the rules are
Kubernetes' own. Refusals name neither workspace nor namespace, so that a stranger cannot tell what exists.
"""

from ks_apiserver import labels
from ks_apiserver.clients.kubernetes import translated
from kubekit.rbac import ALL, Names, RbacIndex, RequestInfo, Rule, effective_groups
from kubekit.rbac.demands import missing
from servicekit.errors import Forbidden
from servicekit.identity import Identity

GROUP = "tenant.kubesphere.io"
VERSION = "v1alpha2"

EVERYTHING = Rule(verbs=("*",), api_groups=("*",), resources=("*",))


class Access:
    """Answers from the cluster's roles and bindings; raises Unavailable until these were read."""

    def __init__(self, rbac: RbacIndex) -> None:
        self._rbac = rbac

    def workspaces(self, caller: Identity) -> Names:
        """The workspaces that the caller finds in a list: those that their roles let them list or get."""
        who = _subject(caller)
        with translated():
            listed = self._rbac.names(*who, _tenant("list", "workspaces"))
            if listed is ALL:
                return ALL
            got = self._rbac.names(*who, _tenant("get", "workspaces"))
        return ALL if got is ALL else listed | got

    def namespaces(self, user: str, groups: tuple[str, ...] = ()) -> Names:
        """The namespaces that a user reaches: all, where they may list them all, here or in Kubernetes; else
        those where a binding of theirs grants anything.
        """
        who = user, effective_groups(user, groups)
        with translated():
            everywhere = _tenant("list", "namespaces"), _kubernetes_namespace("list")
            if any(self._rbac.allows(*who, request).allowed for request in everywhere):
                return ALL
            return self._rbac.bound_namespaces(*who)

    def may_read_workspace(self, caller: Identity, workspace: str) -> bool:
        """Whether a role of the caller's lets them read the workspace."""
        return self._allows(caller, _tenant("get", "workspaces", workspace))

    def unreadable_workspace(self, caller: Identity) -> Forbidden:
        """The refusal for who may not read a workspace, whether or not there is one."""
        return _refusal(caller, _tenant("get", "workspaces"))

    def require_member_reader(self, caller: Identity, workspace: str) -> None:
        """Raises Forbidden unless the caller may look at what another member of the workspace reaches."""
        self._require(caller, _tenant("get", "workspaces", workspace, "members"))

    def require_devops(self, caller: Identity, workspace: str, verb: str) -> None:
        """Raises Forbidden unless the caller may `create` or `delete` DevOps projects in the workspace."""
        self._require(caller, _tenant(verb, "workspaces", workspace, "devops"))

    def may_do_everything(self, caller: Identity) -> bool:
        """Whether a role of the caller's lets them do everything in the cluster."""
        with translated():
            return missing(self._rbac.rules(*_subject(caller)), [EVERYTHING]) is None

    def require_namespace_creator(self, caller: Identity, workspace: str) -> None:
        """Raises Forbidden unless the caller may create namespaces in the workspace."""
        self._require(caller, _tenant("create", "workspaces", workspace, "namespaces"))
        if workspace == labels.SYSTEM_WORKSPACE:
            self._require(caller, _kubernetes_namespace("create"))

    def may_set_reserved_labels(self, caller: Identity) -> bool:
        """Whether the caller could create any namespace in Kubernetes itself, with whatever labels."""
        return self._allows(caller, _kubernetes_namespace("create"))

    def may_delete_namespace_itself(self, caller: Identity, namespace: str) -> bool:
        """Whether Kubernetes lets the caller delete the namespace."""
        return self._allows(caller, _kubernetes_namespace("delete", namespace))

    def require_namespace_deleter(self, caller: Identity, workspace: str) -> None:
        """Raises Forbidden unless the caller may delete any namespace of the workspace.

        Those of the system workspace are deleted by whom Kubernetes lets, and by nobody else: who manages
        workspaces does not manage what the cluster runs in.
        """
        if workspace == labels.SYSTEM_WORKSPACE:
            self._require(caller, _kubernetes_namespace("delete"))
        self._require(caller, _tenant("delete", "workspaces", workspace, "namespaces"))

    def _allows(self, caller: Identity, request: RequestInfo) -> bool:
        with translated():
            return self._rbac.allows(*_subject(caller), request).allowed

    def _require(self, caller: Identity, request: RequestInfo) -> None:
        if not self._allows(caller, request):
            raise _refusal(caller, request)


def _refusal(caller: Identity, request: RequestInfo) -> Forbidden:
    """The same words whether or not what was asked for exists."""
    return Forbidden(f'User "{caller.user}" cannot {request}')


def _subject(caller: Identity) -> tuple[str, tuple[str, ...]]:
    return caller.user, effective_groups(caller.user, caller.groups)


def _tenant(verb: str, resource: str, name: str = "", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        is_resource=True,
        verb=verb,
        path="",
        api_prefix="kapis",
        api_group=GROUP,
        api_version=VERSION,
        resource=resource,
        subresource=subresource,
        name=name,
    )


def _kubernetes_namespace(verb: str, name: str = "") -> RequestInfo:
    return RequestInfo(
        is_resource=True,
        verb=verb,
        path="",
        api_prefix="api",
        api_version="v1",
        namespace=name,
        resource="namespaces",
        name=name,
    )
