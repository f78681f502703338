"""Who may read resources here: whom a role lets do so in resources.kubesphere.io, and nobody else."""

from collections.abc import Hashable

from ks_apiserver.clients.kubernetes import translated
from kubekit.rbac import ALL, RbacIndex, RequestInfo, effective_groups
from kubekit.rbac.policy import Namespaces
from kubekit.resource import Resource
from servicekit.errors import Forbidden
from servicekit.identity import Identity

GROUP = "resources.kubesphere.io"
VERSION = "v1alpha2"
REMEMBERED = 10_000
"""Decisions that are kept, each until roles or bindings change."""


class Access:
    """Answers from the cluster's roles and bindings; raises Unavailable until these were read."""

    def __init__(self, rbac: RbacIndex) -> None:
        self._rbac = rbac
        self._granted = _Granted(rbac)

    @property
    def generation(self) -> int:
        """Another number after every change of a role or binding."""
        return self._rbac.generation

    def require_lister(self, caller: Identity, resource: str, namespace: str | None = None) -> None:
        """Raises Forbidden unless the caller may list `resource`, in the namespace or in all of them."""
        self.require(caller, "list", resource, namespace)

    def lister_of(self, caller: Identity, resource: Resource) -> Namespaces:
        """Where the caller may list `resource` here; for one without namespaces, everywhere or nowhere."""
        served = Resource(GROUP, VERSION, resource.plural, resource.kind, resource.namespaced)
        with translated():
            groups = effective_groups(caller.user, caller.groups)
            found = self._rbac.namespaces(caller.user, groups, "list", served)
        return found if found is ALL or resource.namespaced else frozenset()

    def require_reader(
        self,
        caller: Identity,
        resource: str,
        name: str,
        namespace: str | None = None,
        subresource: str = "",
    ) -> None:
        """Raises Forbidden unless the caller may get one object, or that part of it."""
        self.require(caller, "get", resource, namespace, name, subresource)

    def require(
        self,
        caller: Identity,
        verb: str,
        resource: str,
        namespace: str | None,
        name: str = "",
        subresource: str = "",
    ) -> None:
        """Raises Forbidden unless the caller may do `verb`, in the namespace or in the whole cluster."""
        asked = caller.user, caller.groups, verb, resource, namespace, name, subresource
        if self._granted.has(asked):
            return
        request = RequestInfo(
            is_resource=True,
            verb=verb,
            path="",
            api_prefix="kapis",
            api_group=GROUP,
            api_version=VERSION,
            namespace=namespace or "",
            resource=resource,
            subresource=subresource,
            name=name,
        )
        with translated():
            groups = effective_groups(caller.user, caller.groups)
            allowed = self._rbac.allows(caller.user, groups, request).allowed
        if not allowed:
            # The same words whether or not what was asked for exists, and without its name.
            where = "in this namespace" if namespace else "at the cluster scope"
            what = f"{resource}/{subresource}" if subresource else resource
            raise Forbidden(f'User "{caller.user}" cannot {verb} resource "{what}" of {GROUP} {where}')
        self._granted.add(asked)


class _Granted:
    """What was found to be allowed, until a role or binding changes."""

    def __init__(self, rbac: RbacIndex) -> None:
        self._rbac = rbac
        self._generation = -1
        self._asked: set[tuple[Hashable, ...]] = set()

    def has(self, asked: tuple[Hashable, ...]) -> bool:
        return self._rbac.generation == self._generation and asked in self._asked

    def add(self, asked: tuple[Hashable, ...]) -> None:
        if self._rbac.generation != self._generation or len(self._asked) >= REMEMBERED:
            self._asked.clear()
            self._generation = self._rbac.generation
        self._asked.add(asked)
