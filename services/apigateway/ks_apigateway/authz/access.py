"""The gateway's own decision about paths under /kapis, from the cluster's roles and bindings."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ks_apigateway.authn.token import Claims
from kubekit.rbac import AmbiguousPath, RbacIndex, RequestInfo, effective_groups
from kubekit.rbac.index import RbacNotReady
from servicekit.errors import BadRequest, Forbidden, Unavailable
from servicekit.health import Health

OWN_READABLE = frozenset(("", "logs", "roles", "kubeconfig", "kubectl", "apitokens"))
"""What every user may read below `users/{self}`: the profile, the logins, the roles, the kubeconfig, the
terminal pod and the API tokens."""
OWN_CHANGEABLE = frozenset(
    (("update", ""), ("delete", "sessions"), ("create", "apitokens"), ("delete", "apitokens"))
)
"""And change: the profile with its password, the sessions, which can be ended, and the API tokens."""

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
        self._allowed: set[tuple[str, tuple[str, ...], str, str]] = set()
        self._generation = -1

    def check(self, claims: Claims, method: str, path: str) -> None:
        """Raises Forbidden unless the user may; Unavailable while the cluster's roles are not known."""
        question = (claims.user, claims.groups, method, path)
        if question in self._allowed and self._generation == self._index.generation:
            self._check_age()
            return
        try:
            request = _read(method, path) if len(path) <= _SHORT else RequestInfo.of(method, path)
        except AmbiguousPath as error:
            raise BadRequest(str(error)) from None
        if _is_own(claims.user, request):
            return
        self._check_age()
        generation = self._index.generation
        try:
            decision = self._index.allows(claims.user, _groups(claims.user, claims.groups), request)
        except RbacNotReady as error:
            raise Unavailable("kubernetes", str(error), retry_after=1) from None
        if not decision.allowed:
            raise _forbidden(request)
        if len(path) <= _SHORT:
            self._remember(question, generation)

    def _remember(self, question: tuple[str, tuple[str, ...], str, str], generation: int) -> None:
        """What is allowed stays so until any role or binding changes."""
        if generation != self._generation or len(self._allowed) >= CAPACITY:
            self._allowed.clear()
            self._generation = generation
        self._allowed.add(question)

    def _check_age(self) -> None:
        state = self._kubernetes
        if not state.ready and datetime.now(UTC) - state.since > self._stale:
            raise Unavailable("kubernetes", f"{state.reason}; the roles are too old", retry_after=1)


def _is_own(user: str, request: RequestInfo) -> bool:
    """Whether this is about the user's own account, and something that everybody may do with theirs."""
    if request.resource != "users" or request.name != user or request.namespace:
        return False
    if request.verb == "get":
        return request.subresource in OWN_READABLE
    return request.api_group == "iam.kubesphere.io" and (request.verb, request.subresource) in OWN_CHANGEABLE


def _forbidden(request: RequestInfo) -> Forbidden:
    """403 in the words of the original, which are those of Kubernetes' own errors."""
    what = ""
    if request.is_resource:
        what = f"{request.resource}.{request.api_group}" if request.api_group else request.resource
        what += f' "{request.name}" is ' if request.name else " is "
    reason = f"{what}forbidden: permission undefined"
    return Forbidden(reason, headers={"WWW-Authenticate": f"Forbidden,{reason}"})
