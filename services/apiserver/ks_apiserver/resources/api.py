"""The routes of resources.kubesphere.io/v1alpha2."""

from typing import Any

from ks_apiserver.names import Namespace
from ks_apiserver.resources.abnormal import abnormal_workloads
from ks_apiserver.resources.access import GROUP, VERSION, Access
from ks_apiserver.resources.components import Components
from ks_apiserver.resources.quotas import Quotas
from ks_apiserver.resources.revisions import Revisions
from ks_apiserver.resources.search import Search
from kubekit.resource import Object
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.lasting import Lasting
from servicekit.paging import Json, Page, PageQuery


def group(
    access: Access, search: Search, components: Components, quotas: Quotas, revisions: Revisions
) -> Group:
    """All routes of resources. What `access` does not allow is refused."""
    resources = Group(GROUP, VERSION)
    _components(resources, components)
    _counts(resources, access, search, quotas)
    _revisions(resources, revisions)
    _search(resources, search)  # last: its paths match the names of those before
    return resources


def _components(group: Group, components: Components) -> None:
    @group.get("/components")
    async def list_components(caller: Identity) -> list[dict[str, Any]]:
        """The platform's components, with how many of the pods behind each are healthy."""
        return await components.all(caller)

    @group.get("/components/{component}")
    async def get_component(caller: Identity, component: str) -> dict[str, Any]:
        """One component of the platform."""
        return await components.one(caller, component)

    @group.get("/componenthealth")
    async def get_health(caller: Identity) -> dict[str, Any]:
        """Every component, and how many nodes are ready."""
        return await components.health(caller)


def _counts(group: Group, access: Access, search: Search, quotas: Quotas) -> None:
    @group.get("/quotas")
    async def get_cluster_quotas(caller: Identity) -> dict[str, Any]:
        """How many objects of some kinds the cluster holds."""
        return await quotas.of_cluster(caller)

    @group.get("/namespaces/{namespace}/quotas")
    async def get_namespace_quotas(caller: Identity, namespace: Namespace) -> dict[str, Any]:
        """What a namespace may use, uses and has left."""
        return await quotas.of_namespace(caller, namespace)

    @group.get("/abnormalworkloads")
    async def count_abnormal_workloads(caller: Identity) -> dict[str, Any]:
        """How many workloads of each kind are not as they should be."""
        return await abnormal_workloads(search, access, caller)

    @group.get("/namespaces/{namespace}/abnormalworkloads")
    async def count_abnormal_workloads_of_namespace(caller: Identity, namespace: Namespace) -> dict[str, Any]:
        """How many workloads of each kind in a namespace are not as they should be."""
        return await abnormal_workloads(search, access, caller, namespace)


def _revisions(group: Group, revisions: Revisions) -> None:
    @group.get("/namespaces/{namespace}/deployments/{deployment}/revisions/{revision}")
    async def get_deployment_revision(
        caller: Identity, namespace: Namespace, deployment: str, revision: str
    ) -> Object:
        """The ReplicaSet of a revision of a deployment."""
        return await revisions.of_deployment(caller, namespace, deployment, revision)

    @group.get("/namespaces/{namespace}/daemonsets/{daemonset}/revisions/{revision}")
    async def get_daemon_set_revision(
        caller: Identity, namespace: Namespace, daemonset: str, revision: str
    ) -> Object:
        """The ControllerRevision of a revision of a daemon set."""
        return await revisions.of_controller(caller, "daemonsets", namespace, daemonset, revision)

    @group.get("/namespaces/{namespace}/statefulsets/{statefulset}/revisions/{revision}")
    async def get_stateful_set_revision(
        caller: Identity, namespace: Namespace, statefulset: str, revision: str
    ) -> Object:
        """The ControllerRevision of a revision of a stateful set."""
        return await revisions.of_controller(caller, "statefulsets", namespace, statefulset, revision)


def _search(group: Group, search: Search) -> None:
    @group.get("/{resources}", etag=True)
    async def list_resources(caller: Identity, resources: str, query: PageQuery) -> Lasting[Page[Json]]:
        """Objects of a kind in the whole cluster."""
        return await search.page(caller, resources, query)

    @group.get("/namespaces/{namespace}/{resources}", etag=True)
    async def list_resources_of_namespace(
        caller: Identity, namespace: Namespace, resources: str, query: PageQuery
    ) -> Lasting[Page[Json]]:
        """Objects of a kind in a namespace."""
        return await search.page(caller, resources, query, namespace)
