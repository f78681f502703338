"""Namespaces: which a user sees, and how they come and go in a workspace."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from ks_apiserver import labels
from ks_apiserver.clients.kubernetes import filled, translated
from ks_apiserver.tenant import search
from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.requests import NewNamespace
from kubekit.cache import default_trim
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import NotFound
from kubekit.rbac import ALL, Names
from kubekit.resource import NAMESPACES, Object
from kubekit.selection import Selection
from servicekit.errors import BadRequest, Forbidden
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery

_RESERVED = ("kubernetes.io", "k8s.io")
_KUBECTL = "kubectl.kubernetes.io"
_SYSTEM_NAMES = re.compile(r"kube-.*|kubesphere-.*-system|(istio|openpitrix)-system")
"""Of Kubernetes, the platform and its components, which may yet be installed."""


class Namespaces:
    """The namespaces of the cluster, as its cache holds them; written through to Kubernetes."""

    def __init__(self, cluster: Cluster, access: Access) -> None:
        self._cluster = cluster
        self._access = access
        self._cache = search.add_indexes(cluster.cache(NAMESPACES))

    def page(
        self, user: str, groups: tuple[str, ...], query: PageQuery, workspace: str | None = None
    ) -> Page[bytes]:
        """The namespaces, of a workspace or all, that the user's bindings reach."""
        return search.page(self._reached(self._access.namespaces(user, groups), workspace), query)

    def counts(self, caller: Identity, workspaces: Iterable[str]) -> Mapping[str, int]:
        """How many namespaces of each of these workspaces the caller's bindings reach."""
        reach = self._access.namespaces(caller.user, caller.groups)
        cache = filled(self._cache)
        if reach is ALL:
            return {name: len(cache.keys_by(search.LABEL, _in(name))) for name in workspaces}
        rows = (cache.row(key) for key in search.named(reach))
        return Counter(search.label_of(row, labels.WORKSPACE) or "" for row in rows if row is not None)

    async def create(self, caller: Identity, workspace: str, wanted: NewNamespace) -> Object:
        """Creates a namespace in the workspace, on behalf of a caller who may. Gives it as stored.

        The platform's own account creates it, for no tenant may create namespaces in Kubernetes; so it
        takes nothing from `wanted` that decides whose the namespace is, or that the caller could not set
        otherwise.
        """
        metadata = wanted.metadata
        if not self._access.may_set_reserved_labels(caller):
            _refuse_system_name(metadata.name or metadata.generate_name)
            _refuse_reserved(metadata.labels, metadata.annotations)
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": metadata.name,
                "generateName": metadata.generate_name,
                "labels": {**metadata.labels, labels.WORKSPACE: workspace},
                "annotations": {**metadata.annotations, labels.CREATOR: caller.user},
            },
        }
        with translated():
            return default_trim(await self._cluster.create(NAMESPACES, body, field_manager="ks-apiserver"))

    async def delete(self, caller: Identity, workspace: str, name: str) -> None:
        """Deletes a namespace of the workspace: as the caller where Kubernetes lets them, else for the
        workspace.

        Raises BadRequest, as v2.1.1 answers it, when the workspace has no such namespace.
        """
        as_caller = self._access.may_delete_namespace_itself(caller, name)
        if not as_caller:
            self._access.require_namespace_deleter(caller, workspace)
        with translated():
            try:
                found = await self._cluster.get(NAMESPACES, name)
            except NotFound as error:
                raise BadRequest(error.message, reason="NotFound") from error
            if (found["metadata"].get("labels") or {}).get(labels.WORKSPACE) != workspace:
                raise BadRequest("resource not found", reason="NotFound")
            as_user = Impersonation(caller.user, caller.groups) if as_caller else None
            await self._cluster.delete(NAMESPACES, name, uid=found["metadata"]["uid"], as_user=as_user)

    def _reached(self, reach: Names, workspace: str | None) -> Selection:
        index = (search.LABEL, _in(workspace)) if workspace is not None else None
        keys = None if reach is ALL else search.named(reach)
        return filled(self._cache).select(index=index, keys=keys)


def _in(workspace: str) -> str:
    return f"{labels.WORKSPACE}={workspace}"


def _refuse_system_name(name: str) -> None:
    """Who made the namespace of a component before that is installed would be an admin of it."""
    if _SYSTEM_NAMES.fullmatch(name):
        raise Forbidden(f'metadata.name: only administrators of the cluster may create "{name}"')


def _refuse_reserved(*given: Mapping[str, str]) -> None:
    """Labels of Kubernetes' own decide about pod security and placement: they are not a tenant's to set."""
    for key in (key for pairs in given for key in pairs):
        domain = key.rpartition("/")[0]
        if domain != _KUBECTL and any(domain == name or domain.endswith(f".{name}") for name in _RESERVED):
            raise Forbidden(f'metadata: only administrators of the cluster may set "{key}"')
