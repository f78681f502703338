"""Routers, created and removed with the platform's own account for callers whose roles say so.

No tenant has rights in the namespace that routers run in, so the caller's right to the `router` of their own
namespace, in resources.kubesphere.io, is what decides.
"""

import contextlib

from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.resources.access import Access
from ks_apiserver.routers import manifests
from ks_apiserver.routers.addresses import with_address
from ks_apiserver.routers.manifests import CONTROLS_NAMESPACE, PREFIX, ROLE, Wanted
from kubekit.cluster import Cluster
from kubekit.errors import Conflict, KubernetesError
from kubekit.errors import NotFound as Gone
from kubekit.objects import being_deleted
from kubekit.resource import (
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Object,
    Resource,
)
from servicekit.errors import Conflict as Refused
from servicekit.errors import NotFound
from servicekit.identity import Identity

MANAGER = "ks-apiserver"
PAGE = 500
TRIES = 5
"""Of a change to an object that others change, too."""
_ACCOUNT: tuple[Resource, ...] = (SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS)


class Routers:
    """The routers of all namespaces, in whose objects they consist."""

    def __init__(self, cluster: Cluster, access: Access, image: str) -> None:
        self._cluster = cluster
        self._access = access
        self._image = image

    async def all(self, caller: Identity) -> list[Object]:
        """The Service of every router, for a caller who may list them in the whole cluster."""
        self._access.require_lister(caller, "routers")
        listed = self._cluster.list_all(SERVICES, CONTROLS_NAMESPACE, label_selector=manifests.SELECTOR)
        with translated():
            found = [each async for each in listed]
            nodes = await self._nodes()
        return [with_address(each, nodes) for each in found]

    async def get(self, caller: Identity, namespace: str) -> Object:
        """The Service of the namespace's router. Raises Forbidden and NotFound."""
        self._access.require(caller, "get", "router", namespace)
        return await self._answered(await self._service(namespace))

    async def create(self, caller: Identity, wanted: Wanted) -> Object:
        """Creates the router. Raises Forbidden, NotFound for the namespace, and Conflict if there is one."""
        self._access.require(caller, "create", "router", wanted.namespace)
        await self._require_namespace(wanted.namespace)
        with translated():
            made = await self._cluster.create(SERVICES, manifests.service(wanted), field_manager=MANAGER)
            try:
                await self._apply_workload(wanted)
            except KubernetesError:
                with contextlib.suppress(KubernetesError):
                    await self._cluster.delete(SERVICES, wanted.name, CONTROLS_NAMESPACE)
                raise
        return await self._answered(made)

    async def update(self, caller: Identity, wanted: Wanted) -> Object:
        """Gives the router this type and these annotations in place of its own. Raises likewise."""
        self._access.require(caller, "update", "router", wanted.namespace)
        await self._service(wanted.namespace)
        with translated():
            await self._apply_workload(wanted)
        return await self._answered(await self._change_service(wanted))

    async def delete(self, caller: Identity, namespace: str) -> Object:
        """Removes the router; gives the Service that it had. Raises Forbidden and NotFound."""
        self._access.require(caller, "delete", "router", namespace)
        found = await self._service(namespace)
        name = PREFIX + namespace
        with translated():
            for resource, named, where in (
                (DEPLOYMENTS, name, CONTROLS_NAMESPACE),  # its account goes with it
                (ROLE_BINDINGS, ROLE, namespace),
                (SERVICES, name, CONTROLS_NAMESPACE),
            ):
                with contextlib.suppress(Gone):
                    await self._cluster.delete(resource, named, where)
        return found

    async def _service(self, namespace: str) -> Object:
        name = PREFIX + namespace
        with translated():
            try:
                return await self._cluster.get(SERVICES, name, CONTROLS_NAMESPACE)
            except Gone:
                raise NotFound(f'service "{name}" not found') from None

    async def _require_namespace(self, name: str) -> None:
        with translated():
            if being_deleted(await self._cluster.get(NAMESPACES, name)):
                raise Refused(f'namespace "{name}" is being deleted')

    async def _apply_workload(self, wanted: Wanted) -> None:
        deployment = manifests.deployment(wanted, self._image)
        stored = await self._cluster.apply(DEPLOYMENTS, deployment, field_manager=MANAGER)
        for resource, body in zip(_ACCOUNT, manifests.account(wanted, stored), strict=True):
            await self._cluster.apply(resource, body, field_manager=MANAGER)
        await self._cluster.apply(ROLE_BINDINGS, manifests.binding(wanted), field_manager=MANAGER)

    async def _change_service(self, wanted: Wanted) -> Object:
        for _ in range(TRIES):
            service = await self._service(wanted.namespace)
            service["spec"]["type"] = wanted.kind
            service["metadata"]["annotations"] = dict(wanted.annotations)
            with translated(), contextlib.suppress(Conflict):
                return await self._cluster.update(SERVICES, service, field_manager=MANAGER)
        raise Refused("the router was changed meanwhile; try again")

    async def _answered(self, service: Object) -> Object:
        with translated():
            return with_address(service, await self._nodes())

    async def _nodes(self) -> list[Object]:
        return (await self._cluster.list(NODES, limit=PAGE)).items
