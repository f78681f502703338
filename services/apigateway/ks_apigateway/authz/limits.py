"""What a token may be used for, where that is less than its user may do: refused here, whoever decides
about the user.

A token whose password must be changed serves for that alone. An API token serves for its verbs, and in its
workspaces: on paths that name one of them, or a namespace of one. What cannot be placed in a workspace is
outside of every one. No API token serves for what would outlive it or reach further: the credentials and the
account of a user.
"""

from ks_apigateway.authn.scope import Scope
from ks_apigateway.authn.token import Claims
from ks_apigateway.authz.access import KUBECTL_NAMESPACE
from ks_apigateway.proxy.request import Request
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.rbac import AmbiguousPath, RequestInfo
from kubekit.resource import NAMESPACES, Object
from servicekit.errors import BadRequest, Forbidden, Unavailable

WORKSPACE_LABEL = "kubesphere.io/workspace"
_IAM = "iam.kubesphere.io"
_TERMINALS = "terminal.kubesphere.io"
_ACTING = frozenset(("exec", "attach", "portforward", "proxy"))
"""Subresources through which a GET does anything."""
_OF_USERS = frozenset(("", "logs", "roles"))
"""What an API token may reach of a user; the rest are credentials and ways to them."""
_OWN_PROFILE = frozenset(("get", "update"))
_METHODS = {"post": "create", "put": "update", "head": "get"}


class Limits:
    """Holds tokens to what they are for."""

    def __init__(self, cluster: Cluster) -> None:
        self._namespaces = cluster.cache(NAMESPACES, trim=_labels_alone, required=False)

    def check(self, claims: Claims, request: Request) -> None:
        """Raises Forbidden for what the token is not for; Unavailable while the namespaces are not known."""
        try:
            asked = RequestInfo.of(
                request.method_name, request.target.raw_text, request.query.decode("latin-1")
            )
        except AmbiguousPath as error:
            raise BadRequest(str(error)) from None
        if claims.must_change:
            _require_own_profile(claims.user, asked)
        if claims.scope is not None:
            _require_harmless(claims.user, asked)
            verb = _verb(asked, upgrades=bool(request.head.upgrade))
            if not claims.scope.has_verb(verb):
                raise _outside(f"it does not cover the verb {verb}")
            self._require_workspace(claims.scope, asked)

    def _require_workspace(self, scope: Scope, asked: RequestInfo) -> None:
        if scope.is_everywhere:
            return
        workspace = asked.workspace or self._workspace_of(asked.namespace)
        if workspace not in scope.workspaces:
            raise _outside("it is bound to workspaces, and this is in none of them")

    def _workspace_of(self, namespace: str) -> str:
        if not namespace:
            return ""
        try:
            self._namespaces.require()
        except KubernetesError as error:
            raise Unavailable("kubernetes", error.message, retry_after=1) from None
        found = self._namespaces.get(namespace)
        return ((found or {}).get("metadata", {}).get("labels") or {}).get(WORKSPACE_LABEL, "")


def _labels_alone(namespace: Object) -> Object:
    metadata = namespace["metadata"]
    kept = {key: metadata[key] for key in ("name", "uid", "resourceVersion", "labels") if key in metadata}
    return {"metadata": kept}


def _require_own_profile(user: str, asked: RequestInfo) -> None:
    own = asked.api_group == _IAM and asked.api_prefix == "kapis"
    is_profile = (asked.resource, asked.name, asked.subresource) == ("users", user, "")
    if own and is_profile and asked.verb in _OWN_PROFILE:
        return
    if own and (asked.resource, asked.name, asked.verb) == ("token", "", "deletecollection"):
        return  # signing out
    reason = f"the password must be changed first: PUT /kapis/{_IAM}/v1alpha2/users/{user}"
    raise _refused(reason, "PasswordChangeRequired")


def _require_harmless(user: str, asked: RequestInfo) -> None:
    if asked.namespace == KUBECTL_NAMESPACE and (
        asked.api_group == _TERMINALS or asked.subresource in _ACTING
    ):
        raise _outside("no API token is for the terminals of users, which have all rights of theirs")
    if asked.api_prefix != "kapis":
        return
    if asked.resource == "users":
        changes_itself = asked.name == user and asked.verb not in ("get", "list")
        if asked.subresource not in _OF_USERS or changes_itself:
            raise _outside("no API token is for credentials or for the account of its owner")
    if asked.api_group == _IAM and asked.resource == "token":
        raise _outside("no API token is for sessions")


def _verb(asked: RequestInfo, *, upgrades: bool) -> str:
    if upgrades or asked.subresource in _ACTING:
        return "create"
    return asked.verb if asked.is_resource else _METHODS.get(asked.verb, asked.verb)


def _outside(why: str) -> Forbidden:
    return _refused(f"this is outside of what the API token is for: {why}", "OutsideTokenScope")


def _refused(message: str, reason: str) -> Forbidden:
    return Forbidden(message, reason=reason, headers={"WWW-Authenticate": f"Forbidden,{message}"})
