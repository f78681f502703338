"""The routes of routers, in resources.kubesphere.io/v1alpha2."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from ks_apiserver.names import Namespace
from ks_apiserver.resources.access import GROUP, VERSION
from ks_apiserver.routers.manifests import Wanted
from ks_apiserver.routers.routers import Routers
from kubekit.resource import Object
from servicekit.group import Group
from servicekit.identity import Identity


class Router(BaseModel):
    """How a router is to be reached: `type` is LoadBalancer, in any case, or else NodePort."""

    type: str = ""
    annotations: Annotated[dict[str, str], BeforeValidator(lambda value: value or {})] = {}

    def of(self, namespace: str) -> Wanted:
        """The router of a namespace."""
        balanced = self.type.lower() == "loadbalancer"
        return Wanted(namespace, "LoadBalancer" if balanced else "NodePort", self.annotations)


def group(routers: Routers) -> Group:
    """All routes of routers. What the caller's roles do not allow is refused."""
    resources = Group(GROUP, VERSION)

    @resources.get("/routers")
    async def list_routers(caller: Identity) -> list[Object]:
        """The Services of all routers."""
        return await routers.all(caller)

    @resources.get("/namespaces/{namespace}/router")
    async def get_router(caller: Identity, namespace: Namespace) -> Object:
        """The Service of a namespace's router."""
        return await routers.get(caller, namespace)

    @resources.post("/namespaces/{namespace}/router")
    async def create_router(caller: Identity, namespace: Namespace, body: Router) -> Object:
        """Creates a namespace's router; gives its Service."""
        return await routers.create(caller, body.of(namespace))

    @resources.put("/namespaces/{namespace}/router")
    async def update_router(caller: Identity, namespace: Namespace, body: Router) -> Object:
        """Changes a namespace's router; gives its Service."""
        return await routers.update(caller, body.of(namespace))

    @resources.delete("/namespaces/{namespace}/router")
    async def delete_router(caller: Identity, namespace: Namespace) -> Object:
        """Removes a namespace's router; gives the Service that it had."""
        return await routers.delete(caller, namespace)

    return resources
