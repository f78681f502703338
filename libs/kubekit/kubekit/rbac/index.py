"""The cluster's roles and bindings, kept current: "may this user do this?" costs no request."""

from collections.abc import Callable, Iterable

from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.rbac.policy import Binding, Decision, Names, Namespaces, Policy
from kubekit.rbac.request import RequestInfo
from kubekit.rbac.rule import Rule
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, Object, Resource


class RbacNotReady(Exception):
    """Roles and bindings were never read completely: nobody can be allowed anything yet. Answer 503."""


class RbacIndex:
    """Answers from four caches: Roles, ClusterRoles and their bindings.

    Every answer takes the groups as given and adds none; `effective_groups` gives those that a cluster
    would add. Answers raise `RbacNotReady` until the caches were filled once. Later, while the API server
    is out of reach, they come from what was last seen.
    """

    name = "rbac"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._policy = Policy()
        self._caches: list[Cache] = []
        self._unsubscribe: list[Callable[[], None]] = []
        self._synced = False

    async def open(self) -> None:
        """Starts to follow roles and bindings; returns at once."""
        policy = self._policy
        for resource, put, delete in (
            (CLUSTER_ROLES, policy.put_role, policy.delete_role),
            (CLUSTER_ROLE_BINDINGS, policy.put_binding, policy.delete_binding),
            (ROLES, policy.put_role, policy.delete_role),
            (ROLE_BINDINGS, policy.put_binding, policy.delete_binding),
        ):
            cache = self._cluster.cache(resource)
            self._caches.append(cache)
            self._unsubscribe.append(cache.subscribe(_follow(put, delete)))

    async def check(self) -> None:
        """Raises `RbacNotReady`, saying what is missing, until every answer is possible."""
        self._require_synced()

    async def close(self) -> None:
        """Stops following. The caches belong to the cluster, which closes them."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    async def synced(self) -> None:
        """Returns when answers are possible."""
        for cache in self._caches:
            await cache.synced()

    @property
    def generation(self) -> int:
        """Another number after every change of a role or binding: whoever remembers an answer forgets it
        then.
        """
        return self._policy.generation

    def allows(self, user: str, groups: Iterable[str], request: RequestInfo) -> Decision:
        """Whether `user`, who is in exactly `groups`, may do `request`, and because of which binding."""
        return self._ready.allows(user, groups, request)

    def namespaces(self, user: str, groups: Iterable[str], verb: str, resource: Resource) -> Namespaces:
        """Where the user may do `verb` on every object of `resource`; for namespaces, on itself."""
        return self._ready.namespaces(user, groups, _request(verb, resource))

    def names(self, user: str, groups: Iterable[str], request: RequestInfo) -> Names:
        """The names of the objects for which `request` is allowed, whatever its own name says."""
        return self._ready.names(user, groups, request)

    def bound_namespaces(self, user: str, groups: Iterable[str]) -> frozenset[str]:
        """The namespaces where a RoleBinding of the user or of one of the groups grants anything."""
        return self._ready.bound_namespaces(user, groups)

    def rules(self, user: str, groups: Iterable[str], namespace: str | None = None) -> list[Rule]:
        """Every rule that applies to the user cluster-wide and, when one is given, in `namespace`."""
        return self._ready.rules(user, groups, namespace or "")

    def bindings_of(self, user: str, groups: Iterable[str]) -> list[Binding]:
        """Every binding, in any namespace, of the user or of one of the groups."""
        return self._ready.bindings_of(user, groups)

    @property
    def _ready(self) -> Policy:
        if not self._synced:
            self._require_synced()
        return self._policy

    def _require_synced(self) -> None:
        if not self._caches:
            raise RbacNotReady("roles and bindings are not followed yet")
        try:
            for cache in self._caches:
                cache.require()
        except KubernetesError as error:
            raise RbacNotReady(error.message) from error
        self._synced = True


def _request(verb: str, resource: Resource) -> RequestInfo:
    return RequestInfo(
        is_resource=True,
        verb=verb,
        path="",
        api_prefix="apis" if resource.group else "api",
        api_group=resource.group,
        api_version=resource.version,
        resource=resource.plural,
    )


def _follow(put: Callable[[Object], None], delete: Callable[[str, str], None]) -> Callable[[Change], None]:
    def apply(change: Change) -> None:
        if change.new is None:
            delete(change.key.namespace or "", change.key.name)
        else:
            put(change.new)

    return apply
