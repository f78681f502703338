"""The gateway's own decision about paths under /kapis, from the cluster's roles and bindings."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ks_apigateway.authn.token import Claims
from ks_apigateway.authz.refusal import NotAllowed
from kubekit.rbac import AmbiguousPath, Decision, RbacIndex, RequestInfo, effective_groups
from kubekit.rbac.index import RbacNotReady
from servicekit.errors import BadRequest, Unavailable
from servicekit.health import Health

OWN_READABLE = frozenset(("", "logs", "roles", "kubeconfig", "kubectl", "apitokens"))
"""What every user may read below `users/{self}`: the profile, the logins, the roles, the kubeconfig, the
terminal pod and the API tokens."""
OWN_CHANGEABLE = frozenset(
    (("update", ""), ("delete", "sessions"), ("create", "apitokens"), ("delete", "apitokens"))
)
"""And change: the profile with its password, the sessions, which can be ended, and the API tokens."""
KUBECTL_NAMESPACE = "kubesphere-controls-system"
"""Where the pods with kubectl are, one for each user."""
_TERMINALS = "terminal.kubesphere.io"
_POD_NAME_KEPT = 58
"""Characters of its Deployment that the name of a pod begins with; a random end follows."""
OWN_ACCOUNT = "everybody may do this with their own account"

_SHORT = 512
"""Characters; only what is shorter is remembered."""
CAPACITY = 4096
"""Permissions that are remembered."""
_read = lru_cache(maxsize=4096)(RequestInfo.of)
_groups = lru_cache(maxsize=4096)(effective_groups)


class Access:
    """Answers "may they?" for one request."""

    def __init__(self, index: RbacIndex, health: Health, stale: float) -> None:
        """`stale`: seconds for which the last known roles count while the API server is out of reach."""
        self._index = index
        self._kubernetes = health.states()["kubernetes"]
        self._stale = timedelta(seconds=stale)
        self._allowed: dict[tuple[str, tuple[str, ...], str, str], str] = {}
        self._generation = -1

    def check(self, claims: Claims, method: str, path: str) -> str:
        """Why the user may. Raises NotAllowed when they may not; Unavailable while the cluster's roles are
        not known.
        """
        question = (claims.user, claims.groups, method, path)
        because = self._allowed.get(question)
        if because is not None and self._generation == self._index.generation:
            self._check_age()
            return because
        request = read(method, path)
        if is_own(claims.user, request):
            return OWN_ACCOUNT
        generation = self._index.generation
        decision = self.decide(claims.user, claims.groups, request)
        if not decision.allowed:
            raise NotAllowed(request, decision.because)
        if len(path) <= _SHORT:
            self._remember(question, decision.because, generation)
        return decision.because

    def decide(self, user: str, groups: Iterable[str], request: RequestInfo) -> Decision:
        """What the cluster's roles and bindings say of `request`. Raises Unavailable while they are not
        known.
        """
        self._check_age()
        try:
            return self._index.allows(user, _groups(user, tuple(groups)), request)
        except RbacNotReady as error:
            raise Unavailable("kubernetes", str(error), retry_after=1) from None

    def _remember(
        self, question: tuple[str, tuple[str, ...], str, str], because: str, generation: int
    ) -> None:
        """What is allowed stays so until any role or binding changes."""
        if generation != self._generation or len(self._allowed) >= CAPACITY:
            self._allowed.clear()
            self._generation = generation
        self._allowed[question] = because

    def _check_age(self) -> None:
        state = self._kubernetes
        if not state.ready and datetime.now(UTC) - state.since > self._stale:
            raise Unavailable("kubernetes", f"{state.reason}; the roles are too old", retry_after=1)


def read(method: str, path: str) -> RequestInfo:
    """What `method` on `path` (as it was sent) asks for. Raises BadRequest where that is not clear."""
    try:
        return _read(method, path) if len(path) <= _SHORT else RequestInfo.of(method, path)
    except AmbiguousPath as error:
        raise BadRequest(str(error)) from None


def is_own(user: str, request: RequestInfo) -> bool:
    """Whether this is about the user's own account, and something that everybody may do with theirs."""
    if request.api_group == _TERMINALS:
        return _may_be_own_kubectl(user, request)
    if request.resource != "users" or request.name != user or request.namespace:
        return False
    if request.verb == "get":
        return request.subresource in OWN_READABLE
    return request.api_group == "iam.kubesphere.io" and (request.verb, request.subresource) in OWN_CHANGEABLE


def _may_be_own_kubectl(user: str, request: RequestInfo) -> bool:
    """Whether this is a terminal in a pod that is named as those of the user's own kubectl are. Whose it is,
    the service finds out. Kubernetes cuts the names of pods that it makes.
    """
    named = request.name.startswith(f"kubectl-{user}-"[:_POD_NAME_KEPT])
    asked = (request.verb, request.namespace, request.resource, request.subresource)
    return named and asked == ("get", KUBECTL_NAMESPACE, "pods", "")
